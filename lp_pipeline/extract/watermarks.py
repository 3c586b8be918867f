"""What the warehouse remembers of each feed between syncs: its watermark, the length of its pieces, full pages.

Reading and storing are elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lp_pipeline.clients.leadperfection import Window, as_sent
from lp_pipeline.settings import Settings
from lp_pipeline.storage.warehouse import bound

SANDBOX_FIRST_SYNC = timedelta(days=30)  # so that there is something to see


@dataclass(frozen=True)
class FeedState:
    """What a sync begins with. `watermark` is the instant up to which the feed is read (SPEC W1), `set_back_from` what
    it was, if that was later than now; `piece_limit` is there if longer pieces did not fit into a run (W2);
    `full_page_seen` tells whether this LeadPerfection has once given a full page of this size (W4)."""

    watermark: datetime
    set_back_from: datetime | None
    piece_limit: timedelta | None
    full_page_seen: bool


def begin_feed(connection: Any, feed: str, settings: Settings) -> FeedState:
    """The feed's state. The first attempt's beginning is kept, should it fail; a watermark later than now is set back
    to the newest window of the ledger that is not (SPEC W1)."""
    now = settings.now()
    first = now if settings.lp_api_url else now - SANDBOX_FIRST_SYNC
    bound(connection, "extract/first_watermark", {"feed": feed, "first": first})
    values = {"feed": feed, "now": now, "page_size": settings.lp_page_size}
    ((watermark, piece_limit, full_page_seen, earlier),) = bound(connection, "extract/feed_state", values)
    if watermark <= now:
        return FeedState(watermark, None, piece_limit, full_page_seen)
    back = earlier or now
    move_watermark(connection, feed, back)
    return FeedState(back, watermark, piece_limit, full_page_seen)


def news_from(connection: Any, feed: str, settings: Settings) -> datetime:
    """Where the next sync's window of this feed begins, on LP's wall clock; what is stamped later is news to it."""
    now = settings.now()
    found = bound(connection, "extract/watermark", {"feed": feed})
    watermark = min(found[0][0], now) if found else now
    window = Window(watermark - timedelta(minutes=settings.lp_overlap_minutes), now)
    return as_sent(window, settings.zone, other=settings.duckdb_zone).start


def move_watermark(connection: Any, feed: str, to: datetime) -> None:
    """Set a feed's watermark, inside the caller's transaction."""
    bound(connection, "extract/move_watermark", {"feed": feed, "to": to})


def limit_pieces(connection: Any, feed: str, length: timedelta | None) -> None:
    """Remember how long a piece of this feed may be at the next sync; None for the usual length."""
    bound(connection, "extract/limit_pieces", {"feed": feed, "length": length})


def full_page_seen(connection: Any, settings: Settings) -> bool:
    """Whether this LeadPerfection has once given a full page of this size (SPEC W4)."""
    return bool(bound(connection, "extract/full_page_seen", {"page_size": settings.lp_page_size}))


def remember_full_page(connection: Any, settings: Settings) -> None:
    """It has."""
    bound(connection, "extract/remember_full_page", {"page_size": settings.lp_page_size})
