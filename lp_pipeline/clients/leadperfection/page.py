"""What an answer to a read is: a page of prospect records, or none at all (SPEC W5; contract, sections 2 and 6).

Bytes in, bytes out: no network. Whoever reads pages asks here. An answer's own text never enters a message (SPEC R4),
and `words` holds it only where it is an error's: what is wrapped into something else may be a person's record.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from lp_pipeline.clients.http import Received
from lp_pipeline.clients.json_repair import LEVELS, UNREADABLE, bare, exact, readable
from lp_pipeline.clients.json_shapes import Shape
from lp_pipeline.clients.leadperfection.responses import identity, lookup, not_json, not_json_words, timed_out, words
from lp_pipeline.errors import LeadPerfectionError, NoRecords, SlowQuery

OF_A_PROSPECT = frozenset({"firstname", "lastname", "email", "phone1", "dateadded", "lastchanged"})
OF_AN_ERROR = frozenset({"message", "error", "detail", "exceptionmessage", "statuscode"})
_NEGATIVE = re.compile(r"0(\.0)?|false|-\d{1,4}(\.0)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call brought."""

    records: list[bytes]  # verbatim
    values: list[object]  # the same, decoded; by its shape, if one was given
    received_at: datetime  # by the pipeline's clock
    lp_clock: datetime | None  # LeadPerfection's, as the Date of its answer shows it
    elapsed: float  # seconds that the last try took


class NotJson(LeadPerfectionError):
    """The answer is no JSON at all; under load that passes."""


def elements(
    body: bytes,
    asked: str,
    status: int = 200,
    media_type: str = "",
    *,
    follows_records: bool = False,
    shape: Shape | None = None,
) -> list[tuple[bytes, object]]:
    """The elements of the page that a call named `asked` brought, each verbatim (UTF-8 and valid JSON) and decoded,
    with all digits of its numbers; by a `shape`, if it has that.

    With `follows_records`, a prospect that has no id may stand alone on its page. Raises `NotJson`, or `NoRecords` or
    `SlowQuery` for an answer in which nothing has a prospect's id.
    """
    text = bare(body)
    try:
        found = [_decoded(element, shape) for element in _elements(text)]
    except UNREADABLE:
        raise NotJson(not_json(body, asked, status, media_type), not_json_words(body)) from None
    values = [value for _, value in found]
    known = any(identity(value) is not None for value in values)
    if values and not known and not (follows_records and all(map(lacks_only_its_id, values))):
        raise _no_page(values, text, asked, Received(status, body, media_type).size)
    return found


def lacks_only_its_id(value: object) -> bool:
    """Whether it is a prospect's record all the same: an object with one of the fields that are mapped (SPEC J3)."""
    return isinstance(value, Mapping) and not OF_A_PROSPECT.isdisjoint(key.lower() for key in value)


def kind_of(value: object) -> str:
    """What an element that is no record is, in words that are safe to print."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case str():
            return "a text"
        case list():
            return "an array"
    if error := error_of(value):
        return f"an error ({error})"
    wraps = isinstance(value, Mapping) and any(isinstance(each, dict | list) for each in value.values())
    return "an object around something else" if wraps else "an object without cst_id"


def error_of(value: object) -> str | None:
    """Which of the dialects of a business error an object is: `Result -1`; None if it is none."""
    if not isinstance(value, Mapping) or identity(value) is not None or lacks_only_its_id(value):
        return None
    for name in ("Result", "success"):
        found = str(lookup(value, name.lower(), default="")).strip()
        if _NEGATIVE.fullmatch(found):
            return f"{name} {found.lower()}"
    has_result = lookup(value, "result") is not None
    return None if has_result or OF_AN_ERROR.isdisjoint(key.lower() for key in value) else "a message"


def _elements(text: bytes) -> list[bytes]:
    """The elements of an array, or the one value that is an array of one; what says nothing has none."""
    if text.startswith(b"["):
        try:
            return _split(text)
        except UNREADABLE:  # too deep or broken: it can't be told where an element ends until all are repaired
            return _split(readable(text, LEVELS + 1)[0])
    nothing = not text or text == b"null" or (text.startswith(b'"') and not text.strip(b'" \t\r\n'))
    return [] if nothing else [text]


def _decoded(element: bytes, shape: Shape | None) -> tuple[bytes, object]:
    if shape is None:
        return readable(element, decode=exact)
    if (shaped := shape.decode(element)) is not None:
        return element, shaped
    text, value = readable(element, decode=exact)
    shape.learn(value)
    return text, value


def _split(text: bytes) -> list[bytes]:
    return [bytes(element) for element in msgspec.json.decode(text, type=list[msgspec.Raw])]


def _no_page(values: list[object], text: bytes, asked: str, size: str) -> LeadPerfectionError:
    one = len(values) == 1
    error = error_of(values[0]) or (kind_of(values[0]) if isinstance(values[0], str | int | Decimal) else None)
    if error:
        said = words(text)
        kind = SlowQuery if timed_out(said) else NoRecords
        return kind(
            f"LeadPerfection answered {asked} with an error of its own ({error}); its words are in "
            "sync_runs.error. If they name a setting or a permission, correct that; otherwise the next sync tries "
            "again.",
            said,
        )
    what = kind_of(values[0]) if one else f"{len(values)} elements (the first is {kind_of(values[0])})"
    return NoRecords(
        f"LeadPerfection answered {asked} with {what} instead of prospects ({size}): nothing in it has a cst_id. "
        "Nothing of it was stored, and the next sync reads the same time again. If this continues, check LP_API_URL "
        "and LP_PROSPECT_ACTION, and ask LeadPerfection's support."
    )
