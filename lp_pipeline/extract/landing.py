"""Storing what was read: readings, their ledger row and the watermark, inside the caller's transaction.

What is new and what is only counted, SQL decides (`sql/extract/`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lp_pipeline.clients.leadperfection import Reading, SentWindow, Window
from lp_pipeline.extract.normalize import LandedProspect, land
from lp_pipeline.storage.contact_points import keep_contact_points
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.warehouse import bound, run

Kind = Literal["sync", "backfill", "sweep"]
FEEDS = ("leads", "prospects")  # the order of feeds within a sync


@dataclass(frozen=True)
class Piece:
    """What one asking for one piece of a window brought, as the ledger shows it (SPEC W6)."""

    window: Window
    sent: SentWindow
    started_at: datetime
    ended_at: datetime
    pages: int
    readings: Sequence[Reading]
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
        landed = [(reading, land(reading.record, ignored)) for reading in piece.readings]
        _fill_landed(connection, sync_id, feed, landed, first_page)
        keep_contact_points(connection)
        variables = {
            "sync_id": sync_id,
            "feed": feed,
            "sent_from": piece.sent.start,
            "sent_to": piece.sent.end,
            "is_history": kind != "sync",
            "news_from": news_from,
            "zone": bound(connection, "extract/zone")[0][0],  # of this warehouse's instants (SPEC J5)
        }
        stored = int(run(connection, "extract/store_readings", variables)[0][0])
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


def _fill_landed(
    connection: Any, sync_id: int, feed: str, landed: Sequence[tuple[Reading, LandedProspect]], first_page: int
) -> None:
    rows = [
        (
            reading_number(sync_id, feed, first_page + reading.page, reading.place),
            first_page + reading.page,
            reading.place,
            reading.read_at,
            prospect,
        )
        for reading, prospect in landed
    ]
    bound(
        connection,
        "extract/land_prospects",
        {
            "no": [row[0] for row in rows],
            "page": [row[1] for row in rows],
            "place": [row[2] for row in rows],
            "read_at": [row[3] for row in rows],
            "key": [row[4].key for row in rows],
            "id": [row[4].id for row in rows],
            "digest": [row[4].digest for row in rows],
            "record": [row[4].record for row in rows],
            "fields": [row[4].fields for row in rows],
            "content": [row[4].content for row in rows],
        },
    )
    leads = [(number, position, lead) for number, *_, p in rows for position, lead in enumerate(p.leads, 1)]
    bound(
        connection,
        "extract/land_leads",
        {
            "no": [number for number, _, _ in leads],
            "position": [position for _, position, _ in leads],
            "key": [lead.key for _, _, lead in leads],
            "id": [lead.id for _, _, lead in leads],
            "record": [lead.record for _, _, lead in leads],
            "fields": [lead.fields for _, _, lead in leads],
            "content": [lead.content for _, _, lead in leads],
        },
    )
