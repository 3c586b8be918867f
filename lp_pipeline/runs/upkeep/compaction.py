"""Files without the room that deleted and replaced rows left in them: `work.duckdb` and SQLite's files.

Each is whole at any instant, whenever this is killed. Which rows go is decided elsewhere.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from lp_pipeline.extract.landing import SPOOL
from lp_pipeline.settings.files import sync_folder
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import STORAGE, Warehouse

GROWN = 2.0  # times what it was when it was last compact; beyond that it is worth a copy
SMALL = 8_000_000  # bytes; a smaller file is left as it is
COMPACT = "compact_bytes"  # what the outbox remembers: the size of work.duckdb when it was last compact
DRAFT = ".work.duckdb.compact"
VACUUM_SECONDS = 5.0  # for others to let go of a file; nothing is urgent


def is_grown(warehouse: Warehouse, outbox: Outbox) -> bool:
    """Whether `work.duckdb` has at least doubled since it was last compact (DuckDB can't tell how full a file is)."""
    if not warehouse.work.exists():
        return False
    return warehouse.work.stat().st_size > max(SMALL, GROWN * int(outbox.fact(COMPACT) or 0))


def compact(warehouse: Warehouse, outbox: Outbox) -> bool:
    """Replace `work.duckdb` by a compact copy of itself; for whoever has the turn. Whether it was; `WarehouseError`.

    The copy takes the name only once it is complete and on disk, so a kill leaves the file as it was.
    """
    draft = warehouse.folder / DRAFT
    with readable_errors(f"make {warehouse.work} compact"):
        try:
            _clear(draft)
            _copy(warehouse, draft)
            warehouse.let_go()
            if _log(warehouse.work).exists():  # what is in a log would be lost; another time
                return False
            draft.replace(warehouse.work)
            sync_folder(warehouse.folder)
        finally:
            _clear(draft)
    outbox.keep(COMPACT, str(warehouse.work.stat().st_size))
    return True


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
    """Remove what a killed compaction left; for whoever has the turn."""
    _clear(warehouse.folder / DRAFT)
    (warehouse.folder / SPOOL).unlink(missing_ok=True)
    shutil.rmtree(warehouse.folder / "spill", ignore_errors=True)


def _copy(warehouse: Warehouse, draft: Path) -> None:
    literal = str(draft).replace("'", "''")
    with warehouse.connection() as connection:
        connection.execute(f"attach '{literal}' as compact ({STORAGE})")
        draft.chmod(0o600)
        connection.execute("copy from database work to compact").fetchall()
        _check(connection)
        connection.execute("checkpoint compact")
        connection.execute("detach compact")
        connection.execute("checkpoint work")
    with draft.open("rb") as file:
        os.fsync(file.fileno())


def _check(connection: duckdb.DuckDBPyConnection) -> None:
    """The copy has as many rows as the file, table by table; a difference would be a fault of DuckDB's."""
    for schema, table in connection.execute(statement("upkeep/tables"), {"database": "work"}).fetchall():
        ((there,), (copied,)) = (
            connection.execute(f'select count(*) from {database}."{schema}"."{table}"').fetchall()[0]  # noqa: S608
            for database in ("work", "compact")
        )
        if there != copied:
            raise duckdb.InternalException(f"{schema}.{table} was not copied")


def _clear(draft: Path) -> None:
    for path in (draft, _log(draft)):
        path.unlink(missing_ok=True)


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
