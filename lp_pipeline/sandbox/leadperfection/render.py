"""Formats the records of a page: adds what was written to them, limits calls to a week, applies the format switches.

Belongs here: from stored rows to the response body. Not here: which rows a page has (api.py, world/store.py).
"""

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from lp_pipeline.sandbox.faults import Answer
from lp_pipeline.sandbox.request import Request
from lp_pipeline.sandbox.switches import Switches
from lp_pipeline.sandbox.world.stamps import Record, id_of, key_of, objects, sortable, value_of, wall
from lp_pipeline.sandbox.world.store import Addition, Row

NOTHING = {"array": b"[]", "null": b"null", "blank": b""}


def shown(request: Request, rows: list[Row], *, with_leads: bool) -> Answer:
    """The response that contains these prospects."""
    switches = request.switches
    if not rows:
        return Answer(200, NOTHING[switches["empty_as"]])
    recent = _recent(request)
    written: dict[str, list[Addition]] = {}
    for addition in request.world.additions(rows):
        if addition.array != "calls" or recent(addition.element):
            written.setdefault(addition.cst_id, []).append(addition)
    changed = switches["key_case"] != "as_is" or switches["numeric_ids"] or switches["hide_notes"] or not with_leads
    texts = []
    for row in rows:
        additions = written.get(row.cst_id, [])
        if not (changed or row.made or additions):
            texts.append(row.text)  # verbatim: records added by `put` are served byte for byte
            continue
        record = json.loads(row.text)
        if row.made and isinstance(record.get("calls"), list):
            record["calls"] = [call for call in record["calls"] if recent(call)]
        _append(record, additions)
        if not with_leads:
            _drop("leads", [record])
        if switches["hide_notes"]:
            _drop("notes", [record, *objects(record, "leads")])
        texts.append(json.dumps(_dressed(record, switches), ensure_ascii=False))
    whole = texts[0] if len(texts) == 1 and switches["single_object"] else f"[{','.join(texts)}]"
    return Answer(200, whole.encode())


def _recent(request: Request) -> Callable[[Record], bool]:
    """A predicate: is a call within the last seven days, which LP shows?"""
    zone = request.world.zone
    oldest = wall(request.now - timedelta(days=7), zone, 7)
    return lambda call: (sortable(value_of(call, "calldatetime"), zone) or "") >= oldest


def _drop(name: str, owners: Iterable[Record]) -> None:
    for owner in owners:
        if key := key_of(owner, name):
            del owner[key]


def _append(record: Record, written: list[Addition]) -> None:
    for addition in written:
        owners = [record]
        if addition.lead_id:
            owners = [lead for lead in objects(record, "leads") if id_of(lead, "id") == addition.lead_id]
        for owner in owners:
            key = key_of(owner, addition.array) or addition.array
            kept = owner.get(key)
            if isinstance(kept, str) and addition.array == "notes":  # where notes are a single text, append to it
                owner[key] = f"{kept}\n{addition.element['note']}" if kept else addition.element["note"]
            else:
                owner[key] = [*(kept if isinstance(kept, list) else []), addition.element]


def _dressed(value: Any, switches: Switches, key: str = "") -> Any:
    """The value with the format switches applied: key casing, and ids as numbers."""
    if isinstance(value, dict):
        return {_cased(name, switches["key_case"]): _dressed(item, switches, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_dressed(item, switches) for item in value]
    is_id = key.lower() == "id" or key.lower().endswith("_id")
    if switches["numeric_ids"] and is_id and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


def _cased(key: str, style: str) -> str:
    if style == "as_is":
        return key
    if style == "upper":
        return key.upper()
    parts = [part[:1].upper() + part[1:] for part in key.split("_")]
    return ("" if style == "pascal" else "_").join(parts)
