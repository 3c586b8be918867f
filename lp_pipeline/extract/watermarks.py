"""What the warehouse remembers of each feed between syncs: watermarks, lengths of pieces, page sizes.

Reading and storing are elsewhere.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from lp_pipeline.clients.leadperfection import Window, as_sent
from lp_pipeline.settings import Settings
from lp_pipeline.storage.warehouse import Warehouse

SANDBOX_FIRST_SYNC = timedelta(days=30)  # so that there is something to see


def take_watermark(warehouse: Warehouse, feed: str, settings: Settings, warn: Callable[[str], None]) -> datetime:
    """Up to when this feed is read (SPEC W1). The first attempt's beginning is kept, should it fail.

    A watermark later than now is set back to the newest window of the ledger that is not.
    """
    now = settings.now()
    with warehouse.transaction() as connection:
        found = connection.execute(
            "select watermark from pipeline.watermarks where feed = $feed", {"feed": feed}
        ).fetchone()
        if found is None:
            first = now if settings.lp_api_url else now - SANDBOX_FIRST_SYNC
            connection.execute("insert into pipeline.watermarks values ($1, $2, null)", [feed, first]).fetchall()
            return first
        watermark: datetime = found[0]
        if watermark <= now:
            return watermark
        earlier = connection.execute(
            "select max(window_to) from sync_runs where feed = $feed and watermark_moved and window_to <= $now",
            {"feed": feed, "now": now},
        ).fetchone()
        back: datetime = (earlier and earlier[0]) or now
        move_watermark(connection, feed, back)
        warn(
            f"The {feed} feed's watermark {watermark.isoformat()} was later than now ({now.isoformat()}): the clock "
            f"was set back, or was wrong before. It is set back to {back.isoformat()}; what lies between is read again."
        )
        return back


def news_from(connection: Any, feed: str, settings: Settings) -> datetime:
    """Where the next sync's window of this feed begins, on LP's wall clock; what is stamped later is news to it."""
    now = settings.now()
    found = connection.execute("select watermark from pipeline.watermarks where feed = $1", [feed]).fetchone()
    watermark = min(found[0], now) if found else now
    return as_sent(Window(watermark - timedelta(minutes=settings.lp_overlap_minutes), now), settings.zone).start


def move_watermark(connection: Any, feed: str, to: datetime) -> None:
    """Set a feed's watermark, inside the caller's transaction."""
    connection.execute("update pipeline.watermarks set watermark = $1 where feed = $2", [to, feed]).fetchall()


def piece_limit(warehouse: Warehouse, feed: str) -> timedelta | None:
    """How long a piece of this feed may be, if longer ones did not fit into a run (SPEC W2)."""
    with warehouse.transaction() as connection:
        found = connection.execute(
            "select piece_limit from pipeline.watermarks where feed = $feed", {"feed": feed}
        ).fetchone()
    return found[0] if found else None


def limit_pieces(warehouse: Warehouse, feed: str, length: timedelta | None) -> None:
    """Remember how long a piece of this feed may be at the next sync; None for the usual length."""
    with warehouse.transaction() as connection:
        connection.execute(
            "update pipeline.watermarks set piece_limit = $1 where feed = $2 and piece_limit is distinct from $1",
            [length, feed],
        ).fetchall()


def has_full_page(warehouse: Warehouse, page_size: int) -> bool:
    """Whether this LeadPerfection has once given a full page of this size (SPEC W4)."""
    with warehouse.transaction() as connection:
        found = connection.execute("select 1 from pipeline.full_pages where page_size = $1", [page_size]).fetchone()
    return found is not None
