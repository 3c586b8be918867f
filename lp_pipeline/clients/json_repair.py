"""JSON of any quality and any encoding: a bad character, lone surrogate or number costs only itself. Bodies and lines
in, their text as UTF-8 and its value out. What the values mean is decided by the clients.
"""

import codecs
import gc
import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from email.message import Message
from typing import Any

import msgspec

UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
LEVELS = 64  # of nesting
LONGEST_NUMBER = 4000  # digits of a whole number; Python reads no more than 4300
SMALLEST_EXPONENT = -400  # written out, a number below that is nothing but zeros

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object: its JSON text, verbatim unless it had to be repaired, and its fields by names in lower case."""

    text: str
    fields: dict[str, Any]


@contextmanager
def no_cycles() -> Iterator[None]:
    """While a page is decoded and used: Python would look for cycles among its thousands of objects again and again,
    which takes longer than the decoding. JSON has none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def as_utf8(body: bytes, media_type: str, *, strict: bool) -> bytes:
    """A body in UTF-8, from the charset that its content type declares or its byte order mark shows.

    What declares none is left as it is. Raises `UnicodeDecodeError` for a body that is not what it declares, or, if not
    `strict`, replaces the characters in question.
    """
    header = Message()
    header["content-type"] = media_type
    declared = header.get_param("charset")
    charset = declared if isinstance(declared, str) else None
    if body.startswith(_UTF16_MARKS):
        charset = "utf-16"
    if charset is None or "zip" in header.get_content_type():
        return body
    try:
        return body.decode(charset, "strict" if strict else "replace").encode("utf-8", "replace")
    except LookupError:  # a charset that nobody knows: the bytes may be UTF-8 all the same
        return body


def bare(body: bytes) -> bytes:
    """A body without the byte order mark and the white space around it."""
    return body.strip().removeprefix(codecs.BOM_UTF8).strip()


def readable(
    text: bytes, levels: int = LEVELS, decode: Callable[[bytes], Any] = msgspec.json.decode
) -> tuple[bytes, Any]:
    """JSON text and its value; one bad character, lone surrogate or number becomes U+FFFD or null, and what is nested
    deeper than so many levels a text; the rest stays.

    With `exact` for `decode`, numbers keep all their digits. Raises one of `UNREADABLE` for what is no JSON at all.
    """
    text = shallow(text, levels)
    try:
        return text, decode(text)
    except UNREADABLE:
        pass
    repaired = _ESCAPE.sub(
        lambda found: rb"\ufffd" if found["lone"] else found[0], text.decode("utf-8", "replace").encode()
    )
    try:
        return repaired, decode(repaired)
    except UNREADABLE:
        value = json.loads(
            repaired, strict=False, parse_constant=lambda _: None, parse_float=number, parse_int=_whole_number
        )
        repaired = _encode(value)
        return repaired, decode(repaired)


def shallow(text: bytes, levels: int = LEVELS) -> bytes:
    """JSON in which what is nested deeper than so many levels is a text: its own. Nothing that reads it needs a deep
    stack; what LeadPerfection and Hatch send on purpose has five levels."""
    if text.count(b"[") + text.count(b"{") <= levels:
        return text
    parts: list[bytes] = []
    depth = begun = ended = 0
    for found in _BRACKET.finditer(text):
        if found[0] in (b"[", b"{"):
            begun = found.start() if depth == levels else begun
            depth += 1
        elif found[0] in (b"]", b"}"):
            depth -= 1
            if depth == levels:
                parts += text[ended:begun], msgspec.json.encode(text[begun : found.end()].decode("utf-8", "replace"))
                ended = found.end()
    return b"".join((*parts, text[ended:]))


def number(text: str) -> Decimal | None:
    """A JSON number with all its digits; None for one too large for a double, 0 for one too small."""
    if not math.isfinite(float(text)):
        return None
    try:
        found = Decimal(text)
    except ArithmeticError:  # an exponent of twenty digits
        return Decimal(0)
    return found if found.adjusted() > SMALLEST_EXPONENT else Decimal(0)


def _finite(text: str) -> Decimal:
    if (found := number(text)) is None:
        raise ValueError("too large for a double")  # so that it becomes null in the text, too
    return found


exact = msgspec.json.Decoder(float_hook=_finite).decode


def _whole_number(text: str) -> int | None:
    return int(text) if len(text) <= LONGEST_NUMBER else None


def decoded(body: bytes, otherwise: Any = None) -> Any:
    """The JSON value of a body; `otherwise` if it holds none."""
    try:
        return readable(bare(body))[1]
    except UNREADABLE:
        return otherwise


def json_object(line: bytes) -> JsonObject | None:
    """The object that a line holds; None if it holds none.

    Of two keys that differ in case only, the first one with a value counts.
    """
    try:
        text, value = readable(bare(line))
    except UNREADABLE:
        return None
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {}
    for name, found in value.items():
        key = name.strip().lower()
        if fields.get(key) in (None, ""):
            fields[key] = found
    return JsonObject(text.decode(), fields)


def json_text(line: bytes) -> str:
    """The line as JSON text, whatever it is: what is no JSON becomes a JSON string."""
    try:
        return readable(bare(line))[0].decode()
    except UNREADABLE:
        return json.dumps(line.decode("utf-8", "replace"))
