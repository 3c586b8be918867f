"""The syncs' numbers, which are the reading order, and the settings that each ran under (SPEC W7, E4).

Watermarks are in `extract`, whose data it is in `account`.
"""

from typing import Any

import msgspec

from lp_pipeline.settings import Settings
from lp_pipeline.storage.warehouse import Warehouse, bound

REPLAYED_SETTINGS = (
    "lp_timezone",
    "lp_availability",
    "lp_held_after",
    "lp_ignore_fields",
    "lp_overlap_minutes",
    "lp_page_size",
    "lp_paging",
    "lp_lead_options",
    "lp_prospect_action",
    "lp_prospect_options",
)


def begin_sync(warehouse: Warehouse, settings: Settings, run_id: str) -> int:
    """The number of this run's sync; the first call of a run takes the next one and records the settings."""
    with warehouse.transaction() as connection:
        known = bound(connection, "sync_log/known", {"run": run_id})
        return int(known[0][0]) if known else record_sync(connection, settings, run_id)


def record_sync(connection: Any, settings: Settings, run_id: str) -> int:
    """Take the next sync number, inside the caller's transaction, and keep the settings that it ran under."""
    kept = {name: getattr(settings, name) for name in REPLAYED_SETTINGS}
    values = {"run": run_id, "now": settings.now(), "settings": msgspec.json.encode(kept).decode()}
    return int(bound(connection, "sync_log/record", values)[0][0])
