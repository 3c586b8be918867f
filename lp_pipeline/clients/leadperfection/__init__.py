"""The LeadPerfection client: sign-in, calls, windows, paging, errors. It knows no Dagster and no DuckDB."""

from lp_pipeline.clients.leadperfection.client import Client
from lp_pipeline.clients.leadperfection.feeds import Feed, Reading, WindowReading, feeds, read_window
from lp_pipeline.clients.leadperfection.lookup import find, find_lead, look_up
from lp_pipeline.clients.leadperfection.page import Answer
from lp_pipeline.clients.leadperfection.responses import lookup
from lp_pipeline.clients.leadperfection.windows import LATE, SentWindow, Window, as_sent, halves, pieces
from lp_pipeline.clients.leadperfection.writes import Write, Written, call, note, production_note, written
from lp_pipeline.clients.rate_limit import RateLimiter

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
    "find_lead",
    "halves",
    "look_up",
    "lookup",
    "note",
    "pieces",
    "production_note",
    "read_window",
    "written",
]
