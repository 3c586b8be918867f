"""Whose data the warehouse holds (SPEC J5), and the syncs' numbers with the settings that each ran under (SPEC W7, E4).

Watermarks are in `extract`.
"""

from typing import Any

import msgspec

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.warehouse import Warehouse

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
    """The number of this run's sync; the first call of a run takes the next one and records the settings.

    Raises `SettingsError` if the warehouse holds another account's data (SPEC J5).
    """
    with warehouse.transaction() as connection:
        _recognise(connection, settings)
        known = connection.execute("select sync_id from pipeline.syncs where run_id = $run", {"run": run_id}).fetchone()
        if known:
            return int(known[0])
        return record_sync(connection, settings, run_id)


def record_sync(connection: Any, settings: Settings, run_id: str) -> int:
    """Take the next sync number, inside the caller's transaction, and keep the settings that it ran under."""
    kept = {name: getattr(settings, name) for name in REPLAYED_SETTINGS}
    (sync_id,) = connection.execute(
        "insert into pipeline.syncs select coalesce(max(sync_id), 0) + 1, $run, $now, $settings "
        "from pipeline.syncs returning sync_id",
        {"run": run_id, "now": settings.now(), "settings": msgspec.json.encode(kept).decode()},
    ).fetchall()[0]
    return int(sync_id)


def _recognise(connection: Any, settings: Settings) -> None:
    known = connection.execute("select address, client_id, zone from pipeline.account").fetchone()
    if known is None:
        return
    account = _account(settings)
    names = ("LP_API_URL", "LP_CLIENT_ID", "LP_TIMEZONE")
    other = [name for name, then, now in zip(names, known, account, strict=True) if then != now]
    if other == ["LP_TIMEZONE"]:
        raise SettingsError(
            f"{settings.data} was filled with times in {known[2]}, and LP_TIMEZONE is now {settings.lp_timezone}. "
            "Set it back, or run `lp-pipeline rezone` to recompute the instants."
        )
    if other:
        raise SettingsError(
            f"{settings.data} holds the data of another LeadPerfection account ({' and '.join(other)} differ). "
            "Give each account a folder of its own with LP_PIPELINE_DATA."
        )


def remember_account(connection: Any, settings: Settings) -> None:
    """Whose data this is from now on, inside the transaction that stores the first of it."""
    connection.execute(
        "insert into pipeline.account select $1, $2, $3 where not exists (select 1 from pipeline.account)",
        _account(settings),
    ).fetchall()


def _account(settings: Settings) -> list[str]:
    return [settings.account, settings.lp_client_id, settings.lp_timezone]
