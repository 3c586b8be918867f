"""How a prospect record is stored: as received, with its normal form next to it only if SQL can't read it as it is.

Most records can be read as LeadPerfection sent them. One that can't (odd spelling of a key that SQL reads, an id that
is no text, an object instead of a list …) has a normal form. Pure functions over JSON text.
"""

import json
from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from lp_pipeline.clients.json_repair import exact
from lp_pipeline.clients.json_shapes import Shaped
from lp_pipeline.clients.json_values import id_of, text_of
from lp_pipeline.storage.contents import LISTS, OWN_KEY, content_of, lower, lower_name
from lp_pipeline.storage.plain_records import LEAD_DATES, PROSPECT_TEXTS, READ_BY_SQL, is_plain

_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_NUL = b"\\u0000"  # which no DuckDB text can hold


class Landed(msgspec.Struct, frozen=True):
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
    """The same of an element that was decoded already, with all digits of its numbers; or by its shape, which
    `is_plain_at_once` has seen."""
    if isinstance(whole, Shaped):
        # a key that occurs twice makes the record longer than what was decoded; blanks do so too
        if not whole.looks or len(whole.sorted_json) != len(raw) or _NUL in raw:
            return land(raw, ignored)
        digest = blake2b(whole.sorted_json, digest_size=16).digest()
        return Landed(whole.key, whole.key, int.from_bytes(digest[:8], "big"), None, whole.names)
    ordered = _encode(whole)
    digest = blake2b(ordered, digest_size=16).digest()
    number = int.from_bytes(digest[:8], "big")
    if not isinstance(whole, dict):
        return Landed(f"?{digest.hex()}", None, number, None, ())
    plain = is_plain(whole) and _NUL not in raw and (len(ordered) == len(raw) or not _repeats_a_key(raw))
    if plain:
        contact = str(whole["cst_id"])
        return Landed(contact, contact, number, None, tuple(whole))
    normal = _normal(whole, ignored)
    identity = normal.get("cst_id")
    return Landed(identity or f"?{digest.hex()}", identity, number, _encode(normal), tuple(normal))


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
    given = [value for name, value in whole.items() if lower_name(name) == "leads"]
    if given:  # null says nothing; an empty list says that there are none (SPEC M6)
        fields["leads"] = None if given == [None] else leads
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
