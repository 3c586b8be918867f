"""`lp-pipeline connect` (SPEC E10): its options and the order of its steps, which are in `connecting`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import click

from lp_pipeline.cli.history import Day
from lp_pipeline.cli.interview import Interview, content
from lp_pipeline.settings import read_file, refuse_dotenv

SECRETS = {
    "LP_PASSWORD": "--password-file",
    "LP_APP_KEY": "--app-key-file",
    "HATCH_API_KEY": "--hatch-key-file",
    "HATCH_EXPORT_KEY": "--export-key-file",
}
TEXTS = {
    "LP_API_URL": ("--lp-url", "LeadPerfection's server: api, api2, api3, or a whole address."),
    "LP_CLIENT_ID": ("--client-id", "LeadPerfection's client ID."),
    "LP_USERNAME": ("--username", "The API user's name in LeadPerfection."),
    "LP_TIMEZONE": ("--timezone", "The place whose time LeadPerfection shows, such as America/New_York."),
    "LP_EMPLOYEE_ID": ("--employee-id", "For call logs: the employee id, if the sign-in gives none."),
    "LP_CALL_TYPE": ("--call-type", "For call logs: your call type, or one per channel (text=T,email=E,call=C)."),
    "LP_RESULT_CODE": ("--result-code", "For call logs: your result code, likewise."),
    "HATCH_SOURCE": ("--hatch-source", "The API name of the custom source in Hatch: custom:<slug>."),
    "COMMUNICATIONS_FROM": ("--communications-from", "export (default) or inbox."),
    "HATCH_API_URL": ("--hatch-url", "Hatch's address, if it is not the usual one."),
    "HATCH_EXPORT_URL": ("--hatch-export-url", "The Bulk Export's address, likewise."),
}
SWITCHES = {
    "PUSH_COMMUNICATIONS": ("--push/--no-push", "Write communications from Hatch into LeadPerfection (default: yes)."),
    "PUSH_TO_NOTES": ("--notes/--no-notes", "As notes on the prospect (default: yes)."),
    "PUSH_TO_CALL_LOGS": ("--call-logs/--no-call-logs", "As call logs (default: no)."),
    "PUSH_TO_PRODUCTION_NOTES": (
        "--production-notes/--no-production-notes",
        "As notes on the lead's first job (default: no).",
    ),
}
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option for every answer; secrets come from files, for everybody on the machine can see arguments."""
    for name, (option, text) in reversed(SWITCHES.items()):
        command = click.option(option, name.lower(), default=None, help=text)(command)
    for name, option in reversed(SECRETS.items()):
        text = f"A file whose one line is {name} (or set {name} in the environment)."
        command = click.option(option, name.lower(), type=FILE, help=text)(command)
    for name, (option, text) in reversed(TEXTS.items()):
        command = click.option(option, name.lower(), help=text)(command)
    return command


@click.command()
@_with_options
@click.option("--backfill-from", type=Day(), help="Then load history from this day on.")
@click.option("--no-backfill", is_flag=True, help="Don't offer to load history.")
@click.option("--replace", is_flag=True, help="Replace values that the settings file already has, without asking.")
@click.option("--no-input", is_flag=True, help="Ask nothing; what is missing is an error (for scripts).")
@click.pass_context
def connect(
    context: click.Context,
    /,
    *,
    backfill_from: date | None,
    no_backfill: bool,
    replace: bool,
    no_input: bool,
    **options: Any,
) -> None:
    """Connect a LeadPerfection account: ask, try, write the settings file, check everything, load history.

    The address and the credentials are tried before anything is written, and the file is written whole or not at all.
    Every answer can be given as an option, or in the environment under the setting's name.
    """
    from lp_pipeline.cli import connecting, write_settings
    from lp_pipeline.settings.edit import content_of
    from lp_pipeline.settings.load import own_settings_file

    refuse_dotenv()
    path = own_settings_file()
    interview = Interview(_given(options), read_file(path), silent=no_input)
    before = content_of(path)
    employee_id = connecting.connect_leadperfection(interview)
    connecting.ask_for_pushes(interview, employee_id)
    connecting.ask_for_hatch(interview)
    write_settings.write(path, before, interview, replace=replace)
    connecting.check_and_load(context, backfill_from, ask=not (no_input or no_backfill))


def _given(options: dict[str, Any]) -> dict[str, str]:
    """The answers that options give, by the setting's name."""
    found: dict[str, str] = {}
    for name, value in ((option.upper(), value) for option, value in options.items() if value is not None):
        if name in SECRETS:
            found[name] = content(value, SECRETS[name])
        else:
            found[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


COMMANDS = (connect,)
