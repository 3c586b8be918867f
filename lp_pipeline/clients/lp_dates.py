"""How LeadPerfection writes dates, and which of them mean that there is none (contract 3, SPEC J4).

The warehouse reads the same forms in SQL (`pipeline.lp_wall`); a test keeps both equal.
"""

import re
from datetime import UTC, datetime

FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ]((?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
FIRST_YEAR, LAST_YEAR = 1970, 2199  # outside of these a date means that there is none
SENTINEL = re.compile(r"(1900-01-01|1899-12-30|0001-01-01|1753-01-01)([T ].*)?", re.DOTALL)  # also where no date is due


def read_date(text: str) -> datetime | None:
    """The date in a text: LeadPerfection's wall time without a zone, or in UTC if it has an offset; None if none."""
    found = FORM.fullmatch(text)
    if not found or not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        return None
    day, clock, fraction, offset = found.groups()
    try:
        date = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}.{(fraction or '')[:6]:0<6}{offset or ''}")
    except ValueError:
        return None
    return date if date.tzinfo is None else date.astimezone(UTC)
