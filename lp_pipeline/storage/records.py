"""How a prospect record is stored: as received, with its normal form next to it only if SQL can't read it as it is.

Most records can be read as LeadPerfection sent them. One that can't (odd spelling of a key that SQL reads, an id that
is no text, an object instead of a list …) has a normal form. Pure functions over JSON text.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from lp_pipeline.clients.json_repair import exact
from lp_pipeline.clients.json_values import id_of, text_of
from lp_pipeline.storage.contents import LISTS, OWN_KEY, content_of, lower, lower_name

TRIMMED_BY_SQL = ("email", "firstname", "lastname", "phone1")
PROSPECT_DATES = ("dateadded", "lastchanged")
PROSPECT_TEXTS = (*TRIMMED_BY_SQL, *PROSPECT_DATES)
LEAD_DATES = ("dateentered", "lastchangedon")
READ_BY_SQL = frozenset(
    {
        *("cst_id", "cstid", "leads", "calls", "altphones", *PROSPECT_TEXTS),
        *("id", "disposition", *LEAD_DATES, *LISTS, "contractdate"),
        *("phone", "calldatetime", "resultcode", "resultdescr", "calltype"),
    }
)

_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Landed:
    """What is stored beside a record: `key` tells the prospect from others, `digest` is that of the whole reading with
    its keys sorted (SPEC W7), `normal` the normal form as JSON text if SQL can't read the record as it is. `names` are
    its keys."""

    key: str
    id: str | None
    digest: int  # 64 bits
    normal: bytes | None
    names: tuple[str, ...]


def land(raw: bytes, ignored: Collection[str] = ()) -> Landed:
    """How one element of a page is stored. One that is no object has no fields, so it is rejected and not lost."""
    return land_value(raw, exact(raw), ignored)


def land_value(raw: bytes, whole: object, ignored: Collection[str] = ()) -> Landed:
    """The same of an element that was decoded already, with all digits of its numbers."""
    ordered = _encode(whole)
    digest = blake2b(ordered, digest_size=16).digest()
    number = int.from_bytes(digest[:8], "big")
    if not isinstance(whole, dict):
        return Landed(f"?{digest.hex()}", None, number, None, ())
    # a key that occurs twice makes the record longer than what was decoded; blanks do so too
    plain = _is_plain(whole) and b"\\u0000" not in raw and (len(ordered) == len(raw) or not _repeats_a_key(raw))
    if plain:
        contact = str(whole["cst_id"])
        return Landed(contact, contact, number, None, tuple(whole))
    normal = _normal(whole, ignored)
    identity = normal.get("cst_id")
    return Landed(identity or f"?{digest.hex()}", identity, number, _encode(normal), tuple(normal))


def _is_plain(whole: dict[str, Any]) -> bool:
    if _is_odd(tuple(whole)):
        return False
    if not _is_plain_id(whole.get("cst_id")):
        return False
    for name in TRIMMED_BY_SQL:
        if name in whole and not _is_plain_text(whole[name]):
            return False
    for name in PROSPECT_DATES:
        if name in whole and not _is_bare_text(whole[name]):
            return False
    for name in ("calls", "altphones"):
        items = whole.get(name)
        if items and (type(items) is not list or not _are_plain(items)):
            return False
    leads = whole.get("leads", ())
    if leads is None:
        return True
    if type(leads) is not list and leads != ():
        return False
    return all(map(_is_plain_lead, leads))


def _is_plain_lead(lead: Any) -> bool:
    if type(lead) is not dict or _is_odd(tuple(lead)):
        return False
    if not _is_plain_id(lead.get("id")):
        return False
    if "disposition" in lead and not _is_plain_text(lead["disposition"]):
        return False
    for name in LEAD_DATES:
        text = lead.get(name)
        if text is not None and not _is_bare_text(text):
            return False
    for name in LISTS:
        items = lead.get(name)
        if items and (type(items) is not list or not _are_plain(items)):
            return False
    return True


def _are_plain(items: list[Any]) -> bool:
    """Whether SQL can read these jobs, appointments, calls or phones."""
    for item in items:
        if type(item) is not dict or _is_odd(tuple(item)):
            return False
        for name in item.keys() & READ_BY_SQL:
            value = item[name]
            if value is not None and not _is_bare_text(value):
                return False
    return True


def _is_plain_id(value: Any) -> bool:
    return type(value) is int or (type(value) is str and bool(value) and value.strip() == value)


def _is_bare_text(value: Any) -> bool:
    return type(value) is int or (type(value) is str and value.strip() == value)


def _is_plain_text(value: Any) -> bool:
    """Text that SQL trims as Python does, or a whole number."""
    return type(value) is int or (type(value) is str and value.strip(" ") == value.strip())


@lru_cache(10_000)
def _is_odd(names: tuple[str, ...]) -> bool:
    """Whether keys that SQL reads are there in another spelling, or two keys differ in case only."""
    lowered = [lower_name(name) for name in names]
    return (
        len(set(lowered)) < len(names)
        or OWN_KEY in names
        or "cstid" in lowered
        or any(name in READ_BY_SQL and name != written for name, written in zip(lowered, names, strict=True))
    )


def _repeats_a_key(raw: bytes) -> bool:
    repeated = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated = repeated or len({name for name, _ in pairs}) < len(pairs)

    json.loads(raw, object_pairs_hook=note)
    return repeated


def _normal(whole: dict[str, Any], ignored: Collection[str]) -> dict[str, Any]:
    """The record with lower-case keys, trimmed text, what SQL reads as text, and lists where they belong."""
    fields: dict[str, Any] = lower(whole)
    fields.pop("leads", None)
    if "cst_id" not in fields and "cstid" in fields:  # the contract shows both spellings
        fields["cst_id"] = fields.pop("cstid")
    fields["cst_id"] = id_of(fields.get("cst_id"))
    _as_text(fields, PROSPECT_TEXTS)
    leads = [_normal_lead(lead, ignored) for lead in _elements(whole) if isinstance(lead, dict)]
    if any(lower_name(name) == "leads" for name in whole):
        fields["leads"] = leads
    for name in ("calls", "altphones"):
        _as_texts(fields.get(name))
    return fields


def _normal_lead(lead: dict[str, Any], ignored: Collection[str]) -> dict[str, Any]:
    content = content_of(lead, ignored) or {}
    fields: dict[str, Any] = lower(lead)
    fields["id"] = id_of(fields.get("id"))
    if fields["id"] is None:
        fields[OWN_KEY] = f"?{blake2b(_encode(content), digest_size=16).hexdigest()}"
    _as_text(fields, ("disposition", *LEAD_DATES))
    for name in LISTS:
        _as_texts(fields.get(name))
    return fields


def _elements(whole: dict[str, Any]) -> Iterator[Any]:
    """The leads of a record, whatever the case of their key; one object instead of a list is a list of one."""
    for name, value in whole.items():
        if lower_name(name) == "leads":
            yield from value if isinstance(value, list) else [value]


def _as_texts(items: Any) -> None:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            _as_text(item, item.keys() & READ_BY_SQL)


def _as_text(fields: dict[str, Any], names: Collection[str]) -> None:
    """Make text of what SQL reads; a key without a value keeps its place, for whether it is there counts (SPEC J6)."""
    for name in names:
        if name in fields and not isinstance(fields[name], str):
            value = fields[name]
            fields[name] = _encode(value).decode() if isinstance(value, dict | list) else text_of(value) or ""
