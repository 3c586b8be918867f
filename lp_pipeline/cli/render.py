"""Pages for people: what a sync leads to, out of `published.duckdb`, the ledger of pushes out of the outbox, what a
replay found.

How a query's rows look: `query.py`; typing queries: `prompt.py`.
"""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from lp_pipeline.cli.console import PROGRAM, is_checkout, program_name
from lp_pipeline.cli.prompt import ask
from lp_pipeline.cli.query import results, show, visible
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.published import open_published, published_file
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import first_row
from lp_pipeline.transform.replay import ReplayReport


def show_summary(settings: Settings, console: Console) -> None:
    """How fresh the data is, the counts, ten opportunities, and what to do next."""
    with open_published(published_file(settings)) as connection:
        published_at, sync_id = connection.execute("select published_at, sync_id from published").fetchall()[0]
        counts = first_row(connection, statement("status/counts"))
        console.print(
            f"\n[bold]Published[/] {published_at:%Y-%m-%d %H:%M:%S %Z}, after sync {sync_id}, in {settings.data}"
        )
        for name, count in counts.items():
            console.print(f"  {count:>8,}  {name.replace('_', ' ').replace('hatch', 'Hatch')}")
        console.print("\n[bold]Ten contacts that changed last[/]")
        for latest in results(connection, statement("status/latest")):
            show(latest, console, folded=True)
    show_pushes(settings, console)
    console.print("\n[bold]Next[/]")
    for command, purpose in _next(settings):
        console.print(f"  {command:<44} {purpose}", markup=False, highlight=False)


def _next(settings: Settings) -> Iterator[tuple[str, str]]:
    """What to type next, and what for: as in a checkout, or as with an installed wheel."""
    checkout, program = is_checkout(), program_name()
    yield "make dev" if program == PROGRAM else f"{program} dev", "the Dagster UI, with a sync every 15 minutes"
    yield f"{program} status", "is it all right? (also with --json)"
    yield f"{program} sql", "ask the data (DESCRIBE opportunities)"
    if not settings.lp_api_url:
        yield f"{program} connect", f"your own LeadPerfection{' (docs/going-live.md)' if checkout else ''}"


def show_pushes(settings: Settings, console: Console) -> None:
    """The ledger of pushes: targets, states, counts."""
    with Outbox(settings.data) as outbox:
        rows = outbox.rows("count_pushes")
        stops = outbox.rows("stops")
    if not rows:
        return
    console.print(
        "\n[bold]Hatch communications on their way into LeadPerfection[/] (as of now; queries see it after the next "
        "publication)"
    )
    table = Table("target", "state", "reason", Column("pushes", justify="right"))
    for row in rows:
        table.add_row(row["target"], row["state"], row["reason"], f"{row['number']:,}")
    console.print(table)
    for row in stops:
        console.print(Text(f"{row['target'] or 'all targets'}: {row['why']}", style="yellow"))


def show_unannounced(settings: Settings, console: Console) -> None:
    """The changes that LeadPerfection did not announce, by field."""
    console.print("[bold]Changes that LeadPerfection did not announce, over all sweeps so far[/]")
    _show_query(settings, "status/unannounced", console, if_none="None so far.")


def show_held_opportunities(settings: Settings, console: Console, form: str) -> None:
    """The opportunities that the identity guard holds, as `page`, `csv` or `json`."""
    if form == "page":
        _show_query(settings, "status/held", console, if_none="No opportunity is held.")
    else:
        ask(settings, statement("status/held"), console, form)


def _show_query(settings: Settings, name: str, console: Console, *, if_none: str) -> None:
    with open_published(published_file(settings)) as connection:
        for result in results(connection, statement(name)):
            show(result, console, if_none=if_none, folded=True)


def show_difference(report: ReplayReport, console: Console) -> None:
    """What a replay found (SPEC E4)."""
    if not report.counts:
        console.print(f"Replayed {report.done_again:,} merges and settlements: no difference.")
    else:
        total = sum(report.counts.values())
        names = ("external_contact_id", "external_id", "external_created_local", "column", "live", "replayed")
        table = Table(*names, caption=f"the first {len(report.rows)} of {total}" if total > len(report.rows) else None)
        for row in report.rows:
            table.add_row(*["" if value is None else Text(visible(str(value))) for value in row])
        console.print(table)
        counts = ", ".join(f"{name} {number:,}" for name, number in report.counts.items())
        console.print(f"Replayed {report.done_again:,} merges and settlements. Differences: {counts}.")
    if report.adopted is not None:
        console.print(f"Adopted: replaced {report.adopted:,} opportunities. The next sync publishes them.")
