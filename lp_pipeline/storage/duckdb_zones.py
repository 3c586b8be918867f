"""DuckDB's own time zone database beside the locked one (SPEC J5): whether the two read a zone alike around now. What
follows for a window is not decided here.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from io import BytesIO
from zoneinfo import ZoneInfo

import duckdb

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.engine import engine
from lp_pipeline.storage.warehouse import bound

REACH = timedelta(days=2 * 366)
QUARTERS = [timedelta(minutes=15 * number) for number in range(4 * 24 + 1)]
Shift = tuple[int, int]  # since which instant, and by how much, local time is off UTC, both in seconds


def with_both_readings(settings: Settings) -> Settings:
    """The settings, with DuckDB's reading of LP_TIMEZONE if it differs within two years of now.

    Raises `SettingsError` if DuckDB does not know the zone at all.
    """
    shifts = _difference(settings.lp_timezone, settings.now().date())[1]
    return settings.with_duckdb_zone(as_zone(shifts, settings.lp_timezone) if shifts else None)


def zone_warning(settings: Settings) -> str | None:
    """What to say, in one line, if the two readings differ; None if they don't. Errors as `with_both_readings`."""
    first, shifts = _difference(settings.lp_timezone, settings.now().date())
    if not shifts:
        return None
    return (
        f"DuckDB's time zone database has other rules for LP_TIMEZONE={settings.lp_timezone} than the tzdata package, "
        f"first from {first:%Y-%m-%d}. LeadPerfection is asked for windows that cover both, but times in the warehouse "
        "may be an hour off. Upgrade the packages duckdb and tzdata."
    )


@cache
def _difference(zone: str, today: date) -> tuple[datetime | None, tuple[Shift, ...]]:
    """When the readings first differ around this day, and DuckDB's shifts; none if they don't."""
    now = datetime.combine(today, time(), UTC)
    begin, end = now - REACH, now + REACH
    theirs, ours = duckdb_shifts(zone, begin, end), tuple(_shifts(ZoneInfo(zone), begin, end))
    if theirs == ours:
        return None, ()
    return datetime.fromtimestamp(min(set(theirs) ^ set(ours))[0], UTC), theirs


def duckdb_shifts(zone: str, begin: datetime, end: datetime) -> tuple[Shift, ...]:
    """Each of DuckDB's shifts between two instants, the first of them at the beginning. Raises `SettingsError`."""
    with engine() as started, started.cursor() as connection, suppress(duckdb.NotImplementedException):  # not this zone
        return tuple(bound(connection, "zones/shifts", {"zone": zone, "begin": begin, "end": end}))
    raise SettingsError(
        f"DuckDB {duckdb.__version__} does not know LP_TIMEZONE={zone}. Upgrade the package duckdb, or set an older "
        "name of the same place."
    )


def _shifts(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[Shift]:
    """What `sql/zones/shifts.sql` asks DuckDB, of Python."""
    days = [begin + timedelta(days=number) for number in range((end - begin).days + 2)]
    offsets = [_offset(day, zone) for day in days]
    last = None
    for day, offset, tomorrows in zip(days, offsets, offsets[1:], strict=False):
        moments = [(day, offset)]
        if tomorrows != offset:
            moments = [(day + step, _offset(day + step, zone)) for step in QUARTERS]
        for moment, shift in moments:
            if shift != last:
                yield int(moment.timestamp()), shift
            last = shift


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def as_zone(shifts: tuple[Shift, ...], name: str) -> ZoneInfo:
    """The shifts as a zone of Python's, by way of its file format (RFC 8536); before and after them the first and last
    offset hold, which can only widen a window further."""
    count = len(shifts)
    header = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 0, 0)
    body = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, count, count, 1)
    body += struct.pack(f">{count}q{count}B", *(instant for instant, _ in shifts), *range(count))
    body += b"".join(struct.pack(">lbb", offset, 0, 0) for _, offset in shifts) + b"\0" + b"\n\n"
    return ZoneInfo.from_file(BytesIO(header + body), key=name)
