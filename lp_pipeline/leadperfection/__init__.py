"""The LeadPerfection client: sign-in, calls, windows, paging, errors. It knows no Dagster and no DuckDB."""

from lp_pipeline.leadperfection.answers import lookup
from lp_pipeline.leadperfection.client import Answer, Client
from lp_pipeline.leadperfection.feeds import Feed, Reading, WindowReading, feeds, read_window
from lp_pipeline.leadperfection.limiter import RateLimiter
from lp_pipeline.leadperfection.lookups import find, look_up
from lp_pipeline.leadperfection.windows import LATE, SentWindow, Window, as_sent, halves, pieces
from lp_pipeline.leadperfection.writing import Write, Written, call, note, production_note, written

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
    "Write",
    "Written",
    "as_sent",
    "call",
    "feeds",
    "find",
    "halves",
    "look_up",
    "lookup",
    "note",
    "pieces",
    "production_note",
    "read_window",
    "written",
]
