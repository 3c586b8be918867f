"""The LeadPerfection client: sign-in, calls, windows, paging, errors. It knows no Dagster and no DuckDB."""

from lp_pipeline.leadperfection.client import Answer, Client
from lp_pipeline.leadperfection.feeds import Feed, Reading, WindowReading, feeds, read_window
from lp_pipeline.leadperfection.limiter import RateLimiter
from lp_pipeline.leadperfection.windows import LATE, SentWindow, Window, as_sent, halves, pieces

__all__ = [
    "LATE",
    "Answer",
    "Client",
    "Feed",
    "RateLimiter",
    "Reading",
    "SentWindow",
    "Window",
    "WindowReading",
    "as_sent",
    "feeds",
    "halves",
    "pieces",
    "read_window",
]
