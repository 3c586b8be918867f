"""Reading history while syncs come first: what backfill and sweep share, and the backfill (SPEC W2).

Each piece is read with the warehouse closed, then stored, checked and merged in a short turn of its own.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from lp_pipeline.clients.leadperfection import Feed, Window, feeds, pieces
from lp_pipeline.errors import LeadPerfectionError, PipelineError, SettingsError, WarehouseError
from lp_pipeline.extract.feed_reader import FeedReader
from lp_pipeline.extract.history_cursors import days, finished_at, note_backfill, resume_backfill
from lp_pipeline.extract.landing import Kind
from lp_pipeline.extract.watermarks import full_page_seen
from lp_pipeline.runs.connections import SHARE_FOR_SYNCS, Connections
from lp_pipeline.runs.progress import Progress
from lp_pipeline.runs.steps import publish_changes
from lp_pipeline.settings import Settings
from lp_pipeline.storage.locks import PAST, Turn
from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline.storage.warehouse import Warehouse, run
from lp_pipeline.transform.merge import (
    KEY_TWICE,
    MERGE_COUNTS,
    MergeReport,
    merge,
    stage,
    staged_twice_message,
    without_ids_message,
)

Warn = Callable[[str], None]
Note = Callable[[Any], None]  # writes down, in an open transaction, how far it has come
NOT_ALONE = "Another backfill or sweep is running. Start this one again when it has ended."


@dataclass
class HistoryReport:
    """What a backfill or sweep did."""

    pieces: int = 0
    calls: int = 0
    readings: int = 0
    stored: int = 0
    merged: MergeReport = field(default_factory=MergeReport)
    unannounced: dict[str, int] = field(default_factory=dict)  # changes that LP had not announced, by field
    notes: list[str] = field(default_factory=list)


class Past:
    """Reads windows of the past for one run, within `alone`."""

    def __init__(self, connections: Connections, kind: Kind, warn: Warn, info: Warn) -> None:
        self.connections = connections
        self.report = HistoryReport()
        self._kind = kind
        self._warn = warn
        self._full_page_seen = False
        self.progress = Progress(kind, info, connections.tell)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One backfill or sweep at a time, or the older of two readings might get the higher number (M4).

        Raises `WarehouseError` if another one is running.
        """
        settings = self.connections.settings
        with Turn(settings.data, PAST, who=f"a {self._kind}").if_free() as is_ours:
            if not is_ours:
                raise WarehouseError(NOT_ALONE)
            with self.connections.warehouse_briefly() as warehouse:
                begin_sync(warehouse, settings, self.connections.run_id)
                with warehouse.transaction() as connection:
                    self._full_page_seen = full_page_seen(connection, settings)
            self.connections.warn_of_zones(self._warn)
            with self.progress:
                try:
                    yield
                except BaseException:  # an interruption, too
                    self._publish_what_is_merged()
                    raise

    def _publish_what_is_merged(self) -> None:
        """So that users see it now, and not only after the next sync; another error does not hide the first one."""
        if self.report.stored:
            self.progress.tell("Publishing what is merged. Interrupt again to leave that to the next sync.")
            with suppress(PipelineError):
                publish_changes(self.connections)

    def sync_number(self) -> int:
        """The number of the piece's readings, taken before it is read: what a sync reads meanwhile is newer (M4)."""
        with self.connections.warehouse_briefly() as warehouse:
            return begin_sync(warehouse, self.connections.settings, f"{self._kind} {self.connections.run_id} {uuid4()}")

    def read(self, window: Window, of: Iterable[Feed], note: Note | None = None) -> None:
        """Read one piece through these feeds, store it, merge it and only then `note` it; raises `LeadPerfectionError`.

        The turn is taken four times at most: most of a long backfill's time is spent there.
        """
        settings, sync_id = self.connections.settings, self.sync_number()
        error: str | None = None
        readings = self.report.readings
        for feed in of:
            reader = FeedReader(
                self.connections.leadperfection_for_history,
                self.connections.warehouse_briefly,
                settings,
                feed,
                sync_id,
                kind=self._kind,
                warn=self._warn,
                on_page=self.progress.page,
            )
            read = reader.read_past(window, full_page_seen=self._full_page_seen)
            self._full_page_seen = read.full_page_seen
            self.report.calls += read.pages
            self.report.readings += read.readings
            self.report.stored += read.stored
            error = error or read.error
        # known ones may be merged again, and a killed run may have left some
        self.settle(sync_id, merges=self.report.readings > readings, note=None if error else note)
        self.report.pieces += 1
        if error:
            raise LeadPerfectionError(f"{error} Completed work is saved; start the {self._kind} again to resume.")

    def settle(self, sync_id: int, *, merges: bool = True, note: Note | None = None) -> None:
        """Merge what is stored, then `note` it in a transaction of its own; raises `WarehouseError` if a blocking check
        fails."""
        with self.connections.warehouse_briefly() as warehouse:
            if merges:
                checked_merge(warehouse, self.connections.settings, sync_id, self.report)
            if note:
                with warehouse.transaction() as connection:
                    note(connection)


def backfill(connections: Connections, first: date, last: date, *, warn: Warn, info: Warn) -> HistoryReport:
    """Read all that changed between two days of LP's calendar, both included (SPEC W2).

    An unfinished backfill of the same days resumes where it stopped. Raises `LeadPerfectionError`, `WarehouseError`,
    and `SettingsError` as `backfill_window`.
    """
    past, settings = Past(connections, "backfill", warn, info), connections.settings
    now, length = settings.now(), timedelta(hours=settings.lp_piece_hours)
    whole = backfill_window(settings, first, last, now)
    with past.alone():
        with connections.warehouse_briefly() as warehouse, warehouse.transaction() as connection:
            read_to = resume_backfill(connection, first, last, now)
            before = finished_at(connection, first, last)
        if read_to:
            past.report.notes.append(f"resumed from {read_to.astimezone(settings.zone):%Y-%m-%d %H:%M}")
        elif before:
            past.report.notes.append(f"read again: these days were read by {before.astimezone(settings.zone):%Y-%m-%d}")
        begin = min(read_to or whole.begin, whole.end)
        done = len(pieces(Window(whole.begin, begin), length)) if read_to else 0  # by earlier runs
        todo = pieces(Window(begin, whole.end), length)
        for number, window in enumerate(todo):
            progress = _progress(past.report, window, done + number, done + len(todo))
            left = time_left(past.report.calls, number, len(todo) - number, settings.lp_rate_per_minute)
            past.progress.step(", ".join(filter(None, (progress, left))), done + number, done + len(todo))
            ended = settings.now() if number + 1 == len(todo) else None
            note = partial(note_backfill, first=first, last=last, read_to=window.end, finished_at=ended)
            past.read(window, [feed for feed in feeds(settings) if feed], note)
    return past.report


def backfill_window(settings: Settings, first: date, last: date, now: datetime) -> Window:
    """These days, up to now. Raises `SettingsError` if there is nothing to read in them."""
    if first > last:
        raise SettingsError(f"The backfill's last day {last} is before its first day {first}. Swap them.")
    whole = days(first, last, settings.zone, now)
    if whole.begin == whole.end:
        raise SettingsError(f"The backfill begins on {first}, and that day has not begun.")
    return whole


def check_alone(settings: Settings) -> None:
    """Raise `WarehouseError` if a backfill or sweep is running."""
    if Turn(settings.data, PAST).is_taken():
        raise WarehouseError(NOT_ALONE)


def _progress(report: HistoryReport, window: Window, done: int, of: int) -> str:
    """How far it is."""
    return f"piece {done + 1} of {of} ({window.begin:%Y-%m-%d}), {report.readings:,} records read"


def time_left(calls: int, done: int, left: int, per_minute: int) -> str:
    """The time that so many more pieces take if each takes as many calls as those that this run has done, at LP's rate,
    syncs getting their share; nothing is said before the first one is done."""
    if not done:
        return ""
    return f"about {_length(calls / done * left, per_minute)} left"


def usual_time(settings: Settings, number_of_days: int) -> str:
    """How long a backfill of so many days takes at LP's rate: one request each piece and feed, two while no full page
    was seen; days on which more changed than a page holds take longer."""
    per_minute, number = settings.lp_rate_per_minute, sum(feed is not None for feed in feeds(settings))
    calls = number_of_days * 24 / settings.lp_piece_hours * number
    return f"{_length(calls, per_minute)} to {_length(2 * calls, per_minute)}"


def _length(calls: float, per_minute: int) -> str:
    """How long so many calls take, in words."""
    minutes = calls / (per_minute - per_minute // SHARE_FOR_SYNCS)
    return f"{minutes / 60:.1f} hours" if minutes > 90 else f"{max(minutes, 1):.0f} min"


def checked_merge(warehouse: Warehouse, settings: Settings, sync_id: int, report: HistoryReport) -> None:
    """Stage, check as the sync's blocking checks do, and merge, in one turn."""
    stage(warehouse, settings)
    with warehouse.connection() as connection:
        twice = run(connection, "checks/staged_keys_are_unique")
        without_ids = run(connection, "checks/batch_without_prospect_ids")
    if twice:
        raise WarehouseError(staged_twice_message(len(twice)))
    if without_ids:
        raise WarehouseError(without_ids_message(*without_ids[0]))
    merged = merge(warehouse, settings, sync_id)
    for name in MERGE_COUNTS:
        setattr(report.merged, name, getattr(report.merged, name) + getattr(merged, name))
    with warehouse.connection({"sync_id": sync_id}) as connection:
        if run(connection, "checks/opportunity_keys_are_unique"):
            raise WarehouseError(KEY_TWICE)
        for name, number in run(connection, "checks/unannounced_changes"):
            report.unannounced[name] = report.unannounced.get(name, 0) + number
