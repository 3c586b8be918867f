"""What the merges did with one prospect's readings, and why: they are done again, for this prospect alone, in memory,
with the statements of the merge itself, so that the reasons are the pipeline's own (SPEC E1, E4).
"""

from datetime import datetime
from typing import Any

import duckdb
import msgspec

from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import check_warehouse
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import briefly
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import (
    IF_DAMAGED,
    STORAGE_VERSION,
    Warehouse,
    attach,
    bound,
    rows_of,
    run,
    set_variables,
)
from lp_pipeline.transform.held import ACCEPTING
from lp_pipeline.transform.merge import MERGING, STAGING, Step, run_steps
from lp_pipeline.transform.replay import find_base, has_snapshots

WHO = "`lp-pipeline explain`"
PATIENCE_SECONDS = 20.0
IF_HELD = "Close that program: only the pipeline opens this file."


class Reading(msgspec.Struct, frozen=True):
    """A stored reading of the prospect; `kind` of sync is `sync`, `backfill` or `sweep`."""

    reading_no: int
    sync_id: int
    feed: str
    page: int
    place: int
    read_at: datetime
    digest: int
    kind: str
    lead_ids: list[str | None]
    is_unmerged: bool


class Trigger(msgspec.Struct, frozen=True):
    """What one merge found worth merging: a lead, or the prospect itself (`lead_id` is None), and in which fields."""

    sync_id: int
    merged_at: datetime
    lead_id: str | None
    reason: str
    fields: list[str]


class Past(msgspec.Struct, frozen=True):
    """What work.duckdb knows of a prospect: readings and triggers in order; `due_since` if a delivery waits."""

    readings: list[Reading] = []
    triggers: list[Trigger] = []
    due_since: datetime | None = None


def past_of(settings: Settings, contact: str) -> Past:
    """The past of one prospect. Waits for its turn, keeps it for the copying only, and writes nothing.

    Raises `WarehouseError`, and `SettingsError` if the folder holds another account's data.
    """
    warehouse = Warehouse(settings.data)
    if not warehouse.work.exists():
        return Past()
    with duckdb.connect() as connection, readable_errors(f"read {warehouse.work}", if_damaged=IF_DAMAGED):
        connection.execute("set timezone = 'UTC'")
        _create(connection, "live")
        with briefly(settings.data, WHO):
            check_warehouse(warehouse, settings)
            attach(
                connection, warehouse.work, "as work (read_only)", patience_seconds=PATIENCE_SECONDS, if_held=IF_HELD
            )
            connection.execute("use work")
            readings = [Reading(*row) for row in bound(connection, "explain/readings", {"contact": contact})]
            ((due_since,),) = bound(connection, "explain/due", {"contact": contact})
            find_base(connection, "work")
            ((unlogged, _),) = connection.execute(statement("replay/unlogged").replace("live.", "work.")).fetchall()
            run(connection, "explain/person", {"contact": contact})
            if has_snapshots(connection, "work"):
                run(connection, "explain/person_base")
            connection.execute("use live")
            connection.execute("detach work")
        return Past(readings, [] if unlogged else _triggers(connection), due_since)


def whom(settings: Settings, identity: str) -> list[tuple[str, str | None]]:
    """Whom an id belongs to that is in no published copy yet: contact and lead. Errors as `past_of`."""
    warehouse = Warehouse(settings.data)
    if not warehouse.work.exists():
        return []
    with briefly(settings.data, WHO):
        check_warehouse(warehouse, settings)
        with warehouse.connection() as connection:
            return bound(connection, "explain/whom_in_work", {"id": identity})


def _create(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute(f"attach ':memory:' as {name} (storage_version '{STORAGE_VERSION}')")
    connection.execute(f"use {name}")
    for each in ("schema/work", "schema/macros", "schema/ranked_opportunities"):
        run(connection, each)


def _triggers(connection: duckdb.DuckDBPyConnection) -> list[Trigger]:
    _create(connection, "again")
    set_variables(connection, {"done": 0, "delivering": False, "telling_fields": True})
    if find_base(connection, "live"):
        run(connection, "replay/begin")
    entries = rows_of(connection, statement("replay/entries"))
    found = []
    for entry in entries:
        set_variables(connection, entry)
        found += _merge(connection, entry, is_last=entry is entries[-1])
    return found


def _merge(connection: duckdb.DuckDBPyConnection, entry: dict[str, Any], *, is_last: bool) -> list[Trigger]:
    if entry["event"] != "merge":
        steps: dict[str, tuple[Step, ...]] = {"rezone": ("merge/rezone",), "accept": ACCEPTING}
        bound(connection, "held/choose", {"ids": entry["chosen"]})
        run_steps(connection, steps.get(entry["event"], ("merge/drop_held",)))
        return []
    run(connection, "replay/take_readings")
    run_steps(connection, STAGING)
    found = run(connection, "explain/triggered")
    if not is_last:  # nothing looks at what the last one made of it
        run_steps(connection, MERGING)
    return [Trigger(entry["sync_id"], entry["now_at"], *row) for row in found]
