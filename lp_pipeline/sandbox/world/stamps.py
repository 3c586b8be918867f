"""How LeadPerfection writes times and keys, and which stamps of a record a time window matches.

Belongs here: pure functions over records and wall clock text. Not here: storage, clocks, randomness.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lp_pipeline.clients import json_values

Record = dict[str, Any]

LEAD_ENTERED, LEAD_CHANGED, LEAD_ENTRY_DATE, APPOINTMENT = 1024, 2048, 4096, 8192
ISSUED, JOB, MILESTONE, NOTES = 16384, 32768, 65536, 131072
LEAD_KINDS = 1024 + 2048 + 4096 + 8192 + 16384 + 32768 + 65536 + 131072
PROSPECT = 1 << 20  # not one of LP's option bits: the prospect feed's own two dates

_WALL = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.(\d{0,7}))?)?")


def sortable(value: object, zone: ZoneInfo) -> str | None:
    """A stamp as fixed-width text that sorts by time, or None if it is not a stamp."""
    text = value.strip() if isinstance(value, str) else ""
    if match := _WALL.fullmatch(text):
        day, time, fraction = match.groups()
        return f"{day}T{time or '00:00:00'}.{fraction or '':0<7}"
    try:
        return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%dT%H:%M:%S.%f}0"
    except (ValueError, OverflowError):
        return None


def wall(instant: datetime, zone: ZoneInfo, digits: int = 3) -> str:
    """A datetime as LP stamps it: wall clock time, truncated (not rounded) to `digits` fraction digits."""
    text = f"{instant.astimezone(zone):%Y-%m-%dT%H:%M:%S.%f}0"
    return text[: 20 + digits] if digits else text[:19]


def key_of(record: Record, *names: str) -> str | None:
    """The record's key for the first of these names it has, ignoring case; None if it has none."""
    return next((key for name in names for key in record if key.lower() == name), None)


def value_of(record: Record, *names: str) -> Any:
    """The value under the first of these names, ignoring case; None if missing."""
    key = key_of(record, *names)
    return None if key is None else record[key]


def objects(record: Record, name: str) -> list[Record]:
    """The objects in a nested array; empty if it is missing, null or not an array."""
    value = value_of(record, name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def id_of(record: Record, *names: str) -> str:
    """An id as text; ids come as strings or numbers."""
    return json_values.id_of(value_of(record, *names)) or ""


def stamps_of(record: Record) -> Iterator[tuple[int, object]]:
    """Every date in a record that a time window can match, with its kind (an option bit)."""
    yield PROSPECT, value_of(record, "lastchanged")
    yield PROSPECT, value_of(record, "dateadded")
    yield from _notes(record)
    for lead in objects(record, "leads"):
        yield LEAD_ENTERED, value_of(lead, "dateentered")
        yield LEAD_CHANGED, value_of(lead, "lastchangedon")
        yield LEAD_ENTRY_DATE, value_of(lead, "entrydate")
        for appointment in objects(lead, "appointments"):
            yield APPOINTMENT, value_of(appointment, "lastchangedon")
        for job in objects(lead, "jobs"):
            yield JOB, value_of(job, "lastchanged")
            yield JOB, value_of(job, "lastchangedon")
        yield from _notes(lead)


def _notes(record: Record) -> Iterator[tuple[int, object]]:
    for note in objects(record, "notes"):
        yield NOTES, value_of(note, "enteredon")
        yield NOTES, value_of(note, "updatedon")
