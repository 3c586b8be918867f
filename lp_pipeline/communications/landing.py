"""Stores communications from Hatch, by the export or the inbox, in the outbox; they are on disk when it returns."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from lp_pipeline.clients.contact_points import email_address
from lp_pipeline.clients.hatch import Communication, ContactHistory, Malformed
from lp_pipeline.communications.targets import targets_on
from lp_pipeline.settings import Settings
from lp_pipeline.storage.forgotten import Forgotten
from lp_pipeline.storage.outbox import Outbox, iso, run


@dataclass
class Landed:
    """How many were new, already known (unchanged or changed), rejected as malformed, and not stored because they are
    about somebody who was erased."""

    new: int = 0
    known: int = 0
    rejected: int = 0
    dropped: int = 0


def land(
    outbox: Outbox, settings: Settings, items: Iterable[Communication | ContactHistory | Malformed], source: str
) -> Landed:
    """Store communications and contact history; malformed records go in with a reason. Raises `WarehouseError`."""
    landed, now = Landed(), iso(settings.now())
    targets = " ".join(targets_on(settings))
    history = False
    with outbox.transaction() as connection:
        forgotten = Forgotten(settings.data)  # inside the transaction: nothing slips in while somebody is erased
        for item in items:
            if forgotten and _is_forgotten(connection, forgotten, item):
                landed.dropped += 1
            elif isinstance(item, Malformed):
                values = {"record": item.record, "source": source, "reason": item.reason, "landed_at": now}
                run(connection, "reject_communication", values)
                landed.rejected += 1
            elif isinstance(item, ContactHistory):
                before = connection.total_changes
                updated_at = iso(item.updated_at) if item.updated_at else None
                run(connection, "land_contact_history", _columns(item) | {"updated_at": updated_at})
                history |= connection.total_changes > before
                landed.new += 1
            else:
                rows = run(connection, "land_communication", _values(item, source, now, targets))
                is_new = bool(rows and rows[0]["is_new"])
                landed.new += is_new
                landed.known += not is_new
        if history:
            run(connection, "retry_unmatched")
    return landed


def _is_forgotten(
    connection: sqlite3.Connection, forgotten: Forgotten, item: Communication | ContactHistory | Malformed
) -> bool:
    """Whether it is about somebody who was erased (SPEC E5). The ids that it names come first: a phone or an email may
    have another owner by now, whom Hatch has been told of."""
    if isinstance(item, Malformed):
        return forgotten.mentions(item.record)
    if isinstance(item, Communication):
        hatch_contact, lead = item.contact_id, item.external_id
        if forgotten.knows("communication", item.id):
            return True
    else:
        hatch_contact, lead = item.hatch_contact_id, None
    if item.external_contact_id:
        return forgotten.knows("prospect", item.external_contact_id)
    if lead:
        return forgotten.knows("lead", lead)
    known = run(connection, "known_contacts", {"contact_ids": json.dumps([hatch_contact])})
    if any(row["external_contact_id"] for row in known):
        return False
    return (
        forgotten.knows("hatch_contact", hatch_contact)
        or forgotten.knows("phone", item.phone)
        or forgotten.knows("email", email_address(item.email))
    )


def _values(item: Communication, source: str, now: str, targets: str) -> dict[str, object]:
    return {
        **_columns(item),
        "communication_id": item.id,
        "occurred_at": iso(item.occurred_at),
        "links": json.dumps(item.links),
        "source": source,
        "landed_at": now,
        "targets": targets,
    }


def _columns(item: Communication | ContactHistory) -> dict[str, object]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}
