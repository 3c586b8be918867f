"""`published.duckdb`: the read-only copy for people, replaced whole (SPEC Q1).

What is in it is SQL (`sql/publish/`); when it is replaced is decided here. The file itself: `public_file.py`.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from lp_pipeline.settings import Settings
from lp_pipeline.storage import public_file
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import briefly
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import SCHEMA_VERSION, STORAGE_VERSION, Warehouse, bound, first_row, rows_of, run

AT_LEAST_EVERY = timedelta(hours=1)
AT_MOST_EVERY_SECONDS = 60.0
OUTBOX_TABLES = ("raw_communications", "rejected_communications", "communication_pushes", "hatch_deliveries")
DERIVED = ("communications", "raw", "records", "opportunities", "copies", "views", "published", "comments")
ROWS_AT_ONCE = 50_000

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Publication:
    """Whether people got a new copy, why (not), and what is in it: counts, and a row for each frequent status."""

    published: bool
    reason: str
    counts: dict[str, int]
    by_status: list[dict[str, Any]] = field(default_factory=list)


def publish(
    warehouse: Warehouse,
    *,
    outbox: Outbox,
    now: datetime,
    zone: str,
    group: str | None = None,
    force: bool = False,
) -> Publication:
    """Replace the published copy if something changed or it is an hour old; `force` asks for it where only the
    ledger changed. One that is not as it was left, or that somebody holds for writing, is replaced at once.

    Waits until the last copy is a minute old. Raises `WarehouseError`; the old copy then stays.
    """
    with warehouse.connection() as connection:
        state = run(connection, "publish/state")
    published_at, changed, known_revision = state[0] if state else (None, False, None)
    revision = outbox.revision
    changed = changed or revision != (known_revision or 0)
    since = public_file.standing_since(warehouse.published)
    if published_at and since is not None:
        age = abs(now - published_at)  # a clock that was set back must not put it off
        wait = wait_before(time.time() - since, age.total_seconds())
        if not changed and (wait or not force) and age < AT_LEAST_EVERY:
            return Publication(False, "nothing changed since the last publication", {})
        time.sleep(wait)
    draft = _draft(warehouse)
    with readable_errors(f"publish {warehouse.published}"):
        try:
            _clear_drafts(warehouse.folder)
            counts, by_status = _write(warehouse, outbox, draft, now=now, zone=zone)
            public_file.replace(draft, warehouse.published, group)
        finally:
            _clear_drafts(warehouse.folder)
    with warehouse.transaction({"now_at": now, "revision": revision}) as connection:
        run(connection, "publish/note_published")
    return Publication(
        True,
        "something changed" if changed else "the last copy was not as it was left, an hour old, or a feed failed",
        counts,
        by_status,
    )


def wait_before(real_age: float, pipeline_age: float) -> float:
    """Seconds until the last copy is a minute old, by the pipeline's clock or, if that doesn't move, by the
    real one; both ages in seconds, whichever way a clock was set."""
    return max(0.0, AT_MOST_EVERY_SECONDS - max(abs(real_age), abs(pipeline_age)))


def ask(outbox: Outbox, settings: Settings, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer | None:
    """What the published data answers to a question of the pipeline's own; None if nothing was ever read.

    A file that is missing, held for writing or not as it was left is not asked, nor waited for: the same is then built
    for this question alone, as soon as no sync is running. Raises `WarehouseError`.
    """
    warehouse = Warehouse(settings.data)
    if public_file.standing_since(warehouse.published) is not None:
        try:
            return _asked(warehouse.published, question)
        except duckdb.Error:  # held or changed since we looked, or damaged where that doesn't show
            pass
    if not warehouse.work.exists():  # lost, or nothing was read yet: what there is must do
        if not warehouse.published.exists():
            return None
        with readable_errors(f"read {warehouse.published}", if_damaged="The next sync makes it again."):
            return _asked(warehouse.published, question)
    with briefly(settings.data), readable_errors(f"read {warehouse.work}"):
        draft = _draft(warehouse)
        try:
            _clear_drafts(warehouse.folder)
            _write(warehouse, outbox, draft, now=settings.now(), zone=settings.lp_timezone)
            return _asked(draft, question)
        finally:
            _clear_drafts(warehouse.folder)


def _asked(file: Path, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
    with duckdb.connect(str(file), read_only=True) as connection:
        return question(connection)


def _draft(warehouse: Warehouse) -> Path:
    return warehouse.folder / f".{warehouse.published.name}.{os.getpid()}"


def _clear_drafts(folder: Path) -> None:
    """Nothing of a draft stays behind, not even of a run that was killed while it wrote one."""
    for left in folder.glob(".published.duckdb.*"):
        left.unlink(missing_ok=True)


def _write(
    warehouse: Warehouse, outbox: Outbox, draft: Path, *, now: datetime, zone: str
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    variables = {"now_at": now, "zone": zone, "schema_version": SCHEMA_VERSION}
    with warehouse.connection(variables) as connection:
        path = str(draft).replace("'", "''")
        connection.execute(f"attach '{path}' as draft (storage_version '{STORAGE_VERSION}')")
        draft.chmod(0o600)
        connection.execute("use draft")
        connection.execute("begin")  # or each of the hundreds of comments would wait for the disk
        run(connection, "publish/tables")
        for name in OUTBOX_TABLES:
            _copy(connection, outbox.rows(f"published_{name}"), name)
        for name in DERIVED:
            run(connection, f"publish/{name}")
        row = first_row(connection, "from published")
        by_status = rows_of(connection, statement("status/opportunities_by_status"))
        connection.execute("commit")
        connection.execute("use work")
        connection.execute("detach draft")
        counts = {name: row[name] for name in ("opportunities", "gone_opportunities", "rejected_records")}
        return counts, by_status


def _copy(connection: duckdb.DuckDBPyConnection, rows: list[Row], name: str) -> None:
    """Append an outbox query's rows with `sql/publish/<name>.sql`, which takes a list of values for each column."""
    columns = rows[0].keys() if rows else []
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[begin : begin + ROWS_AT_ONCE]
        bound(connection, f"publish/{name}", {column: [row[column] for row in some] for column in columns})


def note_unpublished(connection: Any) -> None:
    """Remember that people have not seen everything yet (SPEC Q1)."""
    run(connection, "publish/note_unpublished")
