"""The rate limit towards Hatch: a sliding window in memory, shared by all threads of one process (contract 1). How long
to wait, nothing else. Over processes it need not hold: one run at a time delivers, and a 429 is waited out.
"""

import threading
import time
from typing import Protocol

from pyrate_limiter import InMemoryBucket, Rate, RateItem

UNLIMITED = 6000  # a minute: from here on (the sandbox) the limit is not kept at all
PERIOD = 10.0  # seconds; Hatch's own window


class Limiter(Protocol):
    """What the client asks before each try."""

    def acquire(self, timeout: float | None) -> bool:
        """Wait for leave to send one request; False, and at once, if that would take longer than `timeout` seconds."""
        ...


class SlidingWindow:
    """At most `per_minute // 6` requests in any 10 seconds; from 6000 a minute on, no limit."""

    def __init__(self, per_minute: int, *, period: float = PERIOD) -> None:
        self._unlimited = per_minute >= UNLIMITED
        self._bucket = InMemoryBucket([Rate(max(1, per_minute // 6), round(period * 1000))])
        self._lock = threading.Lock()

    def acquire(self, timeout: float | None = None) -> bool:
        """Wait for leave to send one request; False, and at once, if that would take longer than `timeout` seconds."""
        if self._unlimited:
            return True
        until = None if timeout is None else time.monotonic() + timeout
        while wait := self._take():
            if until is not None and time.monotonic() + wait > until:
                return False
            time.sleep(wait)
        return True

    def _take(self) -> float:
        """Seconds to wait before asking again; nothing if leave was given."""
        with self._lock:
            now = time.monotonic_ns() // 1_000_000
            item = RateItem("request", now)
            if self._bucket.put(item):
                self._bucket.leak(now)
                return 0.0
            wait: int = self._bucket.waiting(item)  # type: ignore[assignment]  # awaitable only for asynchronous buckets
            return (max(wait, 0) + 1) / 1000
