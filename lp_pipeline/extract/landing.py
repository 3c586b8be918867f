"""Storing what was read: readings, their ledger row and the watermark, inside the caller's transaction.

What is new and what is only counted, SQL decides (`sql/extract/`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lp_pipeline.clients.leadperfection import Reading, SentWindow, Window
from lp_pipeline.extract.normalize import LandedProspect, land
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.warehouse import run

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
    error: str | None = None


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
        variables = {
            "sync_id": sync_id,
            "feed": feed,
            "sent_from": piece.sent.start,
            "sent_to": piece.sent.end,
            "is_history": kind != "sync",
            "news_from": news_from,
            "zone": _zone(connection),
        }
        stored = int(run(connection, "extract/store_readings", variables)[0][0])
        if stored:
            note_unpublished(connection)
    connection.execute(
        "insert into sync_runs values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        [
            sync_id,
            feed,
            piece.window.begin,
            piece.window.end,
            piece.started_at,
            piece.ended_at,
            piece.pages,
            len(piece.readings),
            piece.outcome,
            piece.error,
            stored,
            piece.sent.start,
            piece.sent.end,
            moves,
            kind,
        ],
    ).fetchall()
    return stored


def _zone(connection: Any) -> str:
    """In which zone the times of this warehouse are (SPEC J5)."""
    return str((connection.execute("select zone from pipeline.account").fetchall() or [("UTC",)])[0][0])


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
    connection.execute(
        "create or replace temp table landed as select unnest($no::bigint[]) as reading_no, "
        "unnest($page::integer[]) as page, unnest($place::integer[]) as place, "
        "unnest($read_at::timestamptz[]) as read_at, unnest($key::varchar[]) as contact_key, "
        "unnest($id::varchar[]) as external_contact_id, unnest($digest::varchar[]) as digest, "
        "unnest($record::varchar[])::json as record, unnest($fields::varchar[])::json as fields, "
        "unnest($content::varchar[])::json as content",
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
    ).fetchall()
    leads = [(number, position, lead) for number, *_, p in rows for position, lead in enumerate(p.leads, 1)]
    connection.execute(
        "create or replace temp table landed_leads as select l.*, p.contact_key, p.external_contact_id, p.page, "
        "p.place, p.read_at from (select unnest($no::bigint[]) as reading_no, "
        "unnest($position::integer[]) as lead_place, unnest($key::varchar[]) as lead_key, "
        "unnest($id::varchar[]) as external_id, unnest($record::varchar[])::json as record, "
        "unnest($fields::varchar[])::json as fields, unnest($content::varchar[])::json as content) as l "
        "inner join landed as p using (reading_no)",
        {
            "no": [number for number, _, _ in leads],
            "position": [position for _, position, _ in leads],
            "key": [lead.key for _, _, lead in leads],
            "id": [lead.id for _, _, lead in leads],
            "record": [lead.record for _, _, lead in leads],
            "fields": [lead.fields for _, _, lead in leads],
            "content": [lead.content for _, _, lead in leads],
        },
    ).fetchall()
