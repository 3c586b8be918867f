"""What the warehouse remembers of backfills and sweeps: how far each has come (SPEC W2, S1). Reading is elsewhere."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lp_pipeline.leadperfection import Window
from lp_pipeline.warehouse.database import run


def days(first: date, last: date, zone: ZoneInfo, now: datetime) -> Window:
    """The window of these days in LP's zone, both included, up to now at most."""
    begin = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    return Window(min(begin, now), max(min(begin, now), min(end, now)))


def resume_backfill(connection: Any, first: date, last: date, now: datetime) -> datetime | None:
    """Up to where an unfinished backfill of these days has come; begins one, and gives None, if there is none."""
    found = connection.execute(
        "select read_to from pipeline.backfills where first_day = $1 and last_day = $2 and finished_at is null",
        [first, last],
    ).fetchall()
    if found:
        read_to: datetime | None = found[0][0]
        return read_to
    connection.execute("insert into pipeline.backfills values ($1, $2, null, $3, null)", [first, last, now]).fetchall()
    return None


def note_backfill(connection: Any, first: date, last: date, read_to: datetime, finished_at: datetime | None) -> None:
    """A piece is read and merged; with `finished_at`, it was the last one."""
    connection.execute(
        "update pipeline.backfills set read_to = $1, finished_at = $2 "
        "where first_day = $3 and last_day = $4 and finished_at is null",
        [read_to, finished_at, first, last],
    ).fetchall()


def oldest_entry(connection: Any, zone: str) -> datetime | None:
    """When the oldest prospect or lead that was ever read was entered."""
    oldest: datetime | None = run(connection, "landing/oldest_entry", {"zone": zone})[0][0]
    return oldest


def swept_to(connection: Any) -> datetime | None:
    """Up to which entry day the sweep's round through all history has come."""
    found = connection.execute("select swept_to from pipeline.sweep").fetchall()
    return found[0][0] if found else None


def note_sweep(connection: Any, to: datetime) -> None:
    """A slice of history is read again and merged."""
    connection.execute("delete from pipeline.sweep").fetchall()
    connection.execute("insert into pipeline.sweep values ($1)", [to]).fetchall()
