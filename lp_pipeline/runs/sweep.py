"""The sweep (SPEC S1): what was active lately, a slice of all history, and the rejected records are read again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from lp_pipeline.clients.leadperfection import Feed, Reading, SentWindow, Window, feeds, find, pieces
from lp_pipeline.errors import NoRecords, SlowQuery
from lp_pipeline.extract.history_cursors import note_sweep, rejected_ids, slices, swept_to
from lp_pipeline.extract.landing import Piece, store
from lp_pipeline.extract.watermarks import news_from
from lp_pipeline.runs.backfill import HistoryReport, Note, Past, Warn
from lp_pipeline.runs.connections import Connections

ENTERED = 1024  # GetLead's option bit: the day a lead was entered
REJECTED_SHARE = 0.2  # of a sweep's calls
HISTORY_SHARE = 0.4  # with those for rejected records; the rest is for what was active lately


def sweep(connections: Connections, *, full: bool, warn: Warn, info: Warn) -> HistoryReport:
    """Read again what LeadPerfection may have changed without a stamp (SPEC S1).

    Within LP_SWEEP_CALLS; `full` reads all history and keeps to no budget. Errors as `backfill`.
    """
    past, settings = Past(connections, "sweep", warn, info), connections.settings
    now = settings.now()
    budget = float("inf") if full else settings.lp_sweep_calls
    both = [feed for feed in feeds(settings) if feed]
    by_entry = [replace(feed, options=ENTERED) if feed.name == "leads" else feed for feed in both]
    with past.alone():
        with connections.warehouse_briefly() as warehouse, warehouse.transaction() as connection:
            rejected = rejected_ids(connection, now.date())
            begin = None if full else swept_to(connection)
            history = slices(connection, settings, begin, 1 if full else settings.lp_sweep_round_days)
        _rejected(past, rejected, budget * REJECTED_SHARE)
        lately = pieces(
            Window(now - timedelta(days=settings.lp_sweep_active_days), now), timedelta(hours=settings.lp_piece_hours)
        )
        # history first, for a busy month must not keep it from its turn; what it leaves of its share is for that month
        share = budget * HISTORY_SHARE
        _within(past, "history", history, by_entry, share, lambda to: partial(note_sweep, to=to if to < now else None))
        # what a prospect shows may be older than all that was known when the sweep began
        while full and history and (older := _older(connections, history[0].begin)):
            _within(past, "older history", older, by_entry, budget)
            history = older
        _within(past, "active lately", list(reversed(lately)), both, budget)
    return past.report


def _older(connections: Connections, than: datetime) -> list[Window]:
    """The pieces of history before an instant, by the entry dates that are known now."""
    with connections.warehouse_briefly() as warehouse, warehouse.transaction() as connection:
        known = slices(connection, connections.settings, None, 1)
    return [Window(window.begin, min(window.end, than)) for window in known if window.begin < than]


def _within(
    past: Past,
    what: str,
    todo: Sequence[Window],
    of: Sequence[Feed],
    budget: float,
    note: Callable[[datetime], Note] | None = None,
) -> None:
    """Read pieces until the budget of calls is used; `note` gives what notes that it was read up to an instant."""
    for number, window in enumerate(todo):
        if past.report.calls >= budget:
            past.report.notes.append(
                f"{what}: {len(todo) - number} of {len(todo)} pieces are left to the next sweep; raise LP_SWEEP_CALLS "
                "to read more at once"
            )
            break
        past.progress.step(f"{what}: piece {number + 1} of {len(todo)}", number, len(todo))
        past.read(window, of, note(window.end) if note else None)


def _rejected(past: Past, cst_ids: Sequence[str], budget: float) -> None:
    """Read the rejected records again, by id."""
    settings, sync_id = past.connections.settings, past.sync_number()
    found: dict[str, list[Reading]] = {}
    for number, cst_id in enumerate(cst_ids):
        if past.report.calls >= budget:
            past.report.notes.append(f"rejected records: {len(cst_ids) - number} are left to the next sweep")
            break
        past.progress.step(f"rejected records: {number + 1} of {len(cst_ids)}", number, len(cst_ids))
        try:
            answer = find(past.connections.leadperfection_for_history, settings, cst_id)
        except (SlowQuery, NoRecords) as error:
            past.report.calls += 1
            what = "times out" if isinstance(error, SlowQuery) else "is answered with an error"
            past.report.notes.append(f"prospect {cst_id} {what} at LeadPerfection")
            continue
        past.report.calls += 1 if answer and answer[0].name == "leads" else 2
        if answer is not None:
            readings = found.setdefault(answer[0].name, [])
            readings.append(Reading(1, len(readings) + 1, answer[1], settings.now(), cst_id))
    if found:
        _store(past, sync_id, found, settings.now())


def _store(past: Past, sync_id: int, found: dict[str, list[Reading]], now: datetime) -> None:
    settings = past.connections.settings
    wall = now.astimezone(settings.zone).replace(tzinfo=None)
    with past.connections.warehouse_briefly() as warehouse, warehouse.transaction() as connection:
        for feed, readings in found.items():
            piece = Piece(Window(now, now), SentWindow(wall, wall), now, now, len(readings), readings, "read")
            past.report.readings += len(readings)
            past.report.stored += store(
                connection,
                sync_id,
                feed,
                piece,
                first_page=0,
                ignored=settings.lp_ignore_fields,
                moves=False,
                kind="sweep",
                news_from=news_from(connection, feed, settings),
            )
    past.settle(sync_id)
