"""A received record in the forms that the warehouse keeps: as received, with lower-case keys, and as content (SPEC F1).

Pure functions over bytes; nothing here knows where a record came from or where it goes.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from lp_pipeline.clients.json_repair import number
from lp_pipeline.clients.json_values import id_of, text_of
from lp_pipeline.clients.lp_dates import SENTINEL

ARRAYS = ("appointments", "jobs")
NEVER_COMPARED = frozenset({"notes", "calls"})  # our own pushes would echo

_decode = msgspec.json.Decoder(float_hook=number).decode
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_split_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_split_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True)
class Landed:
    """One object of LeadPerfection's in its three forms, all JSON text; `key` tells it from its siblings."""

    key: str
    id: str | None
    record: str
    fields: str
    content: str


@dataclass(frozen=True)
class LandedProspect(Landed):
    """A prospect without its leads; `digest` is that of the whole reading, keys sorted (SPEC W7).

    An empty list of leads stays in `record`: that there are none is more than not knowing of any (SPEC M6).
    """

    digest: str
    leads: tuple[Landed, ...]


def land(raw: bytes, ignored: Collection[str] = ()) -> LandedProspect:
    """Take one element of a page apart.

    An element that is no object is kept as it is, with no fields, so that it is rejected and not lost.
    """
    whole = _decode(raw)
    digest = _digest(_encode(whole))
    if not isinstance(whole, dict):
        return LandedProspect(f"?{digest}", None, raw.decode(), "{}", "{}", digest, ())
    fields = _lower(whole)
    leads = _leads(raw, ignored)
    if "cst_id" not in fields and "cstid" in fields:  # the contract shows both spellings
        fields["cst_id"] = fields.pop("cstid")
    has_none = isinstance(fields.pop("leads", None), list) and not leads
    parts = {name: value for name, value in _split_object(raw).items() if has_none or name.lower() != "leads"}
    record = msgspec.json.encode(parts).decode()
    landed = _landed(record, fields, "cst_id", ignored)
    key = landed.key if landed.id else f"?{digest}"
    return LandedProspect(key, landed.id, record, landed.fields, landed.content, digest, leads)


def _leads(raw: bytes, ignored: Collection[str]) -> tuple[Landed, ...]:
    landed = []
    for name, value in _split_object(raw).items():
        if name.lower() != "leads":
            continue
        text = bytes(value).lstrip()
        elements = _split_array(text) if text.startswith(b"[") else [value]
        for element in elements:
            lead = _decode(element)
            if isinstance(lead, dict):
                landed.append(_landed(bytes(element).decode(), _lower(lead), "id", ignored))
    return tuple(landed)


def _landed(record: str, fields: dict[str, Any], id_name: str, ignored: Collection[str]) -> Landed:
    content = _encode(content_of(fields, ignored) or {}).decode()
    identity = id_of(fields.get(id_name))
    key = identity or f"?{_digest(content.encode())}"
    return Landed(key, identity, record, _encode(fields).decode(), content)


def content_of(value: Any, ignored: Collection[str] = ()) -> Any:
    """What comparisons look at (SPEC F1), or None if nothing of the value is left.

    Values become trimmed text; missing ones, `notes`, `calls` and ignored fields are left out at any depth. Inside an
    array a missing element keeps its place when another one follows it, for J3 asks for the first element.
    """
    match value:
        case dict():
            kept = {
                name.lower(): content
                for name, item in value.items()
                if name.lower() not in NEVER_COMPARED
                and name.lower() not in ignored
                and (content := content_of(item, ignored)) is not None
            }
            return kept or None
        case list():
            items = [content_of(item, ignored) for item in value]
            while items and items[-1] is None:
                items.pop()
            return items or None
        case _:
            text = text_of(value)
            return None if text is None or SENTINEL.fullmatch(text) else text


def _lower(value: Any) -> Any:
    """The value with all keys in lower case, all text trimmed, and numbers written as ids are (SPEC J4); of two keys
    that fall together the one with a value wins, else the first."""
    match value:
        case dict():
            lowered: dict[str, Any] = {}
            for name, item in value.items():
                key = name.lower().replace("\x00", "")
                if key not in lowered or content_of(lowered[key]) is None:
                    one_for_all = key in ARRAYS and isinstance(item, dict)  # an object instead of an array of one
                    lowered[key] = _lower([item] if one_for_all else item)
            return lowered
        case list():
            return [_lower(item) for item in value]
        case str():
            return text_of(value) or ""
        case Decimal():
            return Decimal(text_of(value) or 0)
        case _:
            return value


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
