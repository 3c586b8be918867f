"""Reading the past while syncs go on and come first: backfill (SPEC W2) and sweep (S1).

Each piece is read with the warehouse closed, then stored, checked and merged in a short turn of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import uuid4

from lp_pipeline.errors import LeadPerfectionError, WarehouseError
from lp_pipeline.ingestion.landing import Kind, Piece, store
from lp_pipeline.ingestion.past import days, note_backfill, note_sweep, oldest_entry, resume_backfill, swept_to
from lp_pipeline.ingestion.progress import Progress
from lp_pipeline.ingestion.reading import FeedReader
from lp_pipeline.ingestion.syncs import begin_sync
from lp_pipeline.leadperfection import Feed, Reading, SentWindow, Window, feeds, find, pieces
from lp_pipeline.merging import MergeReport, merge, stage, told_without_ids
from lp_pipeline.pipeline import ROOM, Pipeline
from lp_pipeline.warehouse import Warehouse
from lp_pipeline.warehouse.database import run

ACTIVE = timedelta(days=30)
ROUND = 30  # daily sweeps that go once through all history
ENTERED = 1024  # GetLead's option bit: the day a lead was entered
ACTIVE_SHARE = 0.6  # of a sweep's calls, for what was active lately
Warn = Callable[[str], None]


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


class _Past:
    """Reads windows of the past for one run."""

    def __init__(self, pipeline: Pipeline, kind: Kind, warn: Warn, info: Warn) -> None:
        self.pipeline = pipeline
        self.report = HistoryReport()
        self._kind = kind
        self._warn = warn
        self.progress = Progress(kind, info)

    def sync_number(self) -> int:
        """The number of the piece's readings, taken before it is read: what a sync reads meanwhile is newer (M4)."""
        with self.pipeline.briefly() as warehouse:
            return begin_sync(warehouse, self.pipeline.settings, f"{self._kind} {self.pipeline.run_id} {uuid4()}")

    def read(self, window: Window, of: Iterable[Feed]) -> None:
        """Read one piece through these feeds, store it and merge it; raises `LeadPerfectionError`."""
        settings, sync_id = self.pipeline.settings, self.sync_number()
        error: str | None = None
        readings = self.report.readings
        for feed in of:
            reader = FeedReader(
                self.pipeline.history_client,
                self.pipeline.briefly,
                settings,
                feed,
                sync_id,
                kind=self._kind,
                warn=self._warn,
                on_page=self.progress.page,
            )
            read = reader.read_past(window)
            self.report.calls += read.pages
            self.report.readings += read.readings
            self.report.stored += read.stored
            error = error or read.error
        if self.report.readings > readings:  # none of them may be new, and still some be judged again (J7)
            self.merge(sync_id)
        self.report.pieces += 1
        if error:
            raise LeadPerfectionError(f"{error} Start it again: it goes on where it stopped.")

    def merge(self, sync_id: int) -> None:
        """Merge what is stored; raises `WarehouseError` if a blocking check fails."""
        with self.pipeline.briefly() as warehouse:
            checked_merge(warehouse, self.pipeline, sync_id, self.report)


def backfill(pipeline: Pipeline, first: date, last: date, *, warn: Warn, info: Warn) -> HistoryReport:
    """Read all that changed between two days of LP's calendar, both included (SPEC W2).

    An unfinished backfill of the same days goes on where it stopped. Raises `LeadPerfectionError`, `WarehouseError`.
    """
    past, settings = _Past(pipeline, "backfill", warn, info), pipeline.settings
    whole = days(first, last, settings.zone, settings.now())
    with pipeline.briefly() as warehouse:
        begin_sync(warehouse, settings, pipeline.run_id)  # stops here if the folder holds another account's data
        with warehouse.transaction() as connection:
            read_to = resume_backfill(connection, first, last, settings.now())
    if read_to:
        past.report.notes.append(f"went on from {read_to.astimezone(settings.zone):%Y-%m-%d %H:%M}")
    todo = pieces(Window(min(read_to or whole.begin, whole.end), whole.end), timedelta(hours=settings.lp_piece_hours))
    with past.progress:
        for number, window in enumerate(todo):
            told = _left(past.report, number, len(todo), window, settings.lp_rate_per_minute)
            past.progress.step(told, number, len(todo))
            past.read(window, [feed for feed in feeds(settings) if feed])
            with pipeline.briefly() as warehouse, warehouse.transaction() as connection:
                finished = settings.now() if number + 1 == len(todo) else None
                note_backfill(connection, first, last, window.end, finished)
    return past.report


def _left(report: HistoryReport, done: int, of: int, window: Window, per_minute: int) -> str:
    """How far it is, and the time left at LP's rate, syncs getting their share."""
    text = f"piece {done + 1} of {of} ({window.begin:%Y-%m-%d}), {report.readings:,} records read"
    if not done:
        return text
    minutes = report.calls / done * (of - done) / (per_minute - per_minute // ROOM)
    left = f"{minutes / 60:.1f} hours" if minutes > 90 else f"{max(minutes, 1):.0f} min"
    return f"{text}, at most about {left} left at {per_minute} calls a minute"


def sweep(pipeline: Pipeline, *, full: bool, warn: Warn, info: Warn) -> HistoryReport:
    """Read again what was active lately, a slice of all history, and the rejected records (SPEC S1).

    Within LP_SWEEP_CALLS; `full` reads all history and keeps to no budget. Errors as `backfill`.
    """
    past, settings = _Past(pipeline, "sweep", warn, info), pipeline.settings
    with pipeline.briefly() as warehouse:
        begin_sync(warehouse, settings, pipeline.run_id)
        with warehouse.transaction() as connection:
            oldest, begin = oldest_entry(connection, settings.lp_timezone), swept_to(connection)
            rejected = [row[0] for row in connection.execute(REJECTED).fetchall()]
    now, length = settings.now(), timedelta(hours=settings.lp_piece_hours)
    budget = float("inf") if full else settings.lp_sweep_calls
    both = [feed for feed in feeds(settings) if feed]
    by_entry = [replace(feed, options=ENTERED) if feed.name == "leads" else feed for feed in both]
    with past.progress:
        _rejected(past, rejected, budget * (1 - ACTIVE_SHARE) / 2)
        active = pieces(Window(now - ACTIVE, now), length)
        for _ in _within(past, "active lately", list(reversed(active)), both, budget * ACTIVE_SHARE):
            pass
        if oldest is not None and oldest < now:
            todo = _slices(oldest, now, None if full else begin, length, full=full)
            for window in _within(past, "history", todo, by_entry, budget):
                with pipeline.briefly() as warehouse, warehouse.transaction() as connection:
                    note_sweep(connection, window.end)
    return past.report


REJECTED = (
    "select distinct external_contact_id from rejected_records where external_contact_id is not null "
    "order by external_contact_id"
)


def _slices(oldest: datetime, now: datetime, begin: datetime | None, length: timedelta, *, full: bool) -> list[Window]:
    """The pieces of history that are next: all, or a thirtieth from where the last sweep stopped, round and round."""
    if full or begin is None or not oldest <= begin < now:
        begin = oldest
    share = now - oldest if full else max((now - oldest) / ROUND, length)
    return pieces(Window(begin, min(begin + share, now)), length)


def _within(past: _Past, what: str, todo: Sequence[Window], of: Sequence[Feed], budget: float) -> Iterator[Window]:
    """Read pieces until the budget of calls is used; yields each that was read."""
    for number, window in enumerate(todo):
        if past.report.calls >= budget:
            past.report.notes.append(f"{what}: {len(todo) - number} of {len(todo)} pieces are left to the next sweep")
            break
        past.progress.step(f"{what}: piece {number + 1} of {len(todo)}", number, len(todo))
        past.read(window, of)
        yield window


def _rejected(past: _Past, cst_ids: Sequence[str], budget: float) -> None:
    """Read the rejected records again, by id."""
    settings, sync_id = past.pipeline.settings, past.sync_number()
    found: dict[str, list[Reading]] = {}
    for number, cst_id in enumerate(cst_ids):
        if past.report.calls >= budget:
            past.report.notes.append(f"rejected records: {len(cst_ids) - number} are left to the next sweep")
            break
        past.report.calls += 1
        answer = find(past.pipeline.history_client, settings, cst_id)
        if answer is not None:
            readings = found.setdefault(answer[0].name, [])
            readings.append(Reading(1, len(readings) + 1, answer[1], settings.now(), cst_id))
    if not found:
        return
    now = settings.now()
    wall = now.astimezone(settings.zone).replace(tzinfo=None)
    with past.pipeline.briefly() as warehouse, warehouse.transaction() as connection:
        for feed, readings in found.items():
            piece = Piece(Window(now, now), SentWindow(wall, wall), now, now, len(readings), readings, "read")
            ignored = settings.lp_ignore_fields
            past.report.stored += store(
                connection, sync_id, feed, piece, first_page=0, ignored=ignored, moves=False, kind="sweep"
            )
            past.report.readings += len(readings)
    past.merge(sync_id)


def checked_merge(warehouse: Warehouse, pipeline: Pipeline, sync_id: int, report: HistoryReport) -> None:
    """Stage, check as the sync's blocking checks do, and merge, in one turn."""
    settings = pipeline.settings
    stage(warehouse, settings)
    with warehouse.connection() as connection:
        twice = run(connection, "checks/staged_keys_are_unique")
        without_ids = run(connection, "checks/batch_without_prospect_ids")
    if twice:
        raise WarehouseError(f"{len(twice)} keys are staged twice: nothing was merged, the readings are kept.")
    if without_ids:
        raise WarehouseError(told_without_ids(*without_ids[0]))
    merged = merge(warehouse, settings, sync_id)
    for name in ("inserted", "updated", "unchanged", "stale", "rejected", "gone", "returned", "new_calls"):
        setattr(report.merged, name, getattr(report.merged, name) + getattr(merged, name))
    with warehouse.transaction({"sync_id": sync_id}) as connection:
        for name, number in run(connection, "checks/unannounced_changes"):
            report.unannounced[name] = report.unannounced.get(name, 0) + number
