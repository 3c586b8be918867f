"""How the published copy is opened (SPEC Q1, R2): the newest, read-only, in the account's zone, closed always."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

import lp_pipeline
from lp_pipeline.errors import WarehouseError
from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.published import open_published
from lp_pipeline_tests.scenario import Scenario, lead, prospect

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def publication(scenario: Scenario, *leads: str) -> Path:
    """Publish the one prospect with these leads."""
    scenario.sync(prospect("1", *map(lead, leads)))
    scenario.later()
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    return scenario.warehouse.published


@pytest.mark.slow
def test_a_notebooks_second_call_sees_new_data(scenario: Scenario) -> None:
    """Although DuckDB shares one instance per path in a process, and somebody keeps an old one open."""
    path = publication(scenario, "10")
    query = "select external_id from opportunities order by 1"
    with duckdb.connect(str(path), read_only=True) as kept:
        assert list(lp_pipeline.published(query, path=path)["external_id"]) == ["10"]
        publication(scenario, "10", "11")
        assert list(lp_pipeline.published(query, path=path)["external_id"]) == ["10", "11"]
        assert kept.execute(query).fetchall() == [("10",)]


@pytest.mark.slow
def test_a_connection_kept_open_shows_old_data(scenario: Scenario) -> None:
    """What the README warns of: DuckDB keeps the file it opened, for a second connection as well, until the
    last one is closed."""
    path = str(publication(scenario, "10"))
    query = "select count(*) from opportunities"
    with duckdb.connect(path, read_only=True) as kept:
        publication(scenario, "10", "11")
        assert kept.execute(query).fetchall() == [(1,)]
        with duckdb.connect(path, read_only=True) as second:
            assert second.execute(query).fetchall() == [(1,)]
    with duckdb.connect(path, read_only=True) as new:
        assert new.execute(query).fetchall() == [(2,)]


@pytest.mark.slow
def test_a_thread_sees_new_data_beside_every_kind_of_open_connection(scenario: Scenario, tmp_path: Path) -> None:
    """A notebook's thread, while the process has the old file open: plainly, attached, in a transaction, as a frame."""
    path = publication(scenario, "10")
    query = "select external_id from opportunities order by 1"
    with (
        duckdb.connect(str(path), read_only=True) as plain,
        duckdb.connect(str(tmp_path / "mine.duckdb")) as mine,
        open_published(path) as ours,
        ThreadPoolExecutor(2) as pool,
    ):
        mine.execute(f"attach '{path}' as lp (read_only)")
        mine.execute("use lp")
        for connection in (plain, mine, ours):
            connection.execute("begin")
            assert connection.sql(query).df()["external_id"].tolist() == ["10"]
        publication(scenario, "10", "11")
        for frame in pool.map(lambda _: lp_pipeline.published(query, path=path), range(8)):
            assert list(frame["external_id"]) == ["10", "11"]
        for connection in (plain, mine, ours):
            assert connection.execute(query).fetchall() == [("10",)]


@pytest.mark.slow
def test_attaching_again_shows_new_data(scenario: Scenario, tmp_path: Path) -> None:
    """For those who write beside it, in a database of their own: detach and attach."""
    attach = f"attach '{publication(scenario, '10')}' as lp (read_only)"
    with duckdb.connect(str(tmp_path / "mine.duckdb")) as mine:
        mine.execute(attach)
        mine.execute("create table counted as select count(*) as n from lp.opportunities")
        publication(scenario, "10", "11")
        mine.execute("detach lp")
        mine.execute(attach)
        mine.execute("insert into counted select count(*) from lp.opportunities")
        assert mine.execute("from counted").fetchall() == [(1,), (2,)]


def test_rows_come_as_a_frame_in_the_accounts_time_zone(scenario: Scenario) -> None:
    """`published()` alone gives the opportunities; parameters are bound; a misspelled table is no variable of ours."""
    path = publication(scenario, "10")
    frame = lp_pipeline.published(path=path)
    assert list(frame["external_contact_id"]) == ["1"]
    assert str(frame["external_created_at"].dt.tz) == "America/New_York"
    assert lp_pipeline.published("select ? + 1 as n", [1], path=path)["n"].tolist() == [2]
    with pytest.raises(duckdb.CatalogException):
        lp_pipeline.published("from path", path=path)


def test_nobody_writes_into_it(scenario: Scenario) -> None:
    """Read-only, whoever opens it this way."""
    with open_published(publication(scenario, "10")) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("delete from leads")


def test_it_is_closed_if_the_block_raises(scenario: Scenario) -> None:
    """And the error is the block's own."""
    path = publication(scenario, "10")
    with pytest.raises(ZeroDivisionError), open_published(path) as connection:
        raise ZeroDivisionError
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")


@pytest.mark.parametrize("folder", ["", "no/such/folder"])
def test_what_is_not_there_is_said_at_once(tmp_path: Path, folder: str) -> None:
    """Not after a minute and a half of tries, whatever time the caller has."""
    with (
        pytest.raises(WarehouseError, match="lp-pipeline sync"),
        open_published(tmp_path / folder / "published.duckdb", patience_seconds=1e9),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_said_plainly(tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "published.duckdb"
    path.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(WarehouseError, match="builds a new copy"), open_published(path):
        pass


def test_who_holds_it_for_writing_is_named(scenario: Scenario, tmp_path: Path) -> None:
    """After a bounded wait, with what to do."""
    path = tmp_path / "copy.duckdb"
    path.write_bytes(publication(scenario, "10").read_bytes())
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WarehouseError, match=f"process {holder.pid}"), open_published(path, patience_seconds=0.3):
            pass
        holder.stdin.close()
    with open_published(path):
        pass
