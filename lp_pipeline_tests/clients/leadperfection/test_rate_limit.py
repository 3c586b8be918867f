"""The rate limit, kept by real files, threads and processes; periods are short so that the tests are."""

import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock
from pyrate_limiter import Rate, RateItem, SQLiteBucket

from lp_pipeline.clients.rate_limit import FILE, RateLimiter
from lp_pipeline.errors import LeadPerfectionError

PERIOD = 0.4
HOUR = 3600.0  # a period that does not end while a test runs, however slowly

PROGRAM = """
import sys
from pathlib import Path
from lp_pipeline.clients.rate_limit import RateLimiter
with RateLimiter(Path(sys.argv[1]), 5, period=float(sys.argv[2])) as limiter:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(8):
        assert limiter.acquire()
"""


def test_two_processes_of_one_folder_keep_to_the_rate_together(tmp_path: Path) -> None:
    """R3: LP_RATE_PER_MINUTE holds for all processes of one data folder together."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path), str(PERIOD)]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    begun = time.monotonic()
    for process in running:
        process.communicate("go\n")
        assert process.returncode == 0
    assert time.monotonic() - begun >= 3 * PERIOD  # 16 requests of which no 6 lie within a period


def test_nobody_is_counted_while_another_process_counts(tmp_path: Path) -> None:
    """R3: looking and noting down are one step, for all processes."""
    with RateLimiter(tmp_path, 5) as limiter:
        asking = threading.Thread(target=limiter.acquire)
        with FileLock(tmp_path / "limits.lock"):
            asking.start()
            asking.join(0.2)
            assert asking.is_alive()
        asking.join()


def test_threads_that_share_a_limiter_keep_to_the_rate_together(tmp_path: Path) -> None:
    """R3: whoever asks, the rate holds."""
    with RateLimiter(tmp_path, 5, period=PERIOD) as limiter:
        granted: list[bool] = []
        threads = [
            threading.Thread(target=lambda: granted.extend(limiter.acquire() for _ in range(4))) for _ in range(4)
        ]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert granted == [True] * 16
        assert time.monotonic() - begun >= 3 * PERIOD


def test_what_was_sent_before_a_restart_counts(tmp_path: Path) -> None:
    """R3: the rate holds over restarts."""
    with RateLimiter(tmp_path, 3, period=HOUR) as limiter:
        assert [limiter.acquire(0) for _ in range(4)] == [True, True, True, False]
    with RateLimiter(tmp_path, 3, period=HOUR) as limiter:
        assert not limiter.acquire(0.1)


def test_a_wait_longer_than_the_time_left_is_refused_at_once(tmp_path: Path) -> None:
    """R3: within the run's time, by the real clock."""
    with RateLimiter(tmp_path, 1, period=HOUR) as limiter:
        assert limiter.acquire(0)
        assert not limiter.acquire(HOUR / 2)


def test_a_backfill_leaves_room_for_syncs(tmp_path: Path) -> None:
    """W2, R3: syncs come first."""
    with RateLimiter(tmp_path, 5, leave=2, period=HOUR) as backfill, RateLimiter(tmp_path, 5, period=HOUR) as sync:
        assert [backfill.acquire(0) for _ in range(4)] == [True, True, True, False]
        assert [sync.acquire(0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_was_set_back_does_not_block_for_ever(tmp_path: Path) -> None:
    """R1: marks from a future that was taken back are forgotten."""
    with RateLimiter(tmp_path, 1):
        bucket = SQLiteBucket.init_from_file([Rate(1, 60_000)], table="requests", db_path=str(tmp_path / FILE))
        bucket.put(RateItem("request", (time.time_ns() // 1_000_000) + 86_400_000))
        bucket.conn.close()
    with RateLimiter(tmp_path, 1) as limiter:
        assert limiter.acquire(0)


def test_a_file_that_is_no_database_any_more_is_begun_anew(tmp_path: Path) -> None:
    """R1: only a minute's count is lost."""
    (tmp_path / FILE).write_bytes(b"not a database" * 100)
    with RateLimiter(tmp_path, 1, period=HOUR) as limiter:
        assert [limiter.acquire(0) for _ in range(2)] == [True, False]


def test_a_file_that_cannot_be_used_is_an_error_that_names_it(tmp_path: Path) -> None:
    """House rules: what was tried, what came back, what to do."""
    (tmp_path / FILE).mkdir()
    with pytest.raises(LeadPerfectionError, match=r"limits\.sqlite could not be used"):
        RateLimiter(tmp_path, 1)


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """R4: files are readable by their owner only."""
    folder = tmp_path / "data"
    with RateLimiter(folder, 1) as limiter:
        assert limiter.acquire(0)
        assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in folder.iterdir())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_very_high_rate_is_no_limit_and_needs_no_file(tmp_path: Path) -> None:
    """The sandbox sets 60000: nothing is written, nothing waits."""
    with RateLimiter(tmp_path / "data", 60_000) as limiter:
        assert all(limiter.acquire(0) for _ in range(10_000))
    assert not (tmp_path / "data").exists()


def test_the_file_stays_small(tmp_path: Path) -> None:
    """R1: what lies before the period is forgotten."""
    with RateLimiter(tmp_path, 5999, period=0.001) as limiter:
        assert all(limiter.acquire() for _ in range(50))
        bucket = SQLiteBucket.init_from_file([Rate(1, 1)], table="requests", db_path=str(tmp_path / FILE))
        assert bucket.count() < 50
        bucket.conn.close()
