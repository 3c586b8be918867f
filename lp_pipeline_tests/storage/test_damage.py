"""Files that are damaged: a message that says what to do, or made again where nothing is lost by that (SPEC R1)."""

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from lp_pipeline.clients.leadperfection import RateLimiter
from lp_pipeline.errors import WarehouseError
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import publish_changes
from lp_pipeline.settings import load_settings
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import Turn
from lp_pipeline_tests.account import PACE, Account, failures
from lp_pipeline_tests.endtoend.test_processes import fill

Way = Callable[[Path], None]


def overwritten(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def cut_to_a_stump(path: Path) -> None:
    os.truncate(path, 100)


def torn(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 4] + random.Random(1).randbytes(len(whole) - len(whole) // 4))


def emptied(path: Path) -> None:
    os.truncate(path, 0)


WAYS = (overwritten, cut_off, cut_to_a_stump, torn)


def damaged(path: Path, ways: Sequence[Way] = WAYS) -> Iterator[Way]:
    """Damage the file in each of the ways, one after the other; each begins with the file as it was."""
    path.chmod(0o600)
    kept = path.with_name("kept")
    shutil.copy(path, kept)
    for way in ways:
        shutil.copy(kept, path)
        way(path)
        yield way
    shutil.copy(kept, path)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)  # which a run may have begun for the damaged one


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "advice"), [("work.duckdb", "lp-pipeline backfill"), ("outbox.sqlite", "what was sent already")]
)
def test_what_cannot_be_had_again_is_left_as_it_is_and_told(lp_account: Account, name: str, advice: str) -> None:
    """R1: the run fails with one message that names the file and what to do, the published copy stays; with the file
    restored, the next run carries on."""
    fill(lp_account, 3)
    assert lp_account.run().success
    lp_account.outbox.close()
    lp_account.later()
    fill(lp_account, 4)
    path = lp_account.folder / name
    for way in damaged(path, (overwritten, cut_off)):
        result = lp_account.run()
        message = failures(result)[0]
        assert not result.success, way
        assert name in message
        assert "the file is damaged" in message
        assert advice in message
        assert lp_account.published("select count(*) from opportunities") == [(3,)]
    assert lp_account.run().success
    assert lp_account.published("select count(*) from opportunities") == [(4,)]


def test_a_warehouse_that_cannot_be_opened_keeps_no_turn(lp_account: Account) -> None:
    """R1, R2: the run's next step gets the same message at once, instead of waiting for its own run."""
    fill(lp_account, 1)
    lp_account.sync()
    (lp_account.folder / "work.duckdb").write_bytes(b"no database" * 1000)
    with lp_account.connections() as connections:
        for _ in range(2):
            with pytest.raises(WarehouseError, match="the file is damaged"):
                _ = connections.warehouse
            assert not Turn(lp_account.folder).is_taken()


@pytest.mark.slow
def test_a_damaged_copy_for_people_is_made_again_by_the_next_sync(lp_account: Account) -> None:
    """Q1, R1: at once, although nothing has changed."""
    fill(lp_account, 3)
    assert lp_account.run().success
    for way in damaged(lp_account.folder / "published.duckdb"):
        with lp_account.connections() as connections:
            assert publish_changes(connections).published
        assert lp_account.published("select count(*) from opportunities") == [(3,)], way


def test_a_damaged_count_of_calls_is_begun_anew(tmp_path: Path) -> None:
    """R3: also while another process has the file open; only a minute's count is lost."""
    with RateLimiter(tmp_path, 50) as other:
        other.acquire()
        for way in damaged(tmp_path / "limits.sqlite"):
            with RateLimiter(tmp_path, 50) as limiter:
                assert limiter.acquire(), way
            assert other.acquire(), way


def test_a_damaged_sandbox_says_what_to_do(tmp_path: Path) -> None:
    """R1: and nothing is read from a world that is not whole; an emptied one is no world either."""

    def read() -> bool:
        settings = load_settings({"LP_PIPELINE_DATA": str(tmp_path)})
        with Connections("a run", lambda: settings, pace=PACE) as connections:
            return bool(connections.hatch())

    assert read()
    for _ in damaged(tmp_path / "sandbox.sqlite", (emptied, overwritten, torn)):
        with pytest.raises(WarehouseError, match=r"sandbox\.sqlite: the file is damaged\. Delete it"):
            read()


def test_a_log_of_another_version_of_the_file_is_named() -> None:
    """R1: as after only `work.duckdb` was restored; the message says what to do about its log."""
    with (
        pytest.raises(WarehouseError, match=r"the log next to it .*\.wal.* move that log aside"),
        readable_errors("open work.duckdb"),
    ):
        raise duckdb.IOException("Failure while replaying WAL file: the WAL checkpoint iteration does not match")
