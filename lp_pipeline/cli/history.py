"""`lp-pipeline backfill`, `sweep`, `held`, `replay`: the commands about the past. They wire only."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from lp_pipeline.cli.console import account_settings, console, output_form, output_options
from lp_pipeline.cli.home import give_dagster_a_home


class Day(click.ParamType[date]):
    """A day of LeadPerfection's calendar."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """As typed, or a message."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a valid date; use YYYY-MM-DD.", param, ctx)


FOLDER = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)


@click.command()
@click.option("--from", "first", type=Day(), required=True, help="First day, by LeadPerfection's calendar.")
@click.option("--to", "last", type=Day(), required=True, help="Last day.")
def backfill(first: date, last: date) -> None:
    """Read all that changed in LeadPerfection between two days.

    Interrupted, by Ctrl-C or anything else, and started again with the same days, it resumes where it stopped.
    """
    from lp_pipeline.cli.execute import run_backfill
    from lp_pipeline.cli.render import show_summary
    from lp_pipeline.runs.backfill import backfill_window, check_alone

    settings = account_settings()
    backfill_window(settings, first, last, settings.now())  # a slip leaves no failed run in Dagster
    check_alone(settings)
    give_dagster_a_home()
    if failures := run_backfill(f"{first}", f"{last}", click.echo):
        raise click.ClickException("\n".join(failures))
    show_summary(settings, console())


@click.command()
@click.option("--full", is_flag=True, help="All history at once, without a budget of calls.")
def sweep(*, full: bool) -> None:
    """Read again what may have changed without a stamp, and show which fields did."""
    from lp_pipeline.cli.execute import run_sweep
    from lp_pipeline.cli.render import show_unannounced
    from lp_pipeline.runs.backfill import check_alone

    settings = account_settings()
    check_alone(settings)
    give_dagster_a_home()
    if failures := run_sweep(click.echo, full=full):
        raise click.ClickException("\n".join(failures))
    show_unannounced(settings, console())


@click.group(invoke_without_command=True)
@output_options
@click.pass_context
def held(context: click.Context, *, as_csv: bool, as_json: bool) -> None:
    """List the opportunities that the identity guard holds; `accept` and `drop` settle them."""
    if context.invoked_subcommand is None:
        from lp_pipeline.cli.render import show_held_opportunities

        page = console()
        form = output_form(page, as_csv=as_csv, as_json=as_json)
        show_held_opportunities(account_settings(), page, form)


@held.command()
@click.argument("cst_ids", nargs=-1)
def accept(cst_ids: tuple[str, ...]) -> None:
    """Accept what is held, of these prospects or of all, as additional opportunities."""
    from lp_pipeline.transform.held import settle_held

    _report(settle_held(account_settings(), "accept", cst_ids), cst_ids, "accepted")


@held.command()
@click.argument("cst_ids", nargs=-1)
def drop(cst_ids: tuple[str, ...]) -> None:
    """Drop what is held, of these prospects or of all: it never becomes an opportunity."""
    from lp_pipeline.transform.held import settle_held

    _report(settle_held(account_settings(), "drop", cst_ids), cst_ids, "dropped")


def _report(settled: Sequence[str], chosen: Sequence[str], outcome: str) -> None:
    """How many were settled; exit code 1 if none was, or none of some chosen prospect."""
    if settled:
        noun = "opportunity is" if len(settled) == 1 else "opportunities are"
        click.echo(f"{len(settled)} {noun} {outcome}. The next sync publishes this.")
    if missed := [each for each in dict.fromkeys(chosen) if each not in settled]:
        rest = "those are as they were" if settled else "nothing changed"
        raise click.ClickException(f"No opportunity of {', '.join(missed)} is held; {rest}. See `lp-pipeline held`.")
    if not settled:
        raise click.ClickException("No opportunity is held; nothing changed.")


@click.command()
@click.option("--adopt", is_flag=True, help="Make the rebuilt opportunities live; the next sync publishes them.")
@click.option("--sql", type=FOLDER, help="Take the statements from this folder, a copy of sql/, instead.")
@click.option("--scratch", type=FOLDER, help="Rebuild in this folder instead of the data folder; it is tidied up.")
def replay(*, adopt: bool, sql: Path | None, scratch: Path | None) -> None:
    """Rebuild the opportunities from the stored readings and show where they differ from the live ones.

    Every merge is done again, in order, under the settings of its sync. As long as sql/ is what the data was merged
    with, there is no difference. After a change of sql/, it shows the opportunities that the change is about. Exit
    code 1 if there is a difference. Needs room for twice the size of work.duckdb; syncs continue meanwhile.
    """
    from lp_pipeline.cli.execute import run_replay
    from lp_pipeline.cli.render import show_difference

    if adopt and sql:
        raise click.UsageError("What is adopted has to come from sql/ itself: the next sync uses that.")
    if sql and not (sql / "staging").is_dir():
        raise click.UsageError(f"{sql} is no copy of sql/: it has no folder staging.")
    settings = account_settings()
    report = run_replay(settings, adopt=adopt, sql=sql, scratch=scratch)
    show_difference(report, console())
    if report.counts and not adopt:
        raise click.exceptions.Exit(1)


COMMANDS = (backfill, sweep, held, replay)
