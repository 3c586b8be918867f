"""Full disks, folders that can't be written: a clear message, nothing half-written, the next run carries on (R1)."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lp_pipeline.errors import WarehouseError
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline_tests.account import Account, failures
from lp_pipeline_tests.endtoend.test_processes import fill, finish, start
from lp_pipeline_tests.storage.disks import Disk, small_disk

LANDING = ["raw_leads", "raw_prospects"]
MERGING = ["staged_opportunities", "opportunities"]
COMMUNICATION = {"id": "c1", "external_contact_id": "1", "category": "sms", "direction": "inbound", "body": "Hello"}


@pytest.fixture
def disk(lp_account: Account) -> Iterator[Disk]:
    """The account's data folder is a disk of its own."""
    with small_disk(lp_account.folder) as mounted:
        yield mounted
        lp_account.outbox.close()


def synced(account: Account, count: int) -> None:
    """So many people, read, merged and published."""
    fill(account, count)
    assert account.run().success


def drafts(account: Account) -> list[Path]:
    return list(account.folder.glob(".published*"))


@pytest.mark.slow
def test_a_disk_that_is_full_at_any_step_of_a_sync_loses_nothing(lp_account: Account, disk: Disk) -> None:
    """R1: landing, merging and publishing each end with one message and leave what was there; people can still query;
    with room again, the next run completes what was begun."""
    synced(lp_account, 20)
    lp_account.later()
    fill(lp_account, 250)
    for step, room in ((LANDING, 50_000), (MERGING, 50_000), (["published"], 500_000)):
        disk.fill(leave=room)
        result = lp_account.run(select=step)
        assert not result.success, step
        assert "the disk is full" in failures(result)[0]
        assert lp_account.published("select count(*) from opportunities") == [(20,)]
        assert not drafts(lp_account)
        disk.free()
        if step != ["published"]:
            assert lp_account.run(select=step).success
    assert lp_account.run().success
    assert lp_account.published("select count(*), count(distinct external_id) from opportunities") == [(250, 250)]
    assert lp_account.published("select count(*) from opportunity_changes where column_name is null") == [(250,)]
    assert lp_account.ask("select count(*) from pipeline.unmerged") == [(0,)]


@pytest.mark.slow
def test_a_disk_that_is_full_while_pushing_sends_nothing_twice(lp_account: Account, disk: Disk) -> None:
    """R1, C7: full before the request, nothing is sent; full after it, it is looked up before it is sent again."""
    synced(lp_account, 3)
    lp_account.land({**COMMUNICATION, "occurred_at": lp_account.now.isoformat()})
    lp_account.outbox.close()
    disk.fill()
    with pytest.raises(Exception, match=r"the disk (is full|failed or is full)"):
        lp_account.push()
    assert lp_account.lp.notes("1") == []
    disk.free()

    def fill_up(path: str, fields: dict[str, str]) -> None:
        if "AddNotes" in path:
            disk.fill()

    lp_account.lp.before_request = fill_up
    with pytest.raises(Exception, match=r"the disk (is full|failed or is full)"):
        lp_account.push()
    lp_account.lp.before_request = None
    assert len(lp_account.lp.notes("1")) == 1
    disk.free()
    lp_account.later()
    lp_account.push()
    assert ("note", "sent") in lp_account.pushes("target", "state")
    assert len(lp_account.lp.notes("1")) == 1


@pytest.mark.slow
def test_a_folder_that_becomes_read_only_is_told_and_loses_nothing(lp_account: Account, disk: Disk) -> None:
    """R1: a clear message; people can still query; once it can be written again, the next run carries on."""
    synced(lp_account, 3)
    lp_account.later()
    fill(lp_account, 6)
    disk.writable(False)
    result = lp_account.run()
    assert not result.success
    assert "cannot be written" in failures(result)[0]
    assert lp_account.published("select count(*) from opportunities") == [(3,)]
    disk.writable(True)
    assert lp_account.run().success
    assert lp_account.published("select count(*) from opportunities") == [(6,)]


@pytest.mark.slow
def test_files_that_may_not_grow_end_a_sync_with_a_message(lp_account: Account) -> None:
    """R1, R4: as a process, under a limit on the size of files (which needs no root): exit code 1, one message, no
    stack trace; without the limit the next one completes."""
    fill(lp_account, 3)
    limited = ["bash", "-c", 'ulimit -f 1024; exec "$0" sync', str(Path(sys.executable).parent / "lp-pipeline")]
    code, output = finish(start(lp_account, limited))
    assert code == 1
    assert "may not grow" in output
    assert "Traceback" not in output
    assert not drafts(lp_account)
    assert lp_account.run().success
    assert lp_account.published("select count(*) from opportunities") == [(3,)]


@pytest.mark.slow
def test_a_disk_that_is_full_before_the_first_sync_does_not_stop_the_next(lp_account: Account, disk: Disk) -> None:
    """R1: with room again, it is the first one; so it is with an empty file, which an earlier program left."""
    fill(lp_account, 3)
    warehouse = Warehouse(lp_account.folder)
    for room in (0, 4096, 8192):
        disk.fill(leave=room)
        with pytest.raises(WarehouseError, match="the disk is full"), warehouse.connection():
            pass
        disk.free()
        with warehouse.connection() as connection:
            assert connection.execute("select count(*) from opportunities").fetchall() == [(0,)]
        for path in lp_account.folder.glob("*work.duckdb*"):
            path.unlink()
    warehouse.work.touch()
    assert lp_account.run().success
    assert lp_account.published("select count(*) from opportunities") == [(3,)]
    assert not list(lp_account.folder.glob(".work*"))
