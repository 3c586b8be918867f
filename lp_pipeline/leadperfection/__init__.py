"""The LeadPerfection client: sign-in, calls, windows, paging, errors. It knows no Dagster and no DuckDB."""

from lp_pipeline.leadperfection.answers import lookup
from lp_pipeline.leadperfection.client import Answer, Client
from lp_pipeline.leadperfection.feeds import Feed, Reading, WindowReading, feeds, read_window
from lp_pipeline.leadperfection.limiter import RateLimiter
from lp_pipeline.leadperfection.lookups import find, look_up
from lp_pipeline.leadperfection.windows import LATE, SentWindow, Window, as_sent, halves, pieces
from lp_pipeline.leadperfection.writing import Written, add_call, add_note, add_production_note

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
    "Written",
    "add_call",
    "add_note",
    "add_production_note",
    "as_sent",
    "feeds",
    "find",
    "halves",
    "look_up",
    "lookup",
    "pieces",
    "read_window",
]
