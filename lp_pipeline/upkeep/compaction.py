"""When a file is written anew without the room that deleted and replaced rows left in it: `work.duckdb` once it has
doubled, SQLite's files once they are mostly free. Each is whole at any instant, whenever this is killed.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.warehouse import Warehouse

GROWN = 2.0  # times what it was when it was last compact; beyond that it is worth a copy
SMALL = 8_000_000  # bytes; a smaller file is left as it is
COMPACT = "compact_bytes"  # what the outbox remembers: the size of work.duckdb when it was last compact
VACUUM_SECONDS = 5.0  # for others to let go of a file; nothing is urgent


def is_grown(warehouse: Warehouse, outbox: Outbox) -> bool:
    """Whether `work.duckdb` has at least doubled since it was last compact (DuckDB can't tell how full a file is)."""
    if not warehouse.work.exists():
        return False
    return warehouse.work.stat().st_size > max(SMALL, GROWN * int(outbox.fact(COMPACT) or 0))


def compact(warehouse: Warehouse, outbox: Outbox) -> None:
    """Replace `work.duckdb` by a compact copy of itself; for whoever has the turn. Raises `WarehouseError`."""
    warehouse.rewrite()
    outbox.keep(COMPACT, str(warehouse.work.stat().st_size))


def vacuum(path: Path, *, seconds: float = VACUUM_SECONDS) -> None:
    """Shrink a SQLite file of which more than half is free; one that is in use is left for another time."""
    if not path.exists():
        return
    with (
        readable_errors(f"make {path} compact"),
        closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as connection,
    ):
        ((pages,), (free,), (page,)) = (
            connection.execute(f"pragma {name}").fetchone() for name in ("page_count", "freelist_count", "page_size")
        )
        if pages * page <= SMALL or 2 * free <= pages:
            return
        with suppress(sqlite3.OperationalError):
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()


def clear_leftovers(warehouse: Warehouse) -> None:
    """Remove what killed processes left: half a copy, spilled rows. For whoever has the turn."""
    for path in warehouse.folder.glob(f".{warehouse.work.name}.*"):
        path.unlink(missing_ok=True)
    shutil.rmtree(warehouse.folder / "spill", ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
