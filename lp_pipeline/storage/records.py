"""The forms of a prospect record: how it is stored, compared (SPEC F1) and shown. Pure functions over JSON text.

Most records can be read by SQL as LeadPerfection sent them. One that can't (odd spelling of a key that SQL reads, an id
that is no text, an object instead of a list …) is stored with its normal form beside it.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from lp_pipeline.clients.json_repair import number
from lp_pipeline.clients.json_values import id_of, text_of
from lp_pipeline.clients.lp_dates import SENTINEL

NEVER_COMPARED = frozenset({"notes", "calls"})  # our own pushes would echo
NOT_OWN = NEVER_COMPARED | {"leads"}
LISTS = ("appointments", "jobs")
OWN_KEY = "?key"  # in the normal form: the key of a lead without an id
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

_decode = msgspec.json.Decoder(float_hook=number).decode
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


@dataclass(frozen=True, slots=True)
class LeadContent:
    """A lead's content (SPEC F1), and all its keys in lower case."""

    content: Mapping[str, Any]
    names: list[str]


@dataclass(frozen=True, slots=True)
class Contents:
    """A reading's content (SPEC F1): the prospect's own with all its keys, and each lead's, by its key and in order."""

    own: Mapping[str, Any]
    names: list[str]
    by_key: Mapping[str, LeadContent]
    leads: tuple[LeadContent, ...]


def land(raw: bytes, ignored: Collection[str] = ()) -> Landed:
    """How one element of a page is stored. One that is no object has no fields, so it is rejected and not lost."""
    whole = _decode(raw)
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


def contents(record: bytes, ignored: Collection[str] = ()) -> Contents:
    """What comparisons look at in a stored record, as received or in its normal form."""
    whole = _decode(record)
    if not isinstance(whole, dict):
        return Contents({}, [], {}, ())
    leads = whole.pop("leads", None)
    by_key: dict[str, LeadContent] = {}
    in_order = []
    for lead in leads if isinstance(leads, list) else ():
        key = lead.pop(OWN_KEY, None) or id_of(lead.get("id")) or ""
        found = LeadContent(content_of(lead, ignored) or {}, [_key(name) for name in lead])
        in_order.append(found)
        by_key.setdefault(key, found)
    own, names = content_of(whole, ignored) or {}, [_key(name) for name in whole]
    return Contents(own, names, by_key, tuple(in_order))


def own_keys(names: Iterable[str]) -> frozenset[str]:
    """The keys of a prospect's own fields (SPEC J1) in lower case: without its leads, notes and calls."""
    return frozenset(_key(name) for name in names) - NOT_OWN


def older_keys(
    readings: Iterable[tuple[int, bytes]], known: Mapping[str, tuple[int, Any]]
) -> dict[str, tuple[int, Any]]:
    """The fields that the newest of these readings (number, record) lacks, each from the latest one that has it, with
    that one's number (SPEC J1); `known` are those found before."""
    (_, newest), *older = sorted(readings, reverse=True)
    there = own_keys(_own(newest))
    found = {name: item for name, item in known.items() if name not in there}
    for reading_no, record in older:
        for name, value in _own(record).items():
            if name not in there and name not in NOT_OWN and (name not in found or found[name][0] < reading_no):
                found[name] = (reading_no, value)
    return found


def objects(
    prospect: bytes, older: bytes, lead_source: bytes, lead_place: int | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The prospect and the lead of an opportunity, with keys in lower case (SPEC J1, D2): `prospect` is its reading,
    `older` an object of the fields that this one lacks or nothing; `lead_place` in `lead_source` counts from 1."""
    lead = None
    if lead_source and lead_place:
        lead = _lower(_decode(lead_source)["leads"][lead_place - 1])
        lead.pop(OWN_KEY, None)
    return {**(_decode(older) if older else {}), **_own(prospect)}, lead


def content_of(value: Any, ignored: Collection[str] = ()) -> Any:
    """What comparisons look at (SPEC F1), or None if nothing of the value is left.

    Values become trimmed text; missing ones, `notes`, `calls` and ignored fields are left out at any depth. Inside an
    array a missing element keeps its place when another one follows it, for J3 asks for the first element.
    """
    kind = type(value)
    if kind is str:
        text = _trimmed(value)
        return None if not text or (text[0] in "01" and SENTINEL.fullmatch(text)) else text
    if kind is dict:
        kept = {}
        for name, item in _lower_keys(value).items():
            if name not in NEVER_COMPARED and name not in ignored:
                content = content_of(item, ignored)
                if content is not None:
                    kept[name] = content
        return kept or None
    if kind is list:
        items = [content_of(item, ignored) for item in value]
        while items and items[-1] is None:
            items.pop()
        return items or None
    return text_of(value)


def _own(record: bytes) -> dict[str, Any]:
    whole = _decode(record)
    if not isinstance(whole, dict):
        return {}
    fields: dict[str, Any] = _lower(whole)
    fields.pop("leads", None)
    return fields


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
    lowered = [_key(name) for name in names]
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
    fields: dict[str, Any] = _lower(whole)
    fields.pop("leads", None)
    if "cst_id" not in fields and "cstid" in fields:  # the contract shows both spellings
        fields["cst_id"] = fields.pop("cstid")
    fields["cst_id"] = id_of(fields.get("cst_id"))
    _as_text(fields, PROSPECT_TEXTS)
    leads = [_normal_lead(lead, ignored) for lead in _elements(whole) if isinstance(lead, dict)]
    if any(_key(name) == "leads" for name in whole):
        fields["leads"] = leads
    for name in ("calls", "altphones"):
        _as_texts(fields.get(name))
    return fields


def _normal_lead(lead: dict[str, Any], ignored: Collection[str]) -> dict[str, Any]:
    content = content_of(lead, ignored) or {}
    fields: dict[str, Any] = _lower(lead)
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
        if _key(name) == "leads":
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


def _lower_keys(value: dict[str, Any]) -> dict[str, Any]:
    """The same items with keys in lower case; of two that fall together the one with a value wins, else the first."""
    if _are_lower(tuple(value)):
        return value
    lowered: dict[str, Any] = {}
    for name, item in value.items():
        key = _key(name)
        if key in lowered and content_of(lowered[key]) is not None:
            continue
        lowered[key] = [item] if key in LISTS and isinstance(item, dict) else item  # an object instead of a list of one
    return lowered


@lru_cache(10_000)
def _are_lower(names: tuple[str, ...]) -> bool:
    return not any(name in LISTS or name != _key(name) for name in names)


def _lower(value: Any) -> Any:
    """The value with all keys in lower case and all text trimmed."""
    match value:
        case str():
            return _trimmed(value)
        case Decimal():
            return Decimal(text_of(value) or 0)
        case dict():
            return {name: _lower(item) for name, item in _lower_keys(value).items()}
        case list():
            return [_lower(item) for item in value]
        case _:
            return value


def _key(name: str) -> str:
    return name.lower().replace("\x00", "")


def _trimmed(text: str) -> str:
    text = text.strip()
    return text.replace("\x00", "").strip() if "\x00" in text else text
