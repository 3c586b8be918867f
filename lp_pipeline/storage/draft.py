"""The next `published.duckdb`, before it takes the name: the last one brought up to date, or all built anew (SPEC Q1).

What is in it is SQL (`sql/publish/`). When it is published: `publish.py`.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from lp_pipeline.errors import OutOfMemory
from lp_pipeline.storage import public_file
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import SCHEMA_VERSION, STORAGE, Warehouse, bound, first_row, rows_of, run, with_room

OUTBOX_TABLES = ("raw_communications", "rejected_communications", "communication_pushes", "hatch_deliveries")
BY_CONTACT = ("raw", "records", "opportunities")
ROWS_AT_ONCE = 50_000
CONTACTS_AT_ONCE = 15_000


@dataclass(frozen=True)
class Written:
    """What is in a draft: counts of tables, a row for each frequent status, speed to lead; `rebuilt` if it was built
    anew."""

    counts: dict[str, int]
    by_status: list[dict[str, Any]]
    speed: dict[str, Any]
    rebuilt: bool


@contextmanager
def draft_of(warehouse: Warehouse) -> Iterator[Path]:
    """Where a draft may be written; nothing of it stays behind, not even of a run that was killed meanwhile."""
    _clear(warehouse.folder)
    try:
        yield warehouse.folder / f".{warehouse.published.name}.{os.getpid()}"
    finally:
        _clear(warehouse.folder)


def update_or_build(warehouse: Warehouse, outbox: Outbox, draft: Path, *, now: datetime, zone: str) -> Written:
    """Write the draft: the published file with the contacts that changed since, if it is as it was left."""
    if public_file.standing_since(warehouse.published) is not None:
        shutil.copyfile(warehouse.published, draft)
        draft.chmod(0o600)
        # a client that wrote into it meanwhile may have spoiled the copy
        with suppress(OutOfMemory):  # a huge record among the changed ones
            if public_file.standing_since(warehouse.published) is not None and (
                updated := _update(warehouse, outbox, draft, now=now, zone=zone)
            ):
                return updated
        draft.unlink()
    return build(warehouse, outbox, draft, now=now, zone=zone)


def build(
    warehouse: Warehouse, outbox: Outbox, draft: Path, *, now: datetime, zone: str, at_once: int = CONTACTS_AT_ONCE
) -> Written:
    """Write the draft from nothing, so many contacts `at_once`."""

    def whole() -> Written:
        draft.unlink(missing_ok=True)
        return _build(warehouse, outbox, draft, now=now, zone=zone, at_once=at_once)

    return with_room(whole)


def _build(warehouse: Warehouse, outbox: Outbox, draft: Path, *, now: datetime, zone: str, at_once: int) -> Written:
    with _open(warehouse, draft, now=now, zone=zone) as connection:
        run(connection, "publish/tables")
        run(connection, "publish/choose_all")
        _fill(connection, outbox, at_once)
        run(connection, "publish/views")
        run(connection, "publish/published")
        run(connection, "publish/comments")
        return _written(connection, rebuilt=True)


def _update(warehouse: Warehouse, outbox: Outbox, draft: Path, *, now: datetime, zone: str) -> Written | None:
    """Bring a copy of the published file up to date; None if it has to be built anew."""
    with _open(warehouse, draft, now=now, zone=zone) as connection:
        ((fits,),) = run(connection, "publish/fits", {"revision": outbox.revision})
        if not fits:
            return None
        run(connection, "publish/choose_changed")
        run(connection, "publish/forget_chosen")
        _fill(connection, outbox)
        ((whole,),) = run(connection, "publish/is_whole")
        if not whole:
            return None
        run(connection, "publish/published")
        return _written(connection, rebuilt=False)


def _fill(connection: duckdb.DuckDBPyConnection, outbox: Outbox, at_once: int = CONTACTS_AT_ONCE) -> None:
    for (number,) in run(connection, "publish/slices", {"at_once": at_once}):
        if number:  # DuckDB keeps the temporary tables of the slices before until their transaction ends
            connection.execute("commit")
            connection.execute("begin")
        for name in BY_CONTACT:
            run(connection, f"publish/{name}", {"slice": number})
    run(connection, "publish/by_contact")
    if run(connection, "publish/outbox_changed")[0][0]:
        run(connection, "publish/forget_outbox")
        for name in OUTBOX_TABLES:
            _copy(connection, outbox.rows(f"published_{name}"), name)
        run(connection, "publish/communications")
    run(connection, "publish/copies")


@contextmanager
def _open(warehouse: Warehouse, draft: Path, *, now: datetime, zone: str) -> Iterator[duckdb.DuckDBPyConnection]:
    variables = {"now_at": now, "zone": zone, "schema_version": SCHEMA_VERSION}
    with warehouse.connection(variables) as connection:
        path = str(draft).replace("'", "''")
        connection.execute(f"attach '{path}' as draft ({STORAGE})")
        draft.chmod(0o600)
        connection.execute("use draft")
        connection.execute("begin")  # or each of the hundreds of comments would wait for the disk
        yield connection
        connection.execute("commit")
        connection.execute("use work")
        connection.execute("checkpoint draft")
        connection.execute("detach draft")


def _written(connection: duckdb.DuckDBPyConnection, *, rebuilt: bool) -> Written:
    row = first_row(connection, "from published")
    counts = {name: row[name] for name in ("opportunities", "gone_opportunities", "rejected_records")}
    by_status = rows_of(connection, statement("status/opportunities_by_status"))
    return Written(counts, by_status, first_row(connection, statement("status/speed_to_lead")), rebuilt)


def _copy(connection: duckdb.DuckDBPyConnection, rows: list[Row], name: str) -> None:
    """Append an outbox query's rows with `sql/publish/<name>.sql`, which takes a list of values for each column."""
    columns = rows[0].keys() if rows else []
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[begin : begin + ROWS_AT_ONCE]
        bound(connection, f"publish/{name}", {column: [row[column] for row in some] for column in columns})


def _clear(folder: Path) -> None:
    for left in folder.glob(".published.duckdb.*"):
        left.unlink(missing_ok=True)
