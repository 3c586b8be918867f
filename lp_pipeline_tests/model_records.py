"""How the model sees what LeadPerfection sends: text, dates, content, leads and readings (SPEC F1, J4, J5).

Like model.py it is written from the SPEC, and shares nothing with the pipeline.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Object = dict[str, Any]
Span = tuple[datetime, datetime]  # a window as it was sent: LP's wall time

ZONE = ZoneInfo("America/New_York")
IGNORED = frozenset({"notes", "calls", "setter"})  # F1: the last one is in LP_IGNORE_FIELDS
SENTINEL = re.compile(r"(1900-01-01|1899-12-30|0001-01-01|1753-01-01)(T.*)?")
DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?)?")


class Moment(NamedTuple):
    """A time of LP's: what its wall clock showed, and the instant that means."""

    wall: datetime
    instant: datetime

    @property
    def to_the_second(self) -> datetime:
        """M1: External Created At as the key has it."""
        return self.wall.replace(microsecond=0)


def text(value: Any) -> str | None:
    """J4: text, or a number, as trimmed text; blank text and everything else is missing."""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return str(value).strip() or None if isinstance(value, str | int) else None


def fields(item: Any) -> Object:
    """J4: an object by keys in lower case; of keys that differ only in case the first with a value wins."""
    found: Object = {}
    for key, value in item.items() if isinstance(item, dict) else ():
        if content(found.get(key.lower())) is None:
            found[key.lower()] = value
    return found


def content(value: Any) -> Any:
    """F1: what comparisons see of a value; None if that is nothing. Inner elements of an array keep their place."""
    if isinstance(value, dict):
        seen = {key: content(each) for key, each in fields(value).items() if key not in IGNORED}
        return {key: each for key, each in seen.items() if each is not None} or None
    if isinstance(value, list):
        items = [content(item) for item in value]
        while items and items[-1] is None:
            items.pop()
        return items or None
    found = text(value)
    return None if found is None or SENTINEL.fullmatch(found) else found


def moment(value: Any, read_at: datetime | None = None) -> Moment | None:
    """J4, J5: the time that a value means; with `read_at` none that lies more than 26 hours after it."""
    match = DATE.fullmatch(text(value) or "")
    if match is None:
        return None
    day, time, fraction, offset = match.groups()
    if not 1960 < int(day[:4]) < 2210:  # roughly: beyond, there may be no such time elsewhere
        return None
    try:
        stamp = datetime.fromisoformat(f"{day}T{time or '00:00:00'}{(fraction or '')[:7]}{offset or ''}")
    except ValueError:
        return None
    # Of the two instants that a repeated or skipped hour might mean, the later one.
    instant = stamp if offset else max(stamp.replace(tzinfo=ZONE, fold=fold).astimezone(UTC) for fold in (0, 1))
    wall = stamp.astimezone(ZONE).replace(tzinfo=None) if offset else stamp
    ahead = read_at is not None and instant > read_at + timedelta(hours=26)
    return None if not 1970 <= wall.year <= 2199 or ahead else Moment(wall, instant)


class Lead:
    """A lead as a reading shows it; known by its id, or without one by its content."""

    def __init__(self, received: Any) -> None:
        self.fields, self.content = fields(received), content(received)
        self.id = text(self.fields.get("id"))
        self.identity = self.id or f"?{json.dumps(self.content, sort_keys=True)}"

    def items(self, array: str) -> list[Object]:
        """J4: the elements of an array, also the useless ones."""
        return [fields(item) for item in self.fields.get(array) or []]

    def first(self, array: str) -> Object:
        """J4: `array[0]`."""
        return next(iter(self.items(array)), {})

    def stamps(self) -> list[Any]:
        """F2: the stamps of its own."""
        jobs = [job.get(name) for job in self.items("jobs") for name in ("lastchanged", "lastchangedon")]
        appointments = [appointment.get("lastchangedon") for appointment in self.items("appointments")]
        return [self.fields.get("dateentered"), self.fields.get("lastchangedon"), *appointments, *jobs]


class Reading:
    """One prospect record as one page showed it."""

    def __init__(self, received: Any, order: tuple[int, str, int], read_at: datetime, sent: Span) -> None:
        self.json, self.order, self.read_at, self.windows = json.dumps(received, sort_keys=True), order, read_at, [sent]
        self.stored_at = read_at  # read_at moves on with each later reading that equals this one and is queued
        self.own = fields(received)
        received_leads = self.own.pop("leads", None)
        listed = [Lead(item) for item in received_leads or [] if isinstance(item, dict)]
        self.has_no_leads = isinstance(received_leads, list) and not listed  # says so, and is not just silent
        self.leads = {lead.identity: lead for lead in reversed(listed)}  # of two with one id the first counts
        self.leads = {lead.identity: self.leads[lead.identity] for lead in listed}
        self.content = content(self.own)
        self.queued, self.merged = True, False
