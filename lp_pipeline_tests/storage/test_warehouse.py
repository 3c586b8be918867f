"""The work file: always closed, errors readable (SPEC R2, R4, R6)."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lp_pipeline.errors import OutOfMemory, WarehouseError
from lp_pipeline.storage.engine import MEMORY, ROOM
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import Turn
from lp_pipeline.storage.warehouse import LARGE, SCHEMA_VERSION, Warehouse, with_room

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    """R1: all of it or nothing, and the file can be opened again."""
    warehouse = Warehouse(tmp_path)

    def half_done() -> None:
        with warehouse.transaction() as connection:
            connection.execute("insert into pipeline.account values ('a', 'b', 'c')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    with warehouse.transaction() as connection:
        assert connection.execute("from pipeline.account").fetchall() == []


def test_somebody_who_holds_the_work_file_is_named(tmp_path: Path) -> None:
    """R2: a bounded wait, then the process that holds it, and what to do."""
    warehouse = Warehouse(tmp_path, patience_seconds=0.3)
    with warehouse.transaction():
        pass
    command = [sys.executable, "-c", HOLD, str(warehouse.work)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WarehouseError, match=f"process {holder.pid}"), warehouse.transaction():
            pass
        holder.stdin.close()
    with warehouse.transaction():
        pass


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """R6: an older program refuses a file of a newer one, and changes nothing."""
    warehouse = Warehouse(tmp_path)
    with warehouse.transaction() as connection:
        connection.execute("update pipeline.version set version = $1", [SCHEMA_VERSION + 1])
    with pytest.raises(WarehouseError, match="newer"), warehouse.transaction():
        pass


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    """R1: a clear message, and nothing is overwritten."""
    warehouse = Warehouse(tmp_path)
    warehouse.work.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(WarehouseError, match="damaged"), warehouse.transaction():
        pass
    assert warehouse.work.read_bytes().startswith(b"not a database")


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "cannot be written")])
def test_disk_errors_are_readable(number: int, expected: str) -> None:
    """R4: what was tried and what to do."""
    with pytest.raises(WarehouseError, match=expected), readable_errors("write the file"):
        raise OSError(number, os.strerror(number))


def test_one_run_at_a_time_has_the_turn(tmp_path: Path) -> None:
    """R2: the next one waits, and says so if it has waited too long."""
    first, second = Turn(tmp_path), Turn(tmp_path, patience_seconds=0.1)
    assert not second.is_taken()
    with first:
        assert second.is_taken()
        with pytest.raises(WarehouseError, match="Another run"), second:
            pass
        with second.if_free() as is_ours:
            assert not is_ours
    with second.if_free() as is_ours:
        assert is_ours
        assert first.is_taken()
    assert not first.is_taken()


def test_a_large_file_gets_more_memory(tmp_path: Path) -> None:
    """Not all that DuckDB does can go through a file, so that what it needs grows with what is stored."""
    (tmp_path / "work.duckdb").touch()
    assert Warehouse(tmp_path)._memory_needed() == MEMORY
    os.truncate(tmp_path / "work.duckdb", 1_000_000_000)
    assert Warehouse(tmp_path)._memory_needed() == MEMORY + 500
    (tmp_path / LARGE).touch()
    assert Warehouse(tmp_path)._memory_needed() == ROOM


def test_what_needs_more_memory_than_usual_is_done_once_more_with_enough(tmp_path: Path) -> None:
    """J7: a single huge record stops nothing; nothing is left of the first try, and later ones have enough at once."""
    warehouse = Warehouse(tmp_path)

    def collected() -> int:
        with warehouse.transaction() as connection:
            connection.execute("create table tried as select 1")
            ((items,),) = connection.execute("select len(list(i)) from range(20000000) as t(i)").fetchall()
            return int(items)

    with pytest.raises(OutOfMemory, match="run this again"):
        collected()
    assert collected() == 20_000_000
    (tmp_path / LARGE).unlink()
    with warehouse.transaction() as connection:
        connection.execute("drop table tried")
    assert with_room(collected) == 20_000_000


def test_a_warehouse_that_is_kept_open_is_let_go_before_anybody_waits(tmp_path: Path) -> None:
    """R2: what was committed is in the file and its log, for whoever opens it next; at the end it is at rest."""
    kept = Warehouse(tmp_path, keeps_open=True)
    with kept.transaction() as connection:
        connection.execute("insert into pipeline.account values ('a', 'b', 'c')")
        connection.execute("create temp table left_behind as select 1")
    assert kept.is_open
    with kept.connection() as connection:  # each has its own temporary tables and variables
        assert connection.execute("from duckdb_tables() where temporary").fetchall() == []
    kept.let_go(at_rest=False)
    assert not kept.is_open
    with Warehouse(tmp_path).connection() as connection:
        assert connection.execute("from pipeline.account").fetchall() == [("a", "b", "c")]

    def interrupted() -> None:
        with kept.transaction() as connection:
            connection.execute("delete from pipeline.account")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert not kept.is_open
    with kept.transaction() as connection:
        assert connection.execute("from pipeline.account").fetchall() == [("a", "b", "c")]
    kept.let_go()
    assert [path.name for path in tmp_path.iterdir()] == ["work.duckdb"]
