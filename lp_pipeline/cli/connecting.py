"""The steps of `lp-pipeline connect`: what is asked and tried with LeadPerfection at once, and what follows in the end.

How an answer is got is in `interview`, what LeadPerfection is asked for in `insight/probe.py`, how the answers are
written in `write_settings`.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import click

from lp_pipeline.cli.console import console, program_name
from lp_pipeline.cli.doctor import show_checks
from lp_pipeline.cli.history import backfill
from lp_pipeline.cli.interview import Interview
from lp_pipeline.clients.leadperfection import Client, RateLimiter
from lp_pipeline.clients.leadperfection.auth import UNLOCK
from lp_pipeline.errors import LeadPerfectionError, SettingsError
from lp_pipeline.insight.examination import SECONDS
from lp_pipeline.insight.probe import Access, access, newest_stamp, places_that_fit
from lp_pipeline.runs.backfill import usual_time
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.settings.forms import bare_url, code_by_channel
from lp_pipeline.settings.zones import US_PLACES, time_zone

HOSTS = ("api", "api2", "api3")
UNTRIED = "America/New_York"  # a zone for the time in which none is chosen yet; no answer depends on it
CLOCK, DATED = "%-I:%M %p", "%b %-d, %-I:%M %p"


def connect_leadperfection(interview: Interview) -> str | None:
    """Ask for the account until LeadPerfection takes it, and for its zone; the employee id, if the sign-in gives one.

    Raises `SettingsError` if LeadPerfection refuses it and nobody can be asked.
    """
    interview.say(f"LeadPerfection gives you an API user's credentials. That user needs all functions:\n{UNLOCK}\n")
    while True:
        _ask_for_account(interview)
        try:
            with _client(interview) as client:
                client.sign_in()
            break
        except LeadPerfectionError as error:
            _retry_or_raise(interview, f"{error}")
            interview.anew()
    click.echo("Signed in.")
    interview.good()
    while True:
        with _client(interview) as client:
            client.sign_in()
            found = access(client, _settings(interview))
            if problem := _unreadable(found):
                _retry_or_raise(interview, problem)
                continue
            _say_what_is_permitted(found)
            _ask_for_zone(interview, client, found)
            return client.employee_id


def _ask_for_account(interview: Interview) -> None:
    interview.text(
        "LP_API_URL", "LeadPerfection's server (api, api2, api3, or a whole address)", "api", _address, "--lp-url"
    )
    interview.text("LP_CLIENT_ID", "Client ID", option="--client-id")
    interview.text("LP_USERNAME", "User name", option="--username")
    interview.secret("LP_PASSWORD", "Password", "--password-file")
    interview.secret("LP_APP_KEY", "App key", "--app-key-file")


def _address(answer: str) -> str:
    """A whole address of one of the usual servers' names. Raises `ValueError`."""
    answer = answer.strip()
    return f"https://{answer.lower()}.leadperfection.com" if answer.lower() in HOSTS else bare_url(answer)


def _retry_or_raise(interview: Interview, problem: str) -> None:
    if interview.silent:
        raise SettingsError(f"{problem} Nothing was written.")
    interview.say(f"\n{problem}")
    click.confirm("Try again?", default=True, abort=True)


def _unreadable(found: Access) -> str | None:
    """Why the feeds can't be read, if they can't."""
    if found.refused:
        return f"LeadPerfection refuses {' and '.join(found.refused)} to this user. Open {UNLOCK}."
    return next((str(page) for page in found.pages.values() if isinstance(page, LeadPerfectionError)), None)


def _say_what_is_permitted(found: Access) -> None:
    """What the user can't write is no obstacle: perhaps it is never switched on."""
    unlisted = found.unlisted or ()
    click.echo(f"It permits {', '.join(name for name in found.needed if name not in unlisted)}.")
    if unlisted:
        click.echo(f"It does not permit {', '.join(unlisted)}. If that is to be written, open {UNLOCK}.")


def _ask_for_zone(interview: Interview, client: Client, found: Access) -> None:
    """Proposed by the newest change stamp, which is LeadPerfection's wall time, and decided by whoever knows."""
    settings = _settings(interview)
    now = found.clock[0] if found.clock else settings.now()
    stamp = newest_stamp(client, settings, now)
    fitting = places_that_fit(stamp, now) if stamp else []
    if not interview.silent:
        clocks = ", ".join(f"{now.astimezone(ZoneInfo(place)).strftime(CLOCK)} in {place}" for place in US_PLACES[:4])
        newest = f"Its newest change is stamped {stamp.strftime(DATED)}" if stamp else "Nothing changed there lately"
        interview.say(f"\n{newest}; now it is {clocks}.")
    example = fitting[0] if fitting else UNTRIED
    interview.text(
        "LP_TIMEZONE",
        "The place whose time LeadPerfection shows",
        "" if interview.silent or not fitting else fitting[0],
        time_zone,
        f"--timezone ({'what LeadPerfection shows fits' if fitting else 'such as'} {example})",
    )


def ask_for_pushes(interview: Interview, employee_id: str | None) -> None:
    """The four switches, and what call logs need if they are on."""
    say = interview.say
    say("\nTexts, e-mails and calls in Hatch can be written into LeadPerfection.")
    is_on = interview.yes("PUSH_COMMUNICATIONS", "Write them?", proposal=True)
    interview.yes("PUSH_TO_NOTES", "  as notes on the prospect?", proposal=True, if_asked=is_on)
    logs = interview.yes("PUSH_TO_CALL_LOGS", "  as call logs?", proposal=False, if_asked=is_on)
    interview.yes("PUSH_TO_PRODUCTION_NOTES", "  as notes on the lead's first job?", proposal=False, if_asked=is_on)
    if is_on and logs:
        if not employee_id:
            interview.text("LP_EMPLOYEE_ID", "Employee id of call logs", option="--employee-id")
        interview.text("LP_CALL_TYPE", "Your call type (one code, or text=T,email=E,call=C)", "", _codes, "--call-type")
        interview.text("LP_RESULT_CODE", "Your result code, likewise", "", _codes, "--result-code")


def _codes(answer: str) -> str:
    code_by_channel(answer)
    return answer.strip()


def ask_for_hatch(interview: Interview) -> None:
    """Hatch's keys and source, if there are any."""
    interview.say("\nHatch, if you have its keys:")
    if interview.secret("HATCH_API_KEY", "API key", "--hatch-key-file", optional=True):
        interview.text("HATCH_SOURCE", "API name of the custom source (custom:<slug>)", option="--hatch-source")
    interview.secret("HATCH_EXPORT_KEY", "Reporting key of the Bulk Export", "--export-key-file", optional=True)
    if not interview.answers["HATCH_EXPORT_KEY"]:
        source = interview.text(
            "COMMUNICATIONS_FROM", "Communications come by export or inbox", "export", _way, "--communications-from"
        )
        if source == "inbox":
            interview.fixed("INBOX_SECRET", secrets.token_hex(32))
    for name in ("HATCH_API_URL", "HATCH_EXPORT_URL"):
        interview.only_if_given(name, bare_url)


def _way(answer: str) -> str:
    if answer.strip() not in ("export", "inbox"):
        raise ValueError("must be export or inbox")
    return answer.strip()


def check_and_load(context: click.Context, first: date | None, *, ask: bool) -> None:
    """Run `doctor`, and load history from that day on, or from the one that is typed. Exit code 1 on a problem."""
    if show_checks(console()):
        click.echo(f"\nThe settings are written. Do what the lines with FAIL say, then run:  {program_name()} doctor")
        raise click.exceptions.Exit(1)
    settings = load_settings()
    today = settings.now().astimezone(settings.zone).date()
    if first is None and ask:
        click.echo(
            "\nThe first sync reads the last 20 minutes. History comes by a backfill, of which Hatch hears nothing: "
            f"at LP_RATE_PER_MINUTE={settings.lp_rate_per_minute} a year takes {usual_time(settings, 365)}."
        )
        first = click.prompt(
            "Load history from (YYYY-MM-DD; Enter for not now)", default="", show_default=False, value_proc=_day
        )
    if first is not None:
        context.invoke(backfill, first=first, last=today)
    name = program_name()
    click.echo(f"\nNext:  {name} sync  once, or  {name} dev  for every 15 minutes (docs/going-live.md)")


def _day(answer: str) -> date | None:
    try:
        return date.fromisoformat(answer.strip()) if answer.strip() else None
    except ValueError:
        raise click.UsageError(f"{answer!r} is not a valid date; use YYYY-MM-DD.") from None


def _settings(interview: Interview) -> Settings:
    """The answers so far, with all that can be written switched on, to see whether it is permitted."""
    names = ("LP_API_URL", "LP_CLIENT_ID", "LP_USERNAME", "LP_PASSWORD", "LP_APP_KEY")
    given = {name: interview.answers[name] for name in names}
    now = {name: value for name in ("LP_PIPELINE_NOW",) if (value := os.environ.get(name, ""))}
    return load_settings({**given, **now, "LP_TIMEZONE": UNTRIED, "PUSH_TO_CALL_LOGS": "true"})


@contextmanager
def _client(interview: Interview) -> Iterator[Client]:
    """LeadPerfection, at its usual rate, without a data folder: nothing is left behind by a try."""
    settings = _settings(interview)
    with TemporaryDirectory() as folder:
        limiter = RateLimiter(Path(folder), settings.lp_rate_per_minute)
        with limiter, Client(settings, limiter=limiter, deadline=time.monotonic() + SECONDS) as client:
            yield client
