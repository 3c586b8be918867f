"""One line of JSON as an object with keys in lower case. Any bytes may come: what can't be read gives None, and a bad
character, lone surrogate or number costs only itself.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

import msgspec

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


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
    except _UNREADABLE:
        try:
            text = _mended(line)
            value = msgspec.json.decode(text)
        except _UNREADABLE:
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
    except _UNREADABLE:
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
