"""How long to wait before a request, nothing else. Towards LeadPerfection all processes of one data folder share a
sliding window in `limits.sqlite` (SPEC R3). Towards Hatch it is in memory, for all threads of one process (contract 1):
one run at a time delivers, and a 429 is waited out.
"""

import math
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol, Self

from filelock import FileLock, Timeout
from pyrate_limiter import InMemoryBucket, Rate, RateItem, SQLiteBucket

from lp_pipeline.errors import LeadPerfectionError

UNLIMITED = 6000  # a minute: from here on (the sandbox) the limit is not kept at all
PERIOD = 60.0
HATCH_PERIOD = 10.0  # seconds; Hatch's own window
LOCK_HELD = 5.0  # far longer than anyone holds the lock
FILE = "limits.sqlite"
DAMAGE = ("malformed", "not a database")


class Limiter(Protocol):
    """What the client asks before each try."""

    def acquire(self, timeout: float | None) -> bool:
        """Wait for leave to send one request; False, and at once, if that would take longer than `timeout` seconds."""
        ...


class SharedLimiter(Limiter, Protocol):
    """One that holds a file, too."""

    def close(self) -> None:
        """Let go of files."""
        ...


class _Waiting:
    """A limiter that waits in between asking."""

    def acquire(self, timeout: float | None = None) -> bool:
        """Wait for leave to send one request; False, and at once, if that would take longer than `timeout` seconds."""
        until = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            wait = self._ask(until)
            if not wait:
                return wait is not None
            if time.monotonic() + wait > until:
                return False
            time.sleep(wait)

    def _ask(self, _until: float) -> float | None:
        """Seconds to wait before asking again; nothing if leave was given, None if it can't be asked by then."""
        raise NotImplementedError


class RateLimiter(_Waiting):
    """At most `per_minute` requests in any period, over all processes that use the folder.

    `leave` of them are left to others: a backfill that leaves some lets a sync go first.
    """

    def __init__(self, folder: Path, per_minute: int, *, leave: int = 0, period: float = PERIOD) -> None:
        self._limit = per_minute
        self._ahead = max(1, per_minute - leave)
        self._period = round(period * 1000)
        self._path = folder / FILE
        self._bucket: SQLiteBucket | None = None
        self._lock = FileLock(self._path.with_suffix(".lock"), mode=0o600)
        if per_minute < UNLIMITED:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._guarded(self._open, math.inf)

    def _ask(self, _until: float) -> float | None:
        return 0.0 if self._bucket is None else self._guarded(self._take, _until)

    def close(self) -> None:
        """Let go of the file; what was counted stays."""
        if self._bucket is not None:
            self._bucket.conn.close()
            self._bucket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _guarded(self, act: Callable[[], float], until: float) -> float | None:
        """Run under the lock; None if the lock was not to be had in time."""
        try:
            with self._lock.acquire(timeout=-1 if until == math.inf else max(until - time.monotonic(), LOCK_HELD)):
                try:
                    return act()
                except sqlite3.DatabaseError as error:
                    if not _is_damage(error):
                        raise
                if self._bucket is not None:
                    self.close()
                    self._open()
                return act()
        except Timeout:
            return None
        except (sqlite3.Error, OSError) as error:
            reason = str(error)
        raise LeadPerfectionError(
            f"The rate limit's file {self._path} could not be used: {reason}. Check the disk and the folder's owner; "
            "the file holds nothing but the last minute's count and may be deleted while nothing runs."
        )

    def _open(self) -> float:
        """Open the file. One that is damaged begins anew: only a minute's count is lost."""
        if self._path.exists() and not self._is_whole():
            self._path.unlink()
        self._path.touch(mode=0o600)
        rates = [Rate(self._limit, self._period)]
        self._bucket = SQLiteBucket.init_from_file(rates, table="requests", db_path=str(self._path))
        return 0.0

    def _is_whole(self) -> bool:
        try:
            with closing(sqlite3.connect(self._path)) as connection:
                return bool(connection.execute("pragma quick_check(1)").fetchone() == ("ok",))
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            return False

    def _take(self) -> float:
        """Seconds to wait before asking again; nothing if leave was given."""
        bucket = self._bucket
        if bucket is None:
            return 0.0
        now = time.time_ns() // 1_000_000
        newest = bucket.peek(0)
        if newest is not None and newest.timestamp > now + self._period:  # the clock was set back
            bucket.flush()
        if self._ahead < self._limit:
            hindering = bucket.peek(self._ahead - 1)
            wait = hindering.timestamp + self._period - now if hindering is not None else -1
            if wait >= 0:
                return (wait + 1) / 1000
        return _put(bucket, now)


class SlidingWindow(_Waiting):
    """At most `per_minute // 6` requests in any 10 seconds; from 6000 a minute on, no limit."""

    def __init__(self, per_minute: int, *, period: float = HATCH_PERIOD) -> None:
        self._unlimited = per_minute >= UNLIMITED
        self._bucket = InMemoryBucket([Rate(max(1, per_minute // 6), round(period * 1000))])
        self._lock = threading.Lock()

    def _ask(self, _until: float) -> float | None:
        if self._unlimited:
            return 0.0
        with self._lock:
            return _put(self._bucket, time.monotonic_ns() // 1_000_000)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return any(sign in str(error) for sign in DAMAGE)


def _put(bucket: SQLiteBucket | InMemoryBucket, now: int) -> float:
    """Count one request at this millisecond; seconds to wait before asking again, nothing if there was room for it."""
    item = RateItem("request", now)
    if bucket.put(item):
        bucket.leak(now)
        return 0.0
    wait: int = bucket.waiting(item)  # type: ignore[assignment]  # awaitable only for asynchronous buckets
    return (max(wait, 0) + 1) / 1000
