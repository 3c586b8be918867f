"""JSON of any quality: a bad character, lone surrogate or number costs only itself. A line as an object with keys in
lower case, or a whole body. What the values mean is decided by the clients.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

import msgspec

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object: its JSON text, verbatim unless it had to be mended, and its fields by names in lower case."""

    text: str
    fields: dict[str, Any]


def json_object(line: bytes) -> JsonObject | None:
    """The object that a line holds; None if it holds none.

    Of two keys that differ in case only, the first one with a value counts.
    """
    try:
        value = msgspec.json.decode(line)
        text = line.decode().strip()
    except UNREADABLE:
        try:
            text = _mended(line)
            value = msgspec.json.decode(text)
        except UNREADABLE:
            return None
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {}
    for name, found in value.items():
        key = name.strip().lower()
        if fields.get(key) in (None, ""):
            fields[key] = found
    return JsonObject(text, fields)


def json_text(line: bytes) -> str:
    """The line as JSON text, whatever it is: what is no JSON becomes a JSON string."""
    found = json_object(line)
    if found is not None:
        return found.text
    try:
        msgspec.json.decode(line)
        return line.decode().strip()
    except UNREADABLE:
        return json.dumps(line.decode("utf-8", "replace"))


def _mended(line: bytes) -> str:
    """The line's JSON, written anew by a reader that forgives; raises `ValueError` where even that can't read it."""
    value = json.loads(
        line.decode("utf-8-sig", "replace"), strict=False, parse_constant=lambda _: None, parse_float=_finite
    )
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()  # lone surrogates become ?


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def bare(body: bytes) -> bytes:
    """A body without the byte order mark and the white space around it."""
    return body.strip().removeprefix(BYTE_ORDER_MARK).strip()


def readable(text: bytes) -> tuple[bytes, Any]:
    """JSON text and its value; one bad character, lone surrogate or number becomes U+FFFD or null, the rest stays."""
    try:
        return text, msgspec.json.decode(text)
    except UNREADABLE:
        pass
    mended = _ESCAPE.sub(
        lambda found: rb"\ufffd" if found["lone"] else found[0], text.decode("utf-8", "replace").encode()
    )
    try:
        return mended, msgspec.json.decode(mended)
    except UNREADABLE:
        value = json.loads(mended, strict=False, parse_constant=lambda _: None)
        mended = msgspec.json.encode(value)
        return mended, msgspec.json.decode(mended)
