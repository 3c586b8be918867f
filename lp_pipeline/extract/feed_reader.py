"""Reading one feed, from its watermark to now in pieces, or through a window of the past (SPEC W1, W2).

Asking for a piece until it is sure is the piece reader's. What follows from the rows is not decided here.
"""

import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lp_pipeline.clients.leadperfection import Client, Feed, Window, halves, pieces
from lp_pipeline.errors import LeadPerfectionError, OutOfTime, SlowQuery
from lp_pipeline.extract.landing import Kind, Piece, store
from lp_pipeline.extract.piece_reader import PATIENT_BELOW, PieceReader
from lp_pipeline.extract.watermarks import begin_feed, limit_pieces, move_watermark, news_from, remember_full_page
from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import remember_account
from lp_pipeline.storage.warehouse import Warehouse, with_room

BELIEVE_GAPS_AFTER = timedelta(hours=24)
Access = Callable[[], AbstractContextManager[Warehouse]]


@dataclass
class FeedReport:
    """What a person wants to know of one feed's reading."""

    feed: str
    window_from: datetime | None = None
    window_to: datetime | None = None
    pieces: int = 0
    pages: int = 0
    readings: int = 0
    stored: int = 0
    set_aside: int = 0
    outcomes: list[str] = field(default_factory=list)
    unread_since: datetime | None = None
    error: str | None = None
    full_page_seen: bool = False  # whether LeadPerfection has ever given a full page (SPEC W4)


class FeedReader:
    """Reads one feed under one sync number.

    `access` gives the warehouse for a moment, for nothing is fetched while it is open. `stop_at` is the monotonic
    instant after which no further piece is begun.
    """

    def __init__(
        self,
        client: Client,
        access: Access,
        settings: Settings,
        feed: Feed,
        sync_id: int,
        *,
        kind: Kind = "sync",
        stop_at: float = float("inf"),
        warn: Callable[[str], None] = lambda _message: None,
        on_page: Callable[[Window, int], None] = lambda _window, _rows: None,
    ) -> None:
        self._client = client
        self._access = access
        self._kind = kind
        self._settings = settings
        self._feed = feed
        self._sync_id = sync_id
        self._stop_at = stop_at
        self._warn = warn
        self._on_page = on_page
        self._report = FeedReport(feed.name)
        self._pieces: PieceReader
        self._believes_gaps = False
        self._moving = True  # until a piece came back empty, or with elements that are no records, and was not believed
        self._out_of_time = False

    def read(self) -> FeedReport:
        """Read from the watermark to now. LeadPerfection's failures end up in the report and the ledger (SPEC W8);
        `WarehouseError` is raised."""
        settings, feed = self._settings, self._feed.name
        with self._access() as warehouse, warehouse.transaction() as connection:
            state = begin_feed(connection, feed, settings)
        if state.set_back_from:
            self._warn(
                f"The {feed} feed's watermark {state.set_back_from.isoformat()} was later than now "
                f"({settings.now().isoformat()}): the clock was set back, or was wrong before. It is set back to "
                f"{state.watermark.isoformat()}; what lies between is read again."
            )
        now = max(settings.now(), state.watermark)
        self._believes_gaps = now - state.watermark >= BELIEVE_GAPS_AFTER
        length = timedelta(hours=settings.lp_piece_hours)
        window = Window(state.watermark - timedelta(minutes=settings.lp_overlap_minutes), now)
        self._through(window, now, min(length, state.piece_limit or length), full_page_seen=state.full_page_seen)
        if state.piece_limit and not self._report.unread_since:  # all is read: pieces of the usual length again
            self._limit_pieces(None)
        return self._report

    def read_past(self, window: Window, *, full_page_seen: bool) -> FeedReport:
        """Read a piece of the past, however long, for a backfill or a sweep; no watermark moves. Errors as `read`.

        `full_page_seen` is what the warehouse, or the last report of the same run, knew.
        """
        self._believes_gaps = True
        length = max(timedelta(hours=self._settings.lp_piece_hours), window.end - window.begin)
        self._through(window, self._settings.now(), length, full_page_seen=full_page_seen)
        return self._report

    def _through(self, window: Window, now: datetime, length: timedelta, *, full_page_seen: bool) -> None:
        report = self._report
        report.window_from, report.window_to = window.begin, window.end
        self._pieces = PieceReader(
            self._client,
            self._feed,
            self._settings,
            now=now,
            length=length,
            full_page_seen=full_page_seen,
            warn=self._warn,
            on_page=self._on_page,
        )
        todo = deque(pieces(window, length))
        while todo and not report.error and not self._out_of_time:
            if report.pieces and time.monotonic() > self._stop_at:
                report.unread_since = todo[0].begin
                self._warn(
                    f"The {self._feed.name} feed is read up to {todo[0].begin.isoformat()}; this run's time is up, "
                    "and the next sync continues from there."
                )
                break
            todo.extendleft(reversed(self._read_piece(todo.popleft())))
        report.set_aside, report.full_page_seen = self._pieces.set_aside, self._pieces.full_page_seen

    def _read_piece(self, piece: Window) -> tuple[Window, ...]:
        """Read and store one piece; the smaller ones to be read in its place, if it would not do."""
        started_at = self._settings.now()
        smaller = halves(piece)
        try:
            attempts = self._pieces.attempts(piece)
        except OutOfTime as error:
            self._cut(piece, started_at, error)
        except SlowQuery as error:
            if smaller and piece.end - piece.begin > PATIENT_BELOW:
                return smaller
            self._fail(piece, started_at, error)
        except LeadPerfectionError as error:
            self._fail(piece, started_at, error)
        else:
            self._store(attempts)
            if attempts[-1].outcome == "shifted":
                if smaller:
                    return smaller
                restless = LeadPerfectionError(
                    f"Rows of the {self._feed.name} feed keep moving between pages, even within one second. "
                    "Set a larger LP_PAGE_SIZE; the next sync tries again."
                )
                self._fail(piece, started_at, restless)
        return ()

    def _cut(self, piece: Window, started_at: datetime, error: OutOfTime) -> None:
        """A piece that does not fit into a run is left to the next sync, in halves (SPEC W2): no failure, unless it is
        too short to be cut."""
        half = (piece.end - piece.begin) / 2
        if half < timedelta(seconds=1):
            self._fail(piece, started_at, error)
            return
        self._out_of_time = True
        self._log_failure(piece, started_at, error, fails_run=False)
        self._limit_pieces(half)
        self._warn(
            f"The {self._feed.name} feed is read up to {piece.begin.isoformat()}; the rest is left to the next sync, "
            f"in smaller pieces. {error}"
        )

    def _limit_pieces(self, length: timedelta | None) -> None:
        with self._access() as warehouse, warehouse.transaction() as connection:
            limit_pieces(connection, self._feed.name, length)

    def _store(self, attempts: list[Piece]) -> None:
        """Store what was read and, unless it is unsure, move the watermark in the same transaction (SPEC W1)."""
        report, outcome = self._report, attempts[-1].outcome
        if attempts[-1].no_records:
            self._warn(
                f"The {self._feed.name} feed: {attempts[-1].error}. They are in rejected_records; the rest "
                "was stored as usual. The next syncs ask for the same time again, for a day at most."
            )
        if (outcome == "empty" or attempts[-1].no_records) and not self._believes_gaps:
            self._moving = False  # what follows is read all the same, but the next sync asks for this piece again
        moves = self._kind == "sync" and self._moving and outcome != "shifted"
        with self._access() as warehouse:
            stored = with_room(lambda: self._stored(warehouse, attempts, moves=moves))
        report.pieces += 1
        report.stored += stored
        for piece in attempts:
            report.pages += piece.pages
            report.readings += len(piece.readings)
            report.outcomes.append(piece.outcome)

    def _stored(self, warehouse: Warehouse, attempts: list[Piece], *, moves: bool) -> int:
        """How many readings were new."""
        stored, first_page = 0, self._report.pages
        with warehouse.transaction() as connection:
            remember_account(connection, self._settings)
            for piece in attempts:
                stored += store(
                    connection,
                    self._sync_id,
                    self._feed.name,
                    piece,
                    first_page=first_page,
                    ignored=self._settings.lp_ignore_fields,
                    moves=piece is attempts[-1] and moves,
                    kind=self._kind,
                    news_from=news_from(connection, self._feed.name, self._settings),
                )
                first_page += piece.pages
            if moves:
                move_watermark(connection, self._feed.name, attempts[-1].window.end)
            if self._pieces.full_page_seen:
                remember_full_page(connection, self._settings)
        return stored

    def _fail(self, window: Window, started_at: datetime, error: LeadPerfectionError) -> None:
        self._report.error = str(error)
        self._log_failure(window, started_at, error, fails_run=True)

    def _log_failure(
        self, window: Window, started_at: datetime, error: LeadPerfectionError, *, fails_run: bool
    ) -> None:
        """Write to the ledger, from which the end of the run learns whether the feed counts as unread (SPEC W8)."""
        self._report.outcomes.append("failed")
        self._report.unread_since = window.begin
        piece = Piece(
            window,
            self._pieces.sent(window),
            started_at,
            self._settings.now(),
            pages=0,
            readings=[],
            outcome="failed",
            error=f"{error} {error.words}" if error.words else str(error),
            failure=str(error) if fails_run else None,
            failure_kind=type(error).__name__ if fails_run else None,
        )
        name, kind = self._feed.name, self._kind
        with self._access() as warehouse, warehouse.transaction() as connection:
            store(connection, self._sync_id, name, piece, first_page=0, ignored=(), moves=False, kind=kind)
