"""How times, ages and counts are written for people (in a status, an alert, a report); what about is up to those."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lp_pipeline.settings import Settings


def clock(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`2:00 PM EST`, with the day if it is not today, and the year if it is not this one."""
    local, today = instant.astimezone(zone), now.astimezone(zone)
    day = "" if local.date() == today.date() else f"{local:%b} {local.day} "
    year = "" if local.year == today.year else f"{local.year} "
    return f"{day}{year}{local.hour % 12 or 12}:{local:%M %p %Z}"


def moment(instant: datetime, settings: Settings) -> str:
    """The same by an account's clock, in its zone."""
    return clock(instant, settings.now(), settings.zone)


def ago(instant: datetime, now: datetime) -> str:
    """`just now`, `6 min ago`, `5 h ago`, `3 days ago`; `in the future` if a clock was wrong."""
    since = now - instant
    if since < timedelta(minutes=-1):
        return "in the future"
    return "just now" if since < timedelta(minutes=1) else f"{length(since)} ago"


def length(time: timedelta) -> str:
    """`14 s`, `6 min`, `5 h`, `3 days`."""
    seconds = time.total_seconds()
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit or (unit == 60 and seconds >= unit):
            return f"{seconds // unit:,.0f} {name}"
    return f"{seconds:.0f} s"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 note`, `1,234 notes`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
