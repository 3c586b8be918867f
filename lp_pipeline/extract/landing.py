"""Storing what was read: readings, their ledger row and the watermark, inside the caller's transaction.

What is new and what is only counted, SQL decides (`sql/extract/`).
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from lp_pipeline.clients.leadperfection import Reading, SentWindow, Window
from lp_pipeline.extract.spool import Spool
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.record_keys import KeyBits
from lp_pipeline.storage.warehouse import LARGE, bound, run

Kind = Literal["sync", "backfill", "sweep"]
FEEDS = ("leads", "prospects")  # the order of feeds within a sync
SPOOL = ".work.duckdb.spool"
HUGE = 4_000_000  # bytes of a record: DuckDB takes fifty times as much memory to read it
BUFFER = 8_000_000  # bytes of the spool file at once


@dataclass(frozen=True)
class Piece:
    """What one asking for one piece of a window brought, as the ledger shows it (SPEC W6)."""

    window: Window
    sent: SentWindow
    started_at: datetime
    ended_at: datetime
    pages: int
    readings: Sequence[Reading] | Spool
    outcome: str
    error: str | None = None  # with LeadPerfection's own words
    no_records: int = 0  # how many of the readings are no prospects' records: something else may be behind them (W5)
    failure: str | None = None  # why the feed counts as unread, without them
    failure_kind: str | None = None


def reading_number(sync_id: int, feed: str, page: int, place: int) -> int:
    """The reading order (SPEC W7: sync number, feed, page, place) as one number."""
    return ((sync_id * 2 + FEEDS.index(feed)) * 1_000_000 + page) * 100_000 + place


def store(
    connection: Any,
    sync_id: int,
    feed: str,
    piece: Piece,
    *,
    first_page: int,
    ignored: Collection[str],
    moves: bool,
    kind: Kind = "sync",
    news_from: datetime | None = None,
) -> int:
    """Append a piece's new readings and its ledger row; how many readings were new.

    `first_page` numbers the pages of a sync's pieces through; `moves` tells whether the watermark moves with it. `kind`
    tells whether it is history: what that inserts is not delivered to Hatch (SPEC D1), but for the records that carry
    a stamp later than `news_from` (LP's wall clock): the next sync would show those, and finds them known.
    """
    stored = 0
    if piece.readings:
        variables = {
            "sync_id": sync_id,
            "feed": feed,
            "sent_from": piece.sent.start,
            "sent_to": piece.sent.end,
            "is_history": kind != "sync",
            "news_from": news_from,
            "zone": bound(connection, "extract/zone")[0][0],  # of this warehouse's instants (SPEC J5)
        }
        spool = piece.readings
        if not isinstance(spool, Spool):
            spool = Spool.of(spool, _folder(connection), ignored)
        with _spooled(connection, spool, reading_number(sync_id, feed, first_page, 0), first_page):
            ((stored, was_in_the_past, queues),) = run(connection, "extract/judge", variables)
            if was_in_the_past:
                run(connection, "extract/look_at_stamps")
            if queues:
                run(connection, "extract/queue")
            if stored:
                run(connection, "extract/append")
        if stored:
            note_unpublished(connection)
    values = {
        "sync_id": sync_id,
        "feed": feed,
        "window_from": piece.window.begin,
        "window_to": piece.window.end,
        "started_at": piece.started_at,
        "ended_at": piece.ended_at,
        "pages": piece.pages,
        "readings": len(piece.readings),
        "outcome": piece.outcome,
        "error": piece.error,
        "stored": stored,
        "sent_from": piece.sent.start,
        "sent_to": piece.sent.end,
        "watermark_moved": moves,
        "kind": kind,
        "failure": piece.failure,
        "failure_kind": piece.failure_kind,
    }
    bound(connection, "extract/log_piece", values)
    return stored


@contextmanager
def _spooled(connection: Any, spool: Spool, first_no: int, first_page: int) -> Iterator[None]:
    """The readings as a file that SQL reads by `spooled()`: DuckDB takes lines from a file far faster than from Python,
    and no JSON has to pass through a join."""
    path = _folder(connection) / SPOOL
    keys = KeyBits(connection)
    variables = {
        "longest_line": spool.longest + 1024,
        "buffer_size": max(BUFFER, 2 * spool.longest + 4096),
        "first_no": first_no,
        "first_page": first_page,
        "shapes": [str(keys.of(names)) for names in spool.shapes],
    }
    keys.remember()
    if spool.longest > HUGE:
        (path.parent / LARGE).touch(mode=0o600)
    try:
        path.unlink(missing_ok=True)
        run(connection, "extract/spool", {**variables, "spool": str(spool.readable(path))})
        yield
    finally:
        path.unlink(missing_ok=True)


def _folder(connection: Any) -> Path:
    """The account's, in which DuckDB has a folder for what doesn't fit into memory."""
    return Path(connection.execute("select current_setting('temp_directory')").fetchall()[0][0]).parent
