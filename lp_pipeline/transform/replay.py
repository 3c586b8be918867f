"""`lp-pipeline replay`: rebuilds the opportunities from the stored readings and compares them with the live ones
(SPEC E4). It repeats the merge log's entries with the merge's own SQL; no rules live here.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import check_warehouse
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import Turn
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline.storage.warehouse import Warehouse, bound, rows_of, run, set_variables
from lp_pipeline.transform.held import ACCEPTING
from lp_pipeline.transform.merge import MERGING, STAGING, Step, due, run_steps

SCRATCH = "replay.scratch"
MISTAKES = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)  # in edited SQL
Progress = Callable[[int, int], None]


@dataclass
class ReplayReport:
    """The differences between the live and the replayed opportunities."""

    done_again: int = 0
    counts: dict[str, int] = field(default_factory=dict)  # differences by column
    rows: list[tuple[Any, ...]] = field(default_factory=list)  # the first 200: key, column, live value, replayed value
    adopted: int | None = None  # number of opportunities replaced; None if not adopted


def replay(
    settings: Settings,
    *,
    adopt: bool = False,
    scratch: Path | None = None,
    on_progress: Progress = lambda _done, _all: None,
) -> ReplayReport:
    """Rebuild in a temporary folder under `scratch` (default: the data folder) and compare with the live data.

    With `adopt`, the replayed state replaces the live one. Syncs can run meanwhile. Raises `WarehouseError`,
    `SettingsError`.
    """
    live = Warehouse(settings.data)
    if not live.work.exists():
        raise WarehouseError(f"There is nothing to replay: {live.work} does not exist. Run `lp-pipeline sync` first.")
    with Turn(settings.data, "replay"), _folder((scratch or settings.data) / SCRATCH) as folder:
        replayed = _Replayed(Warehouse(folder), on_progress)
        with Turn(settings.data, who="`lp-pipeline replay`"):
            check_warehouse(live, settings)
            live.copy(replayed.live)
        replayed.catch_up()
        if adopt:
            with Turn(settings.data, who="`lp-pipeline replay`"):
                live.copy(replayed.live)  # syncs may have run since
                replayed.catch_up()
                replayed.report.adopted = _adopt(settings, live, replayed.warehouse.work)
        return replayed.report


class _Replayed:
    """The rebuilt warehouse; `live` is a copy of the live one, for comparison."""

    def __init__(self, warehouse: Warehouse, on_progress: Progress) -> None:
        self.warehouse = warehouse
        self.live = warehouse.folder / "live.duckdb"
        self.report = ReplayReport()
        self._on_progress = on_progress
        self._done = 0

    def catch_up(self) -> None:
        """Repeat the log entries that were not replayed yet, then compare."""
        with self.warehouse.connection({"done": self._done, "delivering": False}) as connection:
            _attach(connection, self.live, "live")
            if find_base(connection, "live") and not self._done:
                run(connection, "replay/begin")
            number, last = run(connection, "replay/unlogged")[0]
            if number:
                raise WarehouseError(
                    f"{number} merges, the last on {last:%Y-%m-%d %H:%M} UTC, are older than the "
                    "merge log, so their state can't be rebuilt. Nothing was compared or changed."
                )
            entries = rows_of(connection, statement("replay/entries"))
            for place, entry in enumerate(entries, 1):
                connection.execute("begin")
                _do_again(connection, entry)
                connection.execute("commit")
                self._done = entry["entry_no"]
                self._on_progress(place, len(entries))
            self.report.done_again += len(entries)
            self.report.counts = dict(run(connection, "replay/difference"))
            self.report.rows = run(connection, "replay/examples")
            connection.execute("detach live")


def find_base(connection: Any, database: str) -> bool:
    """Whether a replay of the data in `database` begins with a state that was kept (SPEC K1), which the variables
    `base_at` and `base_sync` then name."""
    rows = []
    if has_snapshots(connection, database):
        rows = connection.execute(statement("replay/base").replace("live.", f"{database}.")).fetchall()
    set_variables(connection, dict(zip(("base_at", "base_sync"), rows[0] if rows else (None, None), strict=True)))
    return bool(rows)


def has_snapshots(connection: Any, database: str) -> bool:
    """Whether a database keeps states for replays to begin at (SPEC K1)."""
    return bool(bound(connection, "replay/has_snapshots", {"database": database}))


def _do_again(connection: Any, entry: dict[str, Any]) -> None:
    set_variables(connection, entry)
    steps: list[Step]
    if entry["event"] == "merge":
        run(connection, "replay/take_readings")
        steps = [*STAGING, *MERGING]
    elif entry["event"] == "rezone":
        steps = ["merge/rezone"]
    else:
        bound(connection, "held/choose", {"ids": entry["chosen"]})
        steps = list(ACCEPTING) if entry["event"] == "accept" else ["merge/drop_held"]
    for step in due(connection, steps):
        try:
            run_steps(connection, [step])
        except MISTAKES as error:  # the message is about the SQL, not about a record (R4)
            raise WarehouseError(f"{step}.sql can't be run. {error}") from None


def _adopt(settings: Settings, live: Warehouse, replayed: Path) -> int:
    """Make the replayed state live in one transaction; returns how many opportunities were replaced."""
    sync_id = begin_sync(live, settings, f"replay {uuid4()}")
    variables = {"now_at": settings.now(), "sync_id": sync_id, "delivering": settings.delivers}
    with live.connection(variables) as connection:
        _attach(connection, replayed, "replayed")
        connection.execute("begin")
        for name in ("schema/macros", "schema/ranked_opportunities"):  # these are kept in the file
            run(connection, name)
        adopted = int(run(connection, "replay/adopt")[0][0])
        note_unpublished(connection)
        connection.execute("commit")
        connection.execute("detach replayed")
    return adopted


def _attach(connection: Any, path: Path, name: str) -> None:
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as {name} (read_only)")


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """An empty folder, removed at the end; leftovers of a killed replay are removed first."""
    with readable_errors(f"use {path}"):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True, mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
