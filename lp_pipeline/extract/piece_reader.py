"""Asking LeadPerfection for one piece of a window until it is sure what is in it (SPEC W3 to W5).

The pieces, their order and what is stored of them: `feed_reader`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from lp_pipeline.clients.json_shapes import Shape
from lp_pipeline.clients.leadperfection import (
    LATE,
    Client,
    Feed,
    SentWindow,
    Window,
    WindowReading,
    as_sent,
    read_window,
)
from lp_pipeline.extract.landing import Piece
from lp_pipeline.extract.spool import Spool
from lp_pipeline.settings import Settings
from lp_pipeline.storage.plain_records import is_plain_at_once

BEFORE_READING_AGAIN = 3.0  # seconds
MORE_READINGS = 3  # W4: read once more, three times at most
PATIENT_BELOW = timedelta(hours=1)  # a window this short that still times out holds a record that does


class PieceReader:
    """Reads the pieces of one window, which ends at `now` or in the past; pieces are as long as `length`, or halves.

    `full_page_seen` (SPEC W4) is what was known before, and afterwards what is known now. `set_aside` counts rows that
    time out even one by one.
    """

    def __init__(
        self,
        client: Client,
        feed: Feed,
        settings: Settings,
        *,
        now: datetime,
        length: timedelta,
        full_page_seen: bool,
        warn: Callable[[str], None],
        on_page: Callable[[Window, int], None],
    ) -> None:
        self._client = client
        self._feed = feed
        self._settings = settings
        self._now = now
        self._length = length
        self._warn = warn
        self._on_page = on_page
        self._shape = Shape("cst_id", is_plain_at_once)
        self.full_page_seen = full_page_seen
        self.set_aside = 0

    def attempts(self, window: Window) -> list[Piece]:
        """Ask until the rows are sure: each attempt that was not, as `shifted`, and the last one, which may be that
        too. Raises `LeadPerfectionError`."""
        attempts: list[Piece] = []
        previous: WindowReading | None = None
        for attempt in range(1 + MORE_READINGS):
            if attempt:  # a stamp of the last seconds would make the next reading look unsure, too
                self._client.pause(BEFORE_READING_AGAIN)
            started_at = self._settings.now()
            reading, spool = self._read(window)
            if not reading.records:  # W5: under load LP answers nothing where there is something
                again, spool = self._read(window)
                reading = replace(again, pages=reading.pages + again.pages)
            ends_now = window.end == self._now and not reading.outlasted
            agrees = previous is not None and previous.ids == reading.ids
            sure = (not reading.several and previous is None) or (not reading.shifted if ends_now else agrees)
            if agrees and not ends_now:  # both readings of a settled piece are one row of the ledger
                before = attempts.pop()
                started_at = before.started_at
                reading = replace(reading, pages=before.pages + reading.pages)
            outcome = "shifted" if not sure else "read" if reading.records else "empty"
            attempts.append(
                Piece(
                    window,
                    reading.sent,
                    started_at,
                    self._settings.now(),
                    reading.pages,
                    spool,
                    outcome,
                    error=_no_records(reading),
                    no_records=len(reading.no_records),
                )
            )
            if sure:
                break
            previous = reading
        return attempts

    def sent(self, window: Window) -> SentWindow:
        """The window as it is sent to LeadPerfection."""
        return as_sent(window, self._settings.zone, self._late(window), self._settings.duckdb_zone)

    def _late(self, window: Window) -> timedelta:
        """W3: every end is sent late, but that of a half which another half follows: it would not be any smaller."""
        is_half = window.end != self._now and window.end - window.begin < self._length
        return timedelta() if is_half else LATE

    def _read(self, window: Window) -> tuple[WindowReading, Spool]:
        spool = Spool(self._settings.data, self._settings.lp_ignore_fields)
        reading = read_window(
            self._client,
            self._feed,
            window,
            self._settings,
            trust_short_page=self.full_page_seen,
            patient=window.end - window.begin <= PATIENT_BELOW,
            late=self._late(window),
            keep=spool.add,
            on_page=lambda rows: self._on_page(window, rows),
            shape=self._shape,
        )
        self.full_page_seen = self.full_page_seen or reading.full_page
        if reading.set_aside:
            self.set_aside += len(reading.set_aside)
            self._warn(
                f"{len(reading.set_aside)} records of the {self._feed.name} feed between {window.begin.isoformat()} "
                f"and {window.end.isoformat()} time out at LeadPerfection even one by one. Rows {reading.set_aside} of "
                "that window were set aside; the rest was read. Ask LeadPerfection to look at these records."
            )
        return reading, spool


def _no_records(reading: WindowReading) -> str | None:
    """What the ledger says of elements that are no records: how many, and of which kinds."""
    if not reading.no_records:
        return None
    kinds = ", ".join(f"{kind} ×{count}" for kind, count in Counter(reading.no_records).most_common(5))
    return f"{len(reading.no_records)} of {reading.records} elements were not prospects: {kinds}"
