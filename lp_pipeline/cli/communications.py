"""`lp-pipeline push`, `pushes`, `deliver`, `inbox`, `recovered`: the commands about Hatch. No logic here."""

import os
from collections.abc import Callable, Collection
from datetime import datetime

import click

from lp_pipeline.cli.console import account_settings, console, output_form, output_options
from lp_pipeline.cli.home import FLEET, dagster_home, give_dagster_a_home
from lp_pipeline.communications.open_push import NOT_SENT, STATES
from lp_pipeline.communications.targets import TARGETS
from lp_pipeline.settings import accounts_file, load_settings
from lp_pipeline.settings.accounts import ACCOUNT_SETTING

SINCE = click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"))
NOTHING_MATCHED = "No matching pushes; nothing changed."


class State(click.Choice[str]):
    """A state of pushes: a misspelled one selects nothing, as an unknown id does."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Exit code 1 with the states that there are, instead of a usage error."""
        try:
            return super().convert(value, param, ctx)
        except click.UsageError as error:
            raise click.ClickException(f"{NOTHING_MATCHED} --state {error.message}") from None


SELECTION = (
    click.argument("communication_ids", nargs=-1),
    click.option("--target", type=click.Choice(TARGETS), help="Only pushes to this target."),
    click.option("--state", type=State(NOT_SENT), help="All pushes in this state."),
    click.option("--reason", help="All pushes with this reason, such as switched_off or before_start."),
    click.option("--since", type=SINCE, help="Only communications since this time (in LeadPerfection's time zone)."),
)


@click.command()
@click.option("--dry-run", is_flag=True, help="Show exactly what would be written where, without writing it.")
@click.option("--notes/--no-notes", "push_to_notes", default=None, help="Override PUSH_TO_NOTES for this run.")
@click.option(
    "--call-logs/--no-call-logs", "push_to_call_logs", default=None, help="Override PUSH_TO_CALL_LOGS for this run."
)
@click.option(
    "--production-notes/--no-production-notes",
    "push_to_production_notes",
    default=None,
    help="Override PUSH_TO_PRODUCTION_NOTES for this run.",
)
def push(*, dry_run: bool, **overrides: bool | None) -> None:
    """Push communications from Hatch into LeadPerfection, each exactly once."""
    from lp_pipeline.cli.execute import dry_run_push, run_push
    from lp_pipeline.cli.render import show_pushes

    settings = account_settings()
    if dry_run:
        click.echo_via_pager(dry_run_push(settings, overrides))
        return
    give_dagster_a_home()
    if failures := run_push(overrides):
        raise click.ClickException("\n".join(failures))
    show_pushes(settings, console())


@click.group(invoke_without_command=True)
@click.option("--state", type=State(STATES), help="List the pushes in this state instead.")
@click.option("--reason", help="Only pushes with this reason.")
@output_options
@click.pass_context
def pushes(context: click.Context, state: str | None, reason: str | None, *, as_csv: bool, as_json: bool) -> None:
    """List the pushes that need a decision: uncertain, unmatched or failed. The commands below settle them."""
    if context.invoked_subcommand is None:
        from lp_pipeline.cli.review import show_listed

        page = console()
        form = output_form(page, as_csv=as_csv, as_json=as_json)
        show_listed(account_settings(), state, reason, page, form)


def _verdict(name: str, description: str, outcome: str) -> click.Command:
    def command(
        communication_ids: tuple[str, ...],
        target: str | None,
        state: str | None,
        reason: str | None,
        since: datetime | None,
    ) -> None:
        from lp_pipeline.communications.manual import Choice, settle
        from lp_pipeline.communications.targets import targets_on
        from lp_pipeline.storage.outbox import Outbox

        settings = account_settings()
        moment = settings.instant_of(since) if since else None
        with Outbox(settings.data) as outbox:
            changed = settle(outbox, settings, name, Choice(communication_ids, target, state, reason, moment))  # type: ignore[arg-type]
        if not changed:
            raise click.ClickException(NOTHING_MATCHED)
        click.echo(f"{_pushes(len(changed))} {outcome}.")
        off = sorted({target for _, target in changed} - set(targets_on(settings)))
        if name == "again" and off:
            click.echo(f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} turned off: sent once turned on.")
        _all_matched(communication_ids, {communication_id for communication_id, _ in changed})

    for parameter in reversed(SELECTION):
        command = parameter(command)
    return click.command(name, help=description)(command)


pushes.add_command(_verdict("sent", "Mark the selected pushes as already delivered.", "marked as already delivered"))
pushes.add_command(
    _verdict("again", "Push the selected pushes (again) with the next push.", "queued for the next push")
)
pushes.add_command(_verdict("drop", "Never push the selected pushes.", "dropped"))


def _all_matched(given: Collection[str], changed: Collection[str]) -> None:
    """Exit code 1 if some of the given ids matched nothing, while others did."""
    if missed := [each for each in dict.fromkeys(given) if each not in changed]:
        raise click.ClickException(f"No matching pushes of {', '.join(missed)}; those are as they were.")


def _pushes(number: int) -> str:
    return f"{number} push" if number == 1 else f"{number} pushes"


@pushes.command("takeover")
def takeover_command() -> None:
    """Make this data folder the one that pushes for the account.

    Only one data folder per machine pushes for a LeadPerfection account and Hatch source. Messages that the other
    folder may have sent already are looked up in LeadPerfection first, so that nothing is written twice.
    """
    from lp_pipeline.communications.ownership import take_over
    from lp_pipeline.storage.outbox import Outbox

    settings = account_settings()
    with Outbox(settings.data) as outbox:
        number = take_over(outbox, settings).total()
    click.echo(f"{settings.data} now pushes for this account. To be looked up before sending: {_pushes(number)}.")


@pushes.command("assign")
@click.argument("communication_id")
@click.argument("cst_id")
def assign_command(communication_id: str, cst_id: str) -> None:
    """Assign the communication COMMUNICATION_ID to the prospect CST_ID and push it there."""
    from lp_pipeline.communications.manual import assign
    from lp_pipeline.storage.outbox import Outbox

    settings = account_settings()
    with Outbox(settings.data) as outbox:
        number = assign(outbox, settings, communication_id, cst_id)
    click.echo(f"{_pushes(number)} to prospect {cst_id} queued for the next push.")


@click.command()
@click.option("--since", type=SINCE, required=True, help="Start of the period (in LeadPerfection's time zone).")
@click.option("--dry-run", is_flag=True, help="Show how many would be sent, and exactly what, without sending it.")
def deliver(since: datetime, *, dry_run: bool) -> None:
    """Send opportunities that changed since a given time to Hatch, unless Hatch already has them as they are."""
    from lp_pipeline.cli.execute import show_progress
    from lp_pipeline.runs.deliver_since import deliver_since, would_deliver

    settings = account_settings()
    moment = settings.instant_of(since)
    if moment > settings.now():
        now = settings.now().astimezone(settings.zone)
        raise click.ClickException(
            f"{since:%Y-%m-%d %H:%M} is in the future (it is {now:%Y-%m-%d %H:%M}); nothing was sent. Give --since a "
            "time that has passed."
        )
    if dry_run:
        click.echo_via_pager(would_deliver(settings, moment))
    else:
        click.echo(deliver_since(settings, moment, show_progress))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8766, show_default=True, help="Port to listen on.")
def inbox(host: str, port: int) -> None:
    """Accept communications over HTTP until Ctrl-C (needs COMMUNICATIONS_FROM=inbox and INBOX_SECRET).

    With several accounts it serves all that have their folder here, at /communications/ACCOUNT, each with its own
    secret; with --account that one alone, at /communications.
    """
    from lp_pipeline.communications.inbox_server import serve_all_inboxes, serve_inbox

    if accounts_file() and not os.environ.get(ACCOUNT_SETTING):
        serve_all_inboxes(host, port, console(), _reporter())
        return
    account_settings()
    serve_inbox(load_settings, host, port, console())


def _reporter() -> Callable[[str], object]:
    """On the hosts of a fleet, the sensor is elsewhere: Dagster's storage carries the news to it."""
    if not os.environ.get(FLEET):
        return bool
    from lp_pipeline.orchestration.account_events import reporter

    return reporter(str(dagster_home()))


@click.command("recovered")
@click.option("--since", type=SINCE, required=True, help="When that copy was made (in LeadPerfection's time zone).")
def recovered_command(since: datetime) -> None:
    """Prevent double pushes after restoring an older copy of the data folder.

    Run this before the next push. The restored ledger does not know what was pushed after the copy was made. So each
    push that may have been sent is first looked up in LeadPerfection, by the mark in its note (call logs: by date and
    phone), and is not sent again if it is there. This also applies to communications that arrive again later, if they
    occurred before now. Production notes, and call logs over 6 days old, can't be looked up: they become uncertain,
    see `lp-pipeline pushes`. Whatever the inbox received after the copy was made is missing: ask Hatch to resend it.
    """
    from lp_pipeline.communications.manual import recovered
    from lp_pipeline.storage.outbox import Outbox

    settings = account_settings()
    with Outbox(settings.data) as outbox:
        number = recovered(outbox, settings, settings.instant_of(since)).total()
    click.echo(
        f"{_pushes(number)} will be looked up in LeadPerfection before sending, and so will messages that arrive again."
    )


COMMANDS = (push, pushes, deliver, inbox, recovered_command)
