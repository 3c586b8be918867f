"""Single values of Hatch's, in the forms they may come in: instants, durations, links, ids (contract 2). Each function
takes any JSON value and gives the typed one, or None; none raises.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from lp_pipeline.clients import json_values

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # long before Hatch; what is earlier is no time but a sentinel
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
LONGEST_CALL = 7 * 24 * 3600.0  # seconds
LONGEST_INSTANT = 100  # characters
LONGEST_LINK = 2000  # characters
MOST_LINKS = 50
URL_KEYS = ("url", "href", "link", "src", "media_url", "recording_url")

_NUMBER = re.compile(r"\d{9,20}(\.\d{1,9})?", re.ASCII)
_SPOKEN_UTC = re.compile(r"\s*\b(UTC|GMT)$", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)", re.ASCII)


def text_of(value: object) -> str | None:
    """Trimmed text of a text or number; None for anything else, and for nothing."""
    return None if isinstance(value, bool) else json_values.text_of(value)


def instant(value: object) -> datetime | None:
    """An instant in UTC: an ISO form (UTC if it has no offset), or seconds, milli-, micro- or nanoseconds since 1970.

    What lies before 2000 or after 2099 is none.
    """
    text = text_of(value)
    if text is None or len(text) > LONGEST_INSTANT:
        return None
    if _NUMBER.fullmatch(text):
        return _since_1970(float(text))
    text = _SPOKEN_UTC.sub("+00:00", text)
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if EARLIEST <= found < LATEST else None


def seconds(value: object) -> int | None:
    """A duration in whole seconds, of a number of them or of `HH:MM:SS` or `MM:SS`."""
    text = text_of(value)
    if text is None or len(text) > 30:
        return None
    if clock := _CLOCK.fullmatch(text):
        number = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3])
    else:
        try:
            number = float(text)
        except ValueError:
            return None
    return round(number) if 0 <= number <= LONGEST_CALL else None


def links(*values: object) -> tuple[str, ...]:
    """The https addresses in these values, each once, in order; a value is a text, a list, or an object with a url.

    A text may hold several, apart by blanks, or a JSON list.
    """
    found: dict[str, None] = {}
    for value in values:
        _gather(value, found, depth=4)
    return tuple(found)[:MOST_LINKS]


def _gather(value: object, found: dict[str, None], depth: int) -> None:
    if depth == 0:
        return
    match value:
        case str():
            text = value.strip()
            if text.startswith(("[", "{")):
                with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                    _gather(msgspec.json.decode(text), found, depth - 1)
                return
            for part in re.split(r"[\s,;]{1,9}(?=https:)|\s+", text):  # unbounded, it would be quadratic
                if _is_link(part):
                    found.setdefault(part)
        case list():
            for each in value[:MOST_LINKS]:
                _gather(each, found, depth - 1)
        case dict():
            lowered = {name.lower(): each for name, each in value.items()}
            for name in URL_KEYS:
                if isinstance(lowered.get(name), str):
                    _gather(lowered[name], found, depth - 1)


def _is_link(text: str) -> bool:
    if not text.startswith("https://") or len(text) > LONGEST_LINK or not text.isprintable():
        return False
    try:
        parts = urlsplit(text)
        return "." in (parts.hostname or "") and parts.username is None
    except ValueError:
        return False


def _since_1970(number: float) -> datetime | None:
    for unit in (1.0, 1e3, 1e6, 1e9):
        if EARLIEST.timestamp() <= number / unit < LATEST.timestamp():
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number / unit)
    return None
