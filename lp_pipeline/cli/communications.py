"""`lp-pipeline push`, `pushes`, `deliver`, `inbox`, `recovered`: the commands about Hatch. They wire only."""

from datetime import UTC, datetime

import click

from lp_pipeline.cli.console import console, give_dagster_a_home
from lp_pipeline.communications.targets import TARGETS
from lp_pipeline.settings import load_settings

SINCE = click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"))
CHOOSING = (
    click.argument("communication_ids", nargs=-1),
    click.option("--target", type=click.Choice(TARGETS), help="Only this target."),
    click.option("--state", help="All in this state, such as skipped, failed, unmatched."),
    click.option("--reason", help="All with this reason, such as switched_off, before_start."),
    click.option("--since", type=SINCE, help="Only communications since then (LeadPerfection's wall clock)."),
)


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be written, where, word for word. Writes nothing.")
@click.option("--notes/--no-notes", "push_to_notes", default=None, help="This run's PUSH_TO_NOTES.")
@click.option("--call-logs/--no-call-logs", "push_to_call_logs", default=None, help="This run's PUSH_TO_CALL_LOGS.")
@click.option(
    "--production-notes/--no-production-notes",
    "push_to_production_notes",
    default=None,
    help="This run's PUSH_TO_PRODUCTION_NOTES.",
)
def push(*, dry_run: bool, **overrides: bool | None) -> None:
    """Push what was said in Hatch into LeadPerfection, once."""
    from lp_pipeline.cli.execute import rehearse_push, run_push
    from lp_pipeline.cli.render import show_pushes

    settings = load_settings()
    if dry_run:
        console().print(rehearse_push(settings, overrides), markup=False, highlight=False)
        return
    give_dagster_a_home()
    if failures := run_push(overrides):
        raise click.ClickException("\n".join(failures))
    show_pushes(settings, console())


@click.group(invoke_without_command=True)
@click.option("--state", help="Those in this state instead, such as pending, sending, skipped.")
@click.option("--reason", help="Only those with this reason.")
@click.pass_context
def pushes(context: click.Context, state: str | None, reason: str | None) -> None:
    """List the pushes that are uncertain, unmatched or failed; the commands below settle them."""
    if context.invoked_subcommand is None:
        from lp_pipeline.cli.render import show_held

        show_held(load_settings(), state, reason, console())


def _verdict(name: str, words: str) -> click.Command:
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

        settings = load_settings()
        moment = since.replace(tzinfo=settings.zone) if since else None
        with Outbox(settings.data) as outbox:
            chosen = settle(outbox, settings, name, Choice(communication_ids, target, state, reason, moment))  # type: ignore[arg-type]
        click.echo(f"{chosen.total()} pushes: {words}")
        off = sorted(set(chosen) - set(targets_on(settings)))
        if name == "again" and off:
            click.echo(f"{' and '.join(off)} {'is' if len(off) == 1 else 'are'} switched off: they go when that is on.")

    for parameter in reversed(CHOOSING):
        command = parameter(command)
    return click.command(name, help=f"The pushes chosen: {words}")(command)


pushes.add_command(_verdict("sent", "LeadPerfection has them; they are not pushed any more."))
pushes.add_command(_verdict("again", "they are pushed (again) at the next push."))
pushes.add_command(_verdict("drop", "they are never pushed."))


@pushes.command("takeover")
def takeover_command() -> None:
    """From now on this data folder pushes for the account, and no other one on this machine.

    What the other folder may have sent is looked up in LeadPerfection before anything is sent.
    """
    from lp_pipeline.communications.ownership import take_over
    from lp_pipeline.storage.outbox import Outbox, recognise

    settings = load_settings()
    with Outbox(settings.data) as outbox:
        recognise(outbox, settings)
        number = take_over(outbox, settings).total()
    click.echo(f"{settings.data} now pushes for this account. {number} pushes will be looked up before they are sent.")


@pushes.command("assign")
@click.argument("communication_id")
@click.argument("cst_id")
def assign_command(communication_id: str, cst_id: str) -> None:
    """COMMUNICATION_ID is about the prospect CST_ID: push it there."""
    from lp_pipeline.communications.manual import assign
    from lp_pipeline.storage.outbox import Outbox

    settings = load_settings()
    with Outbox(settings.data) as outbox:
        number = assign(outbox, settings, communication_id, cst_id).total()
    click.echo(f"{number} pushes go to prospect {cst_id} at the next push.")


@click.command()
@click.option("--since", type=SINCE, required=True, help="What changed since then (LeadPerfection's wall clock).")
def deliver(since: datetime) -> None:
    """Send to Hatch what it does not know yet of the opportunities that changed since then."""
    from lp_pipeline.runs.deliver_since import deliver_since

    settings = load_settings()
    click.echo(deliver_since(settings, since.replace(tzinfo=settings.zone).astimezone(UTC), console()))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8766, show_default=True, help="Port to listen on.")
def inbox(host: str, port: int) -> None:
    """Take communications by HTTP until Ctrl-C (needs COMMUNICATIONS_FROM=inbox and INBOX_SECRET)."""
    from lp_pipeline.communications.inbox import serve_inbox

    serve_inbox(load_settings, host, port, console())


@click.command("recovered")
@click.option("--since", type=SINCE, required=True, help="When that copy was made (LeadPerfection's wall clock).")
def recovered_command(since: datetime) -> None:
    """Say that an older copy of the data folder was restored: nothing is pushed twice.

    Do it before the next push. The ledger does not know what was pushed after the copy was made, so LeadPerfection is
    read for the mark of each such push (for a call log: its date and phone) before it is sent: what is found is sent
    already. That also goes for what lands again later, if it occurred before now. Production notes, and call logs
    over 6 days old, can't be looked for: they are uncertain, see `lp-pipeline pushes`. What had come in through the
    inbox since the copy was made is not in it: ask Hatch to send that again.
    """
    from lp_pipeline.communications.manual import recovered
    from lp_pipeline.storage.outbox import Outbox

    settings = load_settings()
    with Outbox(settings.data) as outbox:
        number = recovered(outbox, settings, since.replace(tzinfo=settings.zone)).total()
    click.echo(f"{number} pushes are looked for in LeadPerfection before they are sent, and so is what lands again.")


COMMANDS = (push, pushes, deliver, inbox, recovered_command)
