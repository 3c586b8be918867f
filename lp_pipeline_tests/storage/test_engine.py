"""DuckDB is started once and used again, one user at a time (SPEC R1, R4)."""

from pathlib import Path

import duckdb
import pytest

from lp_pipeline.storage.engine import USES, engine

SPILLS = "create or replace table large as select range as a, repeat('abc', 100) || range as b from range(1200000)"


def test_a_free_engine_is_used_again_and_a_busy_one_is_not() -> None:
    """Two users at once have one each; one after the other has the same."""
    with engine() as first, engine() as second:
        assert first is not second
    with engine() as third:
        assert third in (first, second)


def test_an_engine_is_used_so_many_times_only() -> None:
    """A worker that syncs many accounts must not get slower and slower."""
    used = []
    for _ in range(2 * USES):
        with engine() as each:
            used.append(each)
    assert 2 <= len(set(map(id, used))) <= 3


def test_an_engine_that_failed_is_not_used_again() -> None:
    """R1: whatever a failure left open is closed with it."""
    with pytest.raises(duckdb.CatalogException), engine() as failed:
        failed.execute("attach ':memory:' as left_behind; from nowhere")
    with pytest.raises(duckdb.ConnectionException):
        failed.execute("select 1")
    with engine() as another:
        assert another is not failed


def test_what_does_not_fit_into_memory_is_gone_afterwards(tmp_path: Path) -> None:
    """R4: records don't stay in a folder that is for one transaction, and the next account has its own folder."""
    spill = tmp_path / "spill"
    with engine(spill) as used:
        used.execute("set memory_limit = '60MB'")
        used.execute(SPILLS).fetchall()
        assert any(spill.iterdir())
    assert not spill.exists()
    with engine(tmp_path / "other") as another:
        assert another is not used
        ((folder, memory),) = another.execute(
            "select current_setting('temp_directory'), current_setting('memory_limit')"
        ).fetchall()
        assert (folder, memory) == (str(tmp_path / "other"), "214.5 MiB")
