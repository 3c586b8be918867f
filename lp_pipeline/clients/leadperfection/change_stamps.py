"""The change stamps that a record carries, and whether one of them fell while pages were read (SPEC W4). Wall times of
LeadPerfection in, yes or no out; what a stamp means for an opportunity is decided in SQL, not here.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lp_pipeline.clients.leadperfection.responses import lookup
from lp_pipeline.clients.leadperfection.windows import instants
from lp_pipeline.clients.lp_dates import read_date


def change_stamps(record: object) -> Iterator[str]:
    """Every stamp of a change that a prospect record carries, as received."""
    found = [lookup(record, "lastchanged"), lookup(record, "dateadded")]
    for lead in _elements(record, "leads"):
        found += lookup(lead, "dateentered"), lookup(lead, "lastchangedon")
        found += (lookup(each, "lastchangedon") for each in _elements(lead, "appointments"))
        for job in _elements(lead, "jobs"):
            found += lookup(job, "lastchanged"), lookup(job, "lastchangedon")
    return (each.strip() for each in found if isinstance(each, str) and each)


def days_around(*instants: datetime, zone: ZoneInfo) -> tuple[bytes, ...]:
    """The dates in whose records a stamp of these instants, or of a day before or after, can be."""
    return tuple(sorted(date.encode() for date in _dates(instants, zone)))


def any_between(stamps: Iterable[str], begun: datetime, ended: datetime, zone: ZoneInfo) -> bool:
    """Whether one of the stamps means an instant between these two; for a time that occurs twice, either of its two."""
    dates = _dates((begun, ended), zone)
    return any(
        begun <= instant <= ended for stamp in stamps if stamp[:10] in dates for instant in _readings(stamp, zone)
    )


_DAYS = (timedelta(days=-1), timedelta(), timedelta(days=1))


def _dates(instants: Iterable[datetime], zone: ZoneInfo) -> set[str]:
    return {(each.astimezone(zone) + step).date().isoformat() for each in instants for step in _DAYS}


def _readings(stamp: str, zone: ZoneInfo) -> tuple[datetime, ...]:
    found = read_date(stamp)
    if found is None:
        return ()
    return instants(found, zone) if found.tzinfo is None else (found,)


def _elements(value: object, name: str) -> list[object]:
    found = lookup(value, name)
    return found if isinstance(found, list) else [found]
