"""What the warehouse remembers of backfills and sweeps: how far each has come (SPEC W2, S1). Reading is elsewhere."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from lp_pipeline.clients.leadperfection import Window
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import FIRST, LAST, Settings
from lp_pipeline.storage.warehouse import bound, run


def days(first: date, last: date, zone: ZoneInfo, now: datetime) -> Window:
    """The window of these days in LP's zone, both included, up to now at most. Raises `SettingsError` for days before
    LeadPerfection's calendar begins (SPEC J4); days after its end are in the future."""
    if last < FIRST.date():
        raise SettingsError(f"LeadPerfection has no dates before {FIRST.year}, and the last day is {last}. Correct it.")
    first, last = max(first, FIRST.date()), min(last, LAST.date())
    begin = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    return Window(min(begin, now), max(min(begin, now), min(end, now)))


def resume_backfill(connection: Any, first: date, last: date, now: datetime) -> datetime | None:
    """Up to where an unfinished backfill of these days has come; begins one, and gives None, if there is none."""
    values = {"first": first, "last": last}
    found = bound(connection, "extract/resume_backfill", values)
    if found:
        read_to: datetime | None = found[0][0]
        return read_to
    bound(connection, "extract/begin_backfill", {**values, "now": now})
    return None


def finished_at(connection: Any, first: date, last: date) -> datetime | None:
    """When a backfill of these days last came to its end, if one ever did."""
    found: datetime | None = bound(connection, "extract/finished_backfill", {"first": first, "last": last})[0][0]
    return found


def note_backfill(connection: Any, first: date, last: date, read_to: datetime, finished_at: datetime | None) -> None:
    """A piece is read and merged; with `finished_at`, it was the last one."""
    values = {"first": first, "last": last, "read_to": read_to, "finished_at": finished_at}
    bound(connection, "extract/note_backfill", values)


def slices(connection: Any, settings: Settings, begin: datetime | None, of: int) -> list[Window]:
    """The pieces of all history that are next: one of so many parts, about a page each, by what is known of each day.

    From `begin`, or from the oldest one; the last part ends now.
    """
    now = settings.now()
    variables = {
        "begin": begin,
        "now_at": now,
        # half a page: the feeds show a few more than those that were entered in the piece
        "per_piece": max(1, settings.lp_page_size // 2),
        "parts": of,
        "zone": settings.lp_timezone,
    }
    ends = run(connection, "extract/sweep_slices", variables)
    begins = [ends[0][0] if ends else now, *(end for _, end in ends)]
    return [Window(begin, end) for begin, end in pairwise(begins)]


def swept_to(connection: Any) -> datetime | None:
    """Up to which entry day the sweep's round through all history has come."""
    found = bound(connection, "extract/swept_to")
    return found[0][0] if found else None


def note_sweep(connection: Any, to: datetime | None) -> None:
    """A piece of history is read again and merged; None: it was the last one."""
    run(connection, "extract/note_sweep", {"swept_to": to})


def rejected_ids(connection: Any, day: date) -> list[str]:
    """The prospects with rejected records, in another order each day (SPEC S1)."""
    return [row[0] for row in bound(connection, "extract/rejected_ids", {"day": f"{day:%Y-%m-%d}"})]
