"""Readings on their way into the warehouse (SPEC W7, R4)."""

import json
from pathlib import Path

import duckdb
import pytest

from lp_pipeline.clients.json_repair import exact
from lp_pipeline.clients.leadperfection import Reading
from lp_pipeline.errors import WarehouseError
from lp_pipeline.extract.landing import _spooled
from lp_pipeline.extract.spool import IN_MEMORY, Spool
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import Warehouse, run
from lp_pipeline_tests.scenario import NOON, lead, prospect


def reading(place: int, **fields: object) -> Reading:
    record = json.dumps(prospect(str(place), lead(str(place * 10)), **fields)).encode()
    return Reading(1, place, record, NOON, str(place))


def lines(spool: Spool, folder: Path) -> list[bytes]:
    return spool.readable(folder / "written").read_bytes().splitlines()


def test_a_record_is_landed_the_same_whether_its_page_was_decoded_or_not(tmp_path: Path) -> None:
    """W7: what a page brought and what is read from memory become the same lines."""
    readings = [reading(1), reading(2, city="Troy"), reading(3, amount=1.50), reading(4, FirstName="Ann")]
    streamed = Spool(tmp_path, ())
    for each in readings:
        streamed.add(each, exact(each.record))
    assert lines(streamed, tmp_path) == lines(Spool.of(readings, tmp_path, ()), tmp_path)
    assert len(streamed) == 4
    assert len(streamed.shapes) == 3  # in lower case the last one has the keys of the first


def test_a_large_window_fills_the_disk_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """R1, R4: the file has no name, so a run that is killed leaves no records behind."""
    spool = Spool(tmp_path, ())
    for each in (reading(1), reading(2, note="x" * IN_MEMORY), reading(3)):
        spool.add(each, exact(each.record))
    assert list(tmp_path.iterdir()) == []
    assert [line.split(b"\x01")[1] for line in lines(spool, tmp_path)] == [b"1", b"2", b"3"]
    assert spool.longest > IN_MEMORY


def test_records_are_stored_as_they_come_and_pass_through_no_join(tmp_path: Path) -> None:
    """W7: DuckDB would put all records of a large window into the join, and store them in another order. By the plan,
    for it takes hundreds of thousands of records to show."""
    spool = Spool.of([reading(1), reading(2)], tmp_path, ())
    variables = {"sync_id": 1, "feed": "leads", "is_history": False}
    with Warehouse(tmp_path).transaction(variables) as connection, _spooled(connection, spool, 0, 1):
        assert run(connection, "extract/judge")[0][0] == 2
        storing = duckdb.extract_statements(statement("extract/append"))[0]
        plan = connection.execute(f"explain {storing.query}").fetchall()[0][1]
    assert [line.split()[3] for line in plan.splitlines() if "Join Type" in line] == ["MARK"]


def test_a_disk_that_is_full_is_named(tmp_path: Path) -> None:
    """R3: the message says what to do."""
    if not Path("/dev/full").exists():
        pytest.skip("a disk that is always full is there on Linux only")
    spool = Spool(tmp_path, ())
    spool._lines.close()
    spool.add(reading(1), exact(reading(1).record))
    with Path("/dev/full").open("wb", buffering=0) as spool._lines, pytest.raises(WarehouseError, match="disk is full"):  # type: ignore[assignment]
        spool.readable(tmp_path / "written")
