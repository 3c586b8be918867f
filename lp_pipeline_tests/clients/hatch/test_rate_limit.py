"""The rate limit towards Hatch."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from lp_pipeline.clients.hatch import SlidingWindow


def test_a_sixth_of_a_minutes_rate_fits_into_ten_seconds() -> None:
    """Contract 1: 100 requests in 10 s, which is 600 a minute."""
    limiter = SlidingWindow(600)
    assert [limiter.acquire(0) for _ in range(101)] == [True] * 100 + [False]


def test_a_wait_longer_than_the_time_left_is_refused_at_once() -> None:
    """R3: within the run's time."""
    limiter = SlidingWindow(6)
    begun = time.monotonic()
    assert [limiter.acquire(5) for _ in range(2)] == [True, False]
    assert time.monotonic() - begun < 1


def test_no_window_of_a_period_ever_holds_more_over_all_threads() -> None:
    """Contract 1: else Hatch answers 429."""
    limiter = SlidingWindow(18, period=0.2)  # three in a period
    granted: list[float] = []
    lock = threading.Lock()

    def ask(_: int) -> None:
        assert limiter.acquire()
        with lock:
            granted.append(time.monotonic())

    begun = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(12)))
    assert len(granted) == 12
    assert time.monotonic() - begun >= 3 * 0.2


def test_a_very_high_rate_is_no_limit() -> None:
    """The sandbox sets 60000: nothing waits."""
    limiter = SlidingWindow(6000)
    assert all(limiter.acquire(0) for _ in range(10_000))


def test_the_lowest_rate_is_one_in_a_period() -> None:
    """Settings: at least 6 a minute."""
    limiter = SlidingWindow(6)
    assert [limiter.acquire(0) for _ in range(2)] == [True, False]
