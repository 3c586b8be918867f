"""The rate limit towards Hatch."""

import time
from concurrent.futures import ThreadPoolExecutor

from lp_pipeline.clients.hatch import SlidingWindow
from lp_pipeline.clients.rate_limit import HATCH_PERIOD

HOUR = 3600.0  # a period that does not end while a test runs, however slowly


def test_a_sixth_of_a_minutes_rate_fits_into_ten_seconds() -> None:
    """Contract 1: 100 requests in 10 s, which is 600 a minute."""
    assert HATCH_PERIOD == 10
    limiter = SlidingWindow(600, period=HOUR)
    assert [limiter.acquire(0) for _ in range(101)] == [True] * 100 + [False]


def test_a_wait_longer_than_the_time_left_is_refused_at_once() -> None:
    """R3: within the run's time."""
    limiter = SlidingWindow(6, period=HOUR)
    assert [limiter.acquire(HOUR / 2) for _ in range(2)] == [True, False]


def test_no_window_of_a_period_ever_holds_more_over_all_threads() -> None:
    """Contract 1: else Hatch answers 429."""
    limiter = SlidingWindow(18, period=0.2)  # three in a period
    begun = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: limiter.acquire(), range(12)))
    assert time.monotonic() - begun >= 3 * 0.2


def test_a_very_high_rate_is_no_limit() -> None:
    """The sandbox sets 60000: nothing waits."""
    limiter = SlidingWindow(6000)
    assert all(limiter.acquire(0) for _ in range(10_000))


def test_the_lowest_rate_is_one_in_a_period() -> None:
    """Settings: at least 6 a minute."""
    limiter = SlidingWindow(6, period=HOUR)
    assert [limiter.acquire(0) for _ in range(2)] == [True, False]
