"""The account that these definitions work for, as the UI shows it: read once, when Dagster loads the definitions.

Runs read the settings anew. Nothing here decides what a run does; a schedule's hour is in this zone.
"""

from collections.abc import Callable, Sequence

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Account, Settings

AS_OF = (
    "As of when this code location was loaded (Deployment → Reload). Each run reads the settings anew; "
    "`lp_pipeline.env` and the environment have them."
)


def zone_of(load: Callable[[], Settings]) -> str:
    """The account's time zone; UTC as long as the settings can't be read."""
    try:
        return load().lp_timezone
    except SettingsError:
        return "UTC"


def card(load: Callable[[], Settings]) -> str:
    """Markdown: SANDBOX or LIVE, the account, its zone, and which switches are on. No secrets, and no time of day: each
    load would give the jobs a new version, which Dagster keeps."""
    try:
        settings = load()
    except SettingsError as error:
        return f"**The settings can't be used.** {error} Correct them, then reload the code location."
    live = bool(settings.lp_api_url)
    whose = f"client `{settings.lp_client_id}` at {settings.lp_api_url}" if live else "made-up people, nothing real"
    rows = "\n".join(f"| {what} | {'**on**' if on else 'off'} | {how} |" for what, on, how in _switches(settings))
    return (
        f"## {'LIVE' if live else 'SANDBOX'}\n\n{whose} · {settings.lp_timezone}\n\n"
        f"| | | setting |\n|---|---|---|\n{rows}\n\nData folder: `{settings.data}`\n\n{AS_OF}\n"
    )


def accounts_card(accounts: Sequence[Account]) -> str:
    """Markdown: the accounts that these definitions work for."""
    rows = "\n".join(f"| {each.name} | {each.shard} | {'yes' if each.enabled else 'no'} |" for each in accounts)
    return (
        f"## {len(accounts)} accounts\n\n| account | shard | synced |\n|---|---|---|\n{rows}\n\n"
        "As of when this code location was loaded (Deployment → Reload). `lp-pipeline accounts list` says more.\n"
    )


def _switches(settings: Settings) -> list[tuple[str, bool, str]]:
    pushing = settings.push_communications
    comes_in = settings.exports or settings.communications_from == "inbox"
    return [
        ("Prospect feed", settings.lp_prospect_action.lower() != "off", "`LP_PROSPECT_ACTION`"),
        ("Opportunities to Hatch", settings.delivers, "`HATCH_API_KEY`"),
        (
            f"Communications from Hatch ({settings.communications_from})",
            comes_in,
            "`COMMUNICATIONS_FROM`, `HATCH_EXPORT_KEY`",
        ),
        ("Pushes into LeadPerfection", pushing, "`PUSH_COMMUNICATIONS`"),
        ("… notes", pushing and settings.push_to_notes, "`PUSH_TO_NOTES`"),
        ("… call logs", pushing and settings.push_to_call_logs, "`PUSH_TO_CALL_LOGS`"),
        ("… production notes", pushing and settings.push_to_production_notes, "`PUSH_TO_PRODUCTION_NOTES`"),
    ]
