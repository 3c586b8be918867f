"""`lp-pipeline backfill`, `sweep`, `held`: the commands about the past. They wire; the work is done elsewhere."""

from datetime import datetime

import click

from lp_pipeline.settings import load_settings
from lp_pipeline.terminal import console, give_dagster_a_home

DAY = click.DateTime(("%Y-%m-%d",))


@click.command()
@click.option("--from", "first", type=DAY, required=True, help="First day, by LeadPerfection's calendar.")
@click.option("--to", "last", type=DAY, required=True, help="Last day.")
def backfill(first: datetime, last: datetime) -> None:
    """Read all that changed in LeadPerfection between two days. Started again, it goes on where it stopped."""
    from lp_pipeline.running import run_backfill
    from lp_pipeline.showing import show_status

    settings = load_settings()
    give_dagster_a_home()
    if failures := run_backfill(f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"):
        raise click.ClickException("\n".join(failures))
    show_status(settings, console())


@click.command()
@click.option("--full", is_flag=True, help="All history at once, without a budget of calls.")
def sweep(*, full: bool) -> None:
    """Read again what may have changed without a stamp, and show which fields did."""
    from lp_pipeline.running import run_sweep
    from lp_pipeline.showing import show_unannounced

    settings = load_settings()
    give_dagster_a_home()
    if failures := run_sweep(full=full):
        raise click.ClickException("\n".join(failures))
    show_unannounced(settings, console())


@click.group(invoke_without_command=True)
@click.pass_context
def held(context: click.Context) -> None:
    """List the opportunities that the identity guard holds; `accept` and `drop` settle them."""
    if context.invoked_subcommand is None:
        from lp_pipeline.showing import ask

        ask(load_settings(), HELD, console())


HELD = """
select external_contact_id, external_id, known_created_local as known_as, external_created_local as shown_as, held_at
from held_opportunities where state = 'held' order by all
"""


@held.command()
@click.argument("cst_ids", nargs=-1)
def accept(cst_ids: tuple[str, ...]) -> None:
    """What is held (of these prospects, or all) becomes additional opportunities."""
    from lp_pipeline.holding import settle_held

    number = settle_held(load_settings(), "accept", cst_ids)
    click.echo(f"{number} opportunities are accepted. The next sync publishes them.")


@held.command()
@click.argument("cst_ids", nargs=-1)
def drop(cst_ids: tuple[str, ...]) -> None:
    """What is held (of these prospects, or all) never becomes an opportunity."""
    from lp_pipeline.holding import settle_held

    number = settle_held(load_settings(), "drop", cst_ids)
    click.echo(f"{number} opportunities are dropped. The next sync publishes that.")


COMMANDS = (backfill, sweep, held)
