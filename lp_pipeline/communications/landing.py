"""Stores communications from Hatch, by the export or the inbox, in the outbox; they are on disk when it returns."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from lp_pipeline.clients.hatch import Communication, ContactHistory, Malformed
from lp_pipeline.communications.targets import targets_on
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, iso, run


@dataclass
class Landed:
    """How many were new, already known (unchanged or changed), and rejected as malformed."""

    new: int = 0
    known: int = 0
    rejected: int = 0


def land(
    outbox: Outbox, settings: Settings, items: Iterable[Communication | ContactHistory | Malformed], source: str
) -> Landed:
    """Store communications and contact history; malformed records go in with a reason. Raises `WarehouseError`."""
    landed, now = Landed(), iso(settings.now())
    targets = " ".join(targets_on(settings))
    history = False
    with outbox.transaction() as connection:
        for item in items:
            if isinstance(item, Malformed):
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
