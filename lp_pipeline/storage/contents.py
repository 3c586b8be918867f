"""What is compared and shown of a record (SPEC F1, J1, D2): contents, keys in lower case, the fields that only older
readings have. Pure functions over JSON text. How a record is stored: `records.py`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from lp_pipeline.clients.json_repair import exact
from lp_pipeline.clients.json_values import id_of, text_of
from lp_pipeline.clients.lp_dates import SENTINEL

NEVER_COMPARED = frozenset({"notes", "calls"})  # our own pushes would echo
NOT_OWN = NEVER_COMPARED | {"leads"}
LISTS = ("appointments", "jobs")
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
SAME = "="  # instead of a content, where two readings have the same
OWN_KEY = "?key"  # in the normal form: the key of a lead without an id


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


def contents(record: bytes, ignored: Collection[str] = ()) -> Contents:
    """What comparisons look at in a stored record, as received or in its normal form."""
    whole = exact(record)
    if not isinstance(whole, dict):
        return Contents({}, [], {}, ())
    leads = whole.pop("leads", None)
    by_key: dict[str, LeadContent] = {}
    in_order = []
    for lead in leads if isinstance(leads, list) else ():
        key = _lead_key(lead)
        found = LeadContent(content_of(lead, ignored) or {}, [lower_name(name) for name in lead])
        in_order.append(found)
        by_key.setdefault(key, found)
    own, names = content_of(whole, ignored) or {}, [lower_name(name) for name in whole]
    return Contents(own, names, by_key, tuple(in_order))


def compared(
    now: bytes, before: bytes, *, ignored: Collection[str] = ()
) -> tuple[list[tuple[str | None, Any]], list[tuple[str | None, Any]]]:
    """What differs between two readings: of each the prospect's own content (key None) and that of each lead, by key.

    Of an object that both have there are only the fields whose contents differ, or `SAME` if none do.
    """
    (own, leads), (old_own, old_leads) = _parts(now), _parts(before)
    rows: list[tuple[str | None, Any]] = []
    old_rows: list[tuple[str | None, Any]] = []
    for key, one, other in ((None, own, old_own), *((key, lead, old_leads.get(key)) for key, lead in leads.items())):
        if other is None:
            rows.append((key, content_of(one, ignored) or {}))
        else:
            fields, old_fields = _differing(one, other, ignored)
            rows.append((key, fields if fields or old_fields else SAME))
            old_rows.append((key, old_fields if fields or old_fields else SAME))
    old_rows += [(key, content_of(lead, ignored) or {}) for key, lead in old_leads.items() if key not in leads]
    return rows, old_rows


def _differing(now: Any, before: Any, ignored: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of two objects whose contents differ. Most are the same word for word, and need no content."""
    now, before = lower_keys(now), lower_keys(before)
    fields: dict[str, Any] = {}
    old_fields: dict[str, Any] = {}
    for name in {**now, **before}:
        one, other = now.get(name), before.get(name)
        if name in NEVER_COMPARED or name in ignored or _are_the_same(one, other):
            continue
        content, old_content = content_of(one, ignored), content_of(other, ignored)
        if content != old_content:
            fields |= {name: content} if content is not None else {}
            old_fields |= {name: old_content} if old_content is not None else {}
    return fields, old_fields


def _are_the_same(one: Any, other: Any) -> bool:
    """Whether two values are the same word for word. To Python, 1 and true are equal: what is no text is written."""
    if type(one) is not type(other):
        return False
    return bool(one == other) if type(one) is str else _encode(one) == _encode(other)


def _parts(record: bytes) -> tuple[Any, dict[str, Any]]:
    """A stored record without its leads, and its leads by key; of two with the same key the first one counts."""
    whole = exact(record)
    if not isinstance(whole, dict):
        return {}, {}
    leads = whole.pop("leads", None)
    by_key: dict[str, Any] = {}
    for lead in leads if isinstance(leads, list) else ():
        by_key.setdefault(_lead_key(lead), lead)
    return whole, by_key


def _lead_key(lead: dict[str, Any]) -> str:
    return lead.pop(OWN_KEY, None) or id_of(lead.get("id")) or ""


def own_keys(names: Iterable[str]) -> frozenset[str]:
    """The keys of a prospect's own fields (SPEC J1) in lower case: without its leads, notes and calls."""
    return frozenset(lower_name(name) for name in names) - NOT_OWN


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
        lead = lower(exact(lead_source)["leads"][lead_place - 1])
        lead.pop(OWN_KEY, None)
    return {**(exact(older) if older else {}), **_own(prospect)}, lead


def content_of(value: Any, ignored: Collection[str] = ()) -> Any:
    """What comparisons look at (SPEC F1), or None if nothing of the value is left.

    Values become trimmed text; missing ones, `notes`, `calls` and ignored fields are left out at any depth. Inside an
    array a missing element keeps its place when another one follows it, for J3 asks for the first element.
    """
    kind = type(value)
    if kind is str:
        text = trimmed(value)
        return None if not text or (text[0] in "01" and SENTINEL.fullmatch(text)) else text
    if kind is dict:
        kept = {}
        for name, item in lower_keys(value).items():
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
    whole = exact(record)
    if not isinstance(whole, dict):
        return {}
    fields: dict[str, Any] = lower(whole)
    fields.pop("leads", None)
    return fields


def lower_keys(value: dict[str, Any]) -> dict[str, Any]:
    """The same items with keys in lower case; of two that fall together the one with a value wins, else the last."""
    if _are_lower(tuple(value)) and not any(type(value.get(name)) is dict for name in LISTS):
        return value
    lowered: dict[str, Any] = {}
    for name, item in value.items():
        key = lower_name(name)
        if key in lowered and content_of(lowered[key]) is not None:
            continue
        lowered[key] = [item] if key in LISTS and isinstance(item, dict) else item  # an object instead of a list of one
    return lowered


@lru_cache(10_000)
def _are_lower(names: tuple[str, ...]) -> bool:
    return all(name == lower_name(name) for name in names)


def lower(value: Any) -> Any:
    """The value with all keys in lower case and all text trimmed."""
    match value:
        case str():
            return trimmed(value)
        case Decimal():
            return Decimal(text_of(value) or 0)
        case dict():
            return {name: lower(item) for name, item in lower_keys(value).items()}
        case list():
            return [lower(item) for item in value]
        case _:
            return value


def lower_name(name: str) -> str:
    return name.lower().replace("\x00", "")


def trimmed(text: str) -> str:
    text = text.strip()
    return text.replace("\x00", "").strip() if "\x00" in text else text
