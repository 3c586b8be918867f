"""Files are made compact once they have grown, and are whole at any instant (SPEC K1, R1)."""

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from lp_pipeline.runs.upkeep.compaction import DRAFT, SMALL, compact, is_grown, vacuum
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline.transform.replay import replay
from lp_pipeline_tests.scenario import Scenario, lead, prospect

COMPACTING = (
    "import sys; from pathlib import Path; from lp_pipeline.storage.outbox import Outbox\n"
    "from lp_pipeline.storage.warehouse import Warehouse; from lp_pipeline.runs.upkeep.compaction import compact\n"
    "folder = Path(sys.argv[1]); print('begun', flush=True)\n"
    "while True: compact(Warehouse(folder), Outbox(folder))"
)


def bloat(scenario: Scenario) -> None:
    """Leave room in the file: rows that are deleted again."""
    with scenario.warehouse.connection() as connection:
        connection.execute("create table bloat as select hash(range) as number from range(1100000)")
        connection.execute("checkpoint work")
        connection.execute("create table behind_it as select hash(range) as number from range(20000)")
        connection.execute("checkpoint work")
        connection.execute("drop table bloat")


def size(scenario: Scenario) -> int:
    return scenario.warehouse.work.stat().st_size


def test_a_warehouse_that_has_grown_is_made_compact_and_loses_nothing(scenario: Scenario) -> None:
    """K1: the same rows, numbers that continue where they were, rules that still run, a replay without a difference."""
    scenario.sync(prospect("1", lead("10")), prospect("2"))
    before = scenario.ask("from opportunities order by all")
    assert not is_grown(scenario.warehouse, scenario.outbox), "it is small"
    bloat(scenario)
    assert is_grown(scenario.warehouse, scenario.outbox)
    bloated = size(scenario)
    compact(scenario.warehouse, scenario.outbox)
    assert size(scenario) < SMALL < bloated
    assert not is_grown(scenario.warehouse, scenario.outbox)
    assert scenario.warehouse.work.stat().st_mode & 0o777 == 0o600
    assert scenario.ask("from opportunities order by all") == before
    scenario.later()
    report = scenario.sync(prospect("1", lead("10", disposition="Sold")))
    assert (report.updated, report.inserted) == (1, 0)
    assert replay(scenario.settings).counts == {}
    assert scenario.ask("select count(*) = count(distinct entry_no) from pipeline.merge_log") == [(True,)]


def test_it_is_made_compact_again_only_once_it_has_doubled(scenario: Scenario) -> None:
    """K1: what it was when it was last compact is what it is compared with."""
    scenario.outbox.keep("compact_bytes", str(SMALL))
    scenario.warehouse.work.write_bytes(b"x" * (2 * SMALL))
    assert not is_grown(scenario.warehouse, scenario.outbox)
    scenario.warehouse.work.write_bytes(b"x" * (2 * SMALL + 1))
    assert is_grown(scenario.warehouse, scenario.outbox)


def test_half_a_copy_of_a_killed_compaction_is_thrown_away(scenario: Scenario) -> None:
    """R1: it never takes the name of the file."""
    scenario.sync(prospect("1"))
    (scenario.folder / DRAFT).write_bytes(b"half")
    compact(scenario.warehouse, scenario.outbox)
    assert not (scenario.folder / DRAFT).exists()
    assert scenario.keys() == [("1", None, "prospect")]


@pytest.mark.slow
def test_killed_at_any_moment_the_warehouse_is_whole(scenario: Scenario) -> None:
    """R1: by SIGKILL, twelve times, while it is made compact again and again."""
    scenario.sync(*(prospect(str(number), lead(f"{number}0")) for number in range(200)))
    keys = scenario.keys()
    rng = random.Random(1)
    for _ in range(12):
        command = [sys.executable, "-c", COMPACTING, str(scenario.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(rng.uniform(0, 0.8))
            process.kill()
        scenario.warehouse = Warehouse(scenario.folder)
        assert scenario.keys() == keys
    assert replay(scenario.settings).counts == {}


def filled(path: Path, *, keep: int) -> int:
    """A SQLite file of 100 rows of 100 kB, all but `keep` of which are deleted; its size."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("create table rows (number integer, filling blob)")
        connection.execute("begin")
        connection.executemany("insert into rows values (?, zeroblob(100000))", ((number,) for number in range(100)))
        connection.execute("commit")
        connection.execute("delete from rows where number >= ?", (keep,))
    return path.stat().st_size


def test_a_sqlite_file_is_shrunk_if_most_of_it_is_free_and_nobody_is_in_it(tmp_path: Path) -> None:
    """K1: its rows stay; one that somebody writes is left for another time, without an error."""
    free, full, used = tmp_path / "free.db", tmp_path / "full.db", tmp_path / "used.db"
    sizes = filled(free, keep=10), filled(full, keep=60), filled(used, keep=10)
    with closing(sqlite3.connect(used, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        for path in (free, full, used, tmp_path / "missing.db"):
            vacuum(path, seconds=0.1)
    assert free.stat().st_size < 0.2 * sizes[0]
    assert (full.stat().st_size, used.stat().st_size) == sizes[1:]
    with closing(sqlite3.connect(free)) as connection:
        assert connection.execute("select count(*) from rows").fetchone() == (10,)
