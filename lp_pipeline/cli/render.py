"""Showing things to a person: the status page, one query, a small shell, out of `published.duckdb`; the ledger of
pushes as it stands, out of the outbox."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from lp_pipeline.communications.manual import Choice, held
from lp_pipeline.errors import WarehouseError
from lp_pipeline.package_data import package_data
from lp_pipeline.settings import REPOSITORY, Settings, settings_file
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.warehouse import HOLDER, Warehouse, first_row
from lp_pipeline.transform.replay import ReplayReport

MOST_ROWS = 200
COUNTS = """
select
    (select count(*) from prospects) as prospects,
    (select count(*) from leads) as leads,
    (select count(*) from opportunities) as opportunities,
    (select count(*) from current_opportunities) as contacts,
    (select count(*) from rejected_records) as rejected,
    (select count(*) from held_opportunities where state = 'held') as held_for_a_person,
    (select count(*) from opportunity_changes
        where sync_id = (select max(sync_id) from opportunity_changes)) as changes_by_the_last_sync,
    (select count(*) from hatch_deliveries where state = 'delivered') as delivered_to_hatch,
    (select count(*) from communications) as communications_from_hatch
"""
LATEST = """
select
    external_contact_id as contact, external_id as lead, first_name, last_name, phone, status, combination,
    external_updated_at as updated
from current_opportunities
order by external_updated_at desc, external_contact_id
limit 10
"""


@contextmanager
def _published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    path = Warehouse(settings.data).published
    if not path.exists():
        raise WarehouseError(f"Nothing is published yet: {path} does not exist. Run `lp-pipeline sync` first.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        raise WarehouseError(f"Could not open {path}: {_why_closed(str(error))}") from None
    try:
        connection.execute("set timezone = $zone", {"zone": settings.lp_timezone})
        yield connection
    finally:
        connection.close()


def _why_closed(text: str) -> str:
    if holder := HOLDER.search(text):
        return (
            f"process {holder.group(1)} has it open for writing. End that program, or run `lp-pipeline sync`, which "
            "puts a new copy in its place."
        )
    if "permission denied" in text.lower():
        return "you may not read it. Run this as the owner of the data folder; `lp-pipeline sync` builds a new copy."
    return "it is not as the last sync left it. Run `lp-pipeline sync`: it builds a new copy."


def show_status(settings: Settings, console: Console) -> None:
    """How fresh the data is, the counts, ten opportunities, and what to do next."""
    with _published(settings) as connection:
        published_at, sync_id = connection.execute("select published_at, sync_id from published").fetchall()[0]
        counts = first_row(connection, COUNTS)
        latest = connection.execute(LATEST)
        console.print(
            f"\n[bold]Published[/] {published_at:%Y-%m-%d %H:%M:%S %Z}, after sync {sync_id}, in {settings.data}"
        )
        for name, count in counts.items():
            console.print(f"  {count:>8,}  {name.replace('_', ' ')}")
        console.print("\n[bold]Ten contacts that changed last[/]")
        console.print(_table(latest))
    show_pushes(settings, console)
    console.print("\n[bold]Next[/]")
    for command, purpose in _next(settings):
        console.print(f"  {command:<44} {purpose}", markup=False, highlight=False)


def _next(settings: Settings) -> Iterator[tuple[str, str]]:
    """What to type next, and what for: as in a checkout, or as with an installed wheel."""
    checkout = package_data("sql") == REPOSITORY / "sql"
    yield (
        "make dev" if checkout else "DAGSTER_HOME=$PWD/.dagster dagster dev -m lp_pipeline.definitions",
        "the Dagster UI, with a sync every 15 minutes",
    )
    yield (
        ".venv/bin/lp-pipeline sql" if checkout else "lp-pipeline sql",
        "ask the data (DESCRIBE opportunities; see sql/analysis/)",
    )
    if not settings.lp_api_url:
        paths = (package_data("lp_pipeline.env.example"), settings_file())
        shortest = (min(str(path), os.path.relpath(path), key=len) for path in paths)
        yield shlex.join(["cp", *shortest]), "your own LeadPerfection"


def show_pushes(settings: Settings, console: Console) -> None:
    """How the ledger of pushes stands: targets, states, counts."""
    with Outbox(settings.data) as outbox:
        rows = outbox.rows("count_pushes")
        stops = outbox.rows("stops")
    if not rows:
        return
    console.print(
        "\n[bold]What was said in Hatch, on its way into LeadPerfection[/] (as it stands; SQL shows it from the next "
        "publication on)"
    )
    table = Table("target", "state", "reason", Column("pushes", justify="right"))
    for row in rows:
        table.add_row(row["target"], row["state"], row["reason"], f"{row['number']:,}")
    console.print(table)
    for row in stops:
        console.print(Text(f"{row['target'] or 'all targets'}: {row['why']}", style="yellow"))


UNANNOUNCED = """
select field, count(*) as changes, max(found_at) as last_found
from unannounced_changes
group by field
order by changes desc
"""


def show_unannounced(settings: Settings, console: Console) -> None:
    """The changes that LeadPerfection had not announced, by field."""
    console.print("[bold]Changes that LeadPerfection had not announced, of all sweeps so far[/]")
    ask(settings, UNANNOUNCED, console)


def show_difference(report: ReplayReport, console: Console) -> None:
    """What a replay found (SPEC E4)."""
    if not report.counts:
        console.print(f"{report.done_again:,} merges and settlements done again: no difference.")
    else:
        total = sum(report.counts.values())
        names = ("external_contact_id", "external_id", "external_created_local", "column", "live", "replayed")
        table = Table(*names, caption=f"the first {len(report.rows)} of {total}" if total > len(report.rows) else None)
        for row in report.rows:
            table.add_row(*["" if value is None else Text(_shown(value)) for value in row])
        console.print(table)
        counts = ", ".join(f"{name} {number:,}" for name, number in report.counts.items())
        console.print(f"{report.done_again:,} merges and settlements done again. Differences: {counts}.")
    if report.adopted is not None:
        console.print(f"Adopted: {report.adopted:,} opportunities are replaced. The next sync publishes them.")


def show_held(settings: Settings, state: str | None, reason: str | None, console: Console) -> None:
    """The pushes that wait for a person, or those of a state."""
    with Outbox(settings.data) as outbox:
        rows = held(outbox, Choice(state=state, reason=reason))
    if not rows:
        console.print(f"No push is {state or 'uncertain, unmatched or failed'}.")
        return
    names = ("communication_id", "target", "state", "reason", "attempts", "external_contact_id", "occurred_at", "words")
    table = Table(*names, caption=f"the first {MOST_ROWS} of {len(rows)}" if len(rows) > MOST_ROWS else None)
    for row in rows[:MOST_ROWS]:
        table.add_row(*[Text("" if row[name] is None else str(row[name])[:200]) for name in names])
    console.print(table)
    console.print("Settle them: lp-pipeline pushes sent|again|drop ID …, or pushes assign ID CST_ID")


def ask(settings: Settings, query: str, console: Console) -> None:
    """Run one query and show its rows; a mistake in it is told in DuckDB's words."""
    with _published(settings) as connection:
        try:
            console.print(_table(connection.execute(query)))
        except duckdb.Error as error:
            raise WarehouseError(str(error)) from None


def shell(settings: Settings, console: Console) -> None:
    """Ask line by line; a query ends with a semicolon. Each opens the newest publication."""
    console.print(
        f"[dim]{Warehouse(settings.data).published}, read-only. End a query with ; and the session with .quit"
    )
    query = ""
    while True:
        try:
            line = console.input("sql> " if not query else "...> ", markup=False)
        except (EOFError, KeyboardInterrupt):
            return
        if line.strip() in (".quit", ".exit", "quit", "exit"):
            return
        query += line + "\n"
        if query.strip().endswith(";"):
            try:
                ask(settings, query, console)
            except WarehouseError as error:
                console.print(Text(str(error), style="red"))
            query = ""


def _table(result: Any) -> Table:
    columns = [column[0] for column in result.description or []]
    rows = result.fetchmany(MOST_ROWS + 1)
    more = len(rows) > MOST_ROWS
    table = Table(caption=f"the first {MOST_ROWS} rows" if more else None)
    for name in columns:
        table.add_column(Text(name))
    for row in rows[:MOST_ROWS]:
        table.add_row(*["" if value is None else Text(_shown(value)) for value in row])
    return table


def _shown(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}" if hasattr(value, "hour") else str(value)
