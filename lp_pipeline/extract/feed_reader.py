"""Reading one feed, from its watermark to now in pieces, or through a window of the past, until sure (SPEC W1 to W5).

Which rows changed and what follows from it is not decided here.
"""

import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lp_pipeline.clients.leadperfection import (
    LATE,
    Client,
    Feed,
    Window,
    WindowReading,
    as_sent,
    halves,
    pieces,
    read_window,
)
from lp_pipeline.errors import LeadPerfectionError, OutOfTime, SlowQuery
from lp_pipeline.extract.landing import Kind, Piece, store
from lp_pipeline.extract.watermarks import (
    has_full_page,
    limit_pieces,
    move_watermark,
    news_from,
    piece_limit,
    take_watermark,
)
from lp_pipeline.settings import Settings
from lp_pipeline.storage.sync_log import remember_account
from lp_pipeline.storage.warehouse import Warehouse

BELIEVE_EMPTY_AFTER = timedelta(hours=24)
BEFORE_READING_AGAIN = 3.0  # seconds
MORE_READINGS = 3  # W4: read once more, three times at most
PATIENT_BELOW = timedelta(hours=1)  # a window this short that still times out holds a record that does
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
    error_kind: str | None = None


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
        self.trust_short_page = False
        self._believes_empty = False
        self._moving = True  # until a piece came back empty and was not believed
        self._now = settings.now()
        self._length = timedelta(hours=settings.lp_piece_hours)
        self._out_of_time = False

    def read(self) -> FeedReport:
        """Read from the watermark to now. LeadPerfection's failures end up in the report and the ledger (SPEC W8);
        `WarehouseError` is raised."""
        report = self._report
        with self._access() as warehouse:
            watermark = take_watermark(warehouse, self._feed.name, self._settings, self._warn)
            self._length = min(self._length, piece_limit(warehouse, self._feed.name) or self._length)
            self.trust_short_page = has_full_page(warehouse, self._settings.lp_page_size)
        self._now = max(self._settings.now(), watermark)
        self._believes_empty = self._now - watermark >= BELIEVE_EMPTY_AFTER
        self._through(Window(watermark - timedelta(minutes=self._settings.lp_overlap_minutes), self._now))
        if not report.unread_since:  # all is read: the next gap is read in pieces of the usual length again
            with self._access() as warehouse:
                limit_pieces(warehouse, self._feed.name, None)
        return report

    def read_past(self, window: Window, *, trust_short_page: bool) -> FeedReport:
        """Read a piece of the past, however long, for a backfill or a sweep; no watermark moves. Errors as `read`.

        `trust_short_page` is what the warehouse, or the last reader of the same run, knew.
        """
        self._length = max(self._length, window.end - window.begin)
        self.trust_short_page = trust_short_page
        self._believes_empty = True
        self._through(window)
        return self._report

    def _through(self, window: Window) -> None:
        report = self._report
        report.window_from, report.window_to = window.begin, window.end
        todo = deque(pieces(window, self._length))
        while todo and not report.error and not self._out_of_time:
            if report.pieces and time.monotonic() > self._stop_at:
                report.unread_since = todo[0].begin
                self._warn(
                    f"The {self._feed.name} feed is read up to {todo[0].begin.isoformat()}; this run's time is over, "
                    "the next sync goes on from there."
                )
                break
            todo.extendleft(reversed(self._read_piece(todo.popleft())))

    def _read_piece(self, piece: Window) -> tuple[Window, ...]:
        """Read and store one piece; the smaller ones to be read in its place, if it would not do."""
        started_at = self._settings.now()
        smaller = halves(piece)
        try:
            attempts = self._attempts(piece)
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
        self._fail(piece, started_at, error)
        if half < timedelta(seconds=1):
            return
        self._out_of_time = True
        self._report.error = self._report.error_kind = None
        with self._access() as warehouse:
            limit_pieces(warehouse, self._feed.name, half)
        self._warn(
            f"The {self._feed.name} feed is read up to {piece.begin.isoformat()}, the rest in smaller pieces. {error}"
        )

    def _attempts(self, window: Window) -> list[Piece]:
        """Ask for a piece until its rows are sure: each asking that was not, as `shifted`, and the last one."""
        ends_now = window.end == self._now
        attempts: list[Piece] = []
        previous: WindowReading | None = None
        for attempt in range(1 + MORE_READINGS):
            if attempt:  # a stamp of the last seconds would make the next reading look unsure, too
                self._client.pause(BEFORE_READING_AGAIN)
            started_at = self._settings.now()
            reading = self._read(window)
            if not reading.readings:  # W5: under load LP answers nothing where there is something
                again = self._read(window)
                reading = replace(again, pages=reading.pages + again.pages)
            agrees = previous is not None and previous.ids == reading.ids
            sure = (not reading.several and previous is None) or (not reading.shifted if ends_now else agrees)
            if agrees and not ends_now:  # both readings of a settled piece are one row of the ledger
                before = attempts.pop()
                started_at = before.started_at
                reading = replace(reading, pages=before.pages + reading.pages)
            outcome = "shifted" if not sure else "read" if reading.readings else "empty"
            attempts.append(
                Piece(window, reading.sent, started_at, self._settings.now(), reading.pages, reading.readings, outcome)
            )
            if sure:
                break
            previous = reading
        return attempts

    def _late(self, window: Window) -> timedelta:
        """W3: every end is sent late, but that of a half which another half follows: it would not be any smaller."""
        is_half = window.end != self._now and window.end - window.begin < self._length
        return timedelta() if is_half else LATE

    def _read(self, window: Window) -> WindowReading:
        reading = read_window(
            self._client,
            self._feed,
            window,
            self._settings,
            trust_short_page=self.trust_short_page,
            patient=window.end - window.begin <= PATIENT_BELOW,
            late=self._late(window),
            on_page=lambda rows: self._on_page(window, rows),
        )
        self.trust_short_page = self.trust_short_page or reading.full_page
        if reading.set_aside:
            self._report.set_aside += len(reading.set_aside)
            self._warn(
                f"{len(reading.set_aside)} records of the {self._feed.name} feed between {window.begin.isoformat()} "
                f"and {window.end.isoformat()} time out at LeadPerfection even one by one: rows {reading.set_aside} of "
                "that window were set aside, the rest was read. Ask LeadPerfection to look at these records."
            )
        return reading

    def _store(self, attempts: list[Piece]) -> None:
        """Store what was read and, unless it is unsure, move the watermark in the same transaction (SPEC W1)."""
        report, outcome = self._report, attempts[-1].outcome
        if outcome == "empty" and not self._believes_empty:
            self._moving = False  # what follows is read all the same, but the next sync asks for this piece again
        moves = self._kind == "sync" and self._moving and outcome != "shifted"
        with self._access() as warehouse, warehouse.transaction() as connection:
            remember_account(connection, self._settings)
            for piece in attempts:
                last = piece is attempts[-1]
                stored = store(
                    connection,
                    self._sync_id,
                    self._feed.name,
                    piece,
                    first_page=report.pages,
                    ignored=self._settings.lp_ignore_fields,
                    moves=last and moves,
                    kind=self._kind,
                    news_from=news_from(connection, self._feed.name, self._settings),
                )
                report.pages += piece.pages
                report.readings += len(piece.readings)
                report.stored += stored
                report.outcomes.append(piece.outcome)
            report.pieces += 1
            if moves:
                move_watermark(connection, self._feed.name, attempts[-1].window.end)
            if self.trust_short_page:
                connection.execute(
                    "insert into pipeline.full_pages select $size where not exists "
                    "(select 1 from pipeline.full_pages where page_size = $size)",
                    {"size": self._settings.lp_page_size},
                ).fetchall()

    def _fail(self, window: Window, started_at: datetime, error: LeadPerfectionError) -> None:
        report = self._report
        report.error, report.error_kind = str(error), type(error).__name__
        report.outcomes.append("failed")
        report.unread_since = window.begin
        told = f"{error} {error.words}" if error.words else str(error)
        sent = as_sent(window, self._settings.zone, self._late(window))
        piece = Piece(window, sent, started_at, self._settings.now(), 0, [], "failed", told)
        with self._access() as warehouse, warehouse.transaction() as connection:
            store(
                connection,
                self._sync_id,
                self._feed.name,
                piece,
                first_page=0,
                ignored=(),
                moves=False,
                kind=self._kind,
            )
