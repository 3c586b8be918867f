"""The one time zone database of the program (SPEC J5), which is the locked one, PyPI's tzdata, whatever the system has;
and which of its names are places. DuckDB has a database of its own: `storage/duckdb_zones.py` compares them.
"""

import difflib
import zoneinfo
from functools import cache

EXAMPLE = "America/New_York"
_RULES = ("EST", "MST", "HST", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "CET", "MET", "EET", "WET")
_GREENWICH = ("GMT", "GMT0", "GMT+0", "GMT-0", "GREENWICH", "UCT", "UTC", "UNIVERSAL", "ZULU")
_NO_PLACES = {*_RULES, *_GREENWICH, "FACTORY"}
_PLACES = [  # hours west of Greenwich, the letters in its abbreviations, where clocks change, where they never do
    (4, "A", "America/Halifax", "America/Puerto_Rico"),
    (5, "E", "America/New_York", "America/Jamaica or America/Panama"),
    (6, "C", "America/Chicago", "America/Regina or America/Costa_Rica"),
    (7, "M", "America/Denver", "America/Phoenix"),
    (8, "P", "America/Los_Angeles", ""),
    (9, "AK", "America/Anchorage", ""),
    (10, "H", "Pacific/Honolulu", ""),
]
US_PLACES = (  # one for each kind of clock in the United States, the most common ones first
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix"),
    *("America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico"),
)


def use_locked_database() -> None:
    """Let `zoneinfo` know no other database in this process than the locked one: by itself it prefers the system's,
    which may be years old. So pandas shows times by it, too; pytz brings its own copy."""
    zoneinfo.reset_tzpath(to=())
    zoneinfo.ZoneInfo.clear_cache()


@cache
def zone_names() -> frozenset[str]:
    """Every name in the locked database."""
    return frozenset(zoneinfo.available_timezones())


def time_zone(value: str) -> str:
    """The name of a place in the locked database. Raises `ValueError` for anything else, with what to set instead: a
    fixed offset is an hour off for half the year."""
    if place := _spellings().get(value.upper()):
        raise ValueError(f"{value} is an offset or a rule, not a place. Set {place}")
    if value.upper() in _NO_PLACES or value.upper().startswith("ETC/"):
        raise ValueError(f"{value} is not a place. Set the one whose time LeadPerfection shows, such as {EXAMPLE}")
    if value not in zone_names():
        names = {spelling.casefold(): name for name in zone_names() for spelling in (name.rpartition("/")[2], name)}
        alike = difflib.get_close_matches(value.casefold().replace(" ", "_"), names, n=1, cutoff=0.8)
        meant = f". Did you mean {names[alike[0]]}?" if alike else ""
        raise ValueError(f"must be a place in the IANA time zone database, such as {EXAMPLE}{meant}")
    return value


@cache
def _spellings() -> dict[str, str]:
    """What people write for a zone of North America without naming a place, in capitals, and what to set instead."""
    return {
        spelling: changing + (f"; or, where clocks never change, {constant}" if constant else "")
        for hours, letters, changing, constant in _PLACES
        for zone in (f"{letters}ST", f"{letters}DT")
        for spelling in (
            *(zone, f"{letters}T", f"{zone}{hours}", f"{letters}ST{hours}{letters}DT"),
            *(f"ETC/GMT+{hours}", f"GMT-{hours}", f"UTC-{hours}", f"UTC-{hours:02}:00", f"-{hours:02}:00"),
        )
    }
