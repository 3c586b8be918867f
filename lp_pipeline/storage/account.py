"""Whose data a folder holds (SPEC J5): `work.duckdb` remembers LeadPerfection's address, client id and time zone, and
`outbox.sqlite` the address and client id. Who opens either one to work with it opens it here.
"""

import json
from pathlib import Path
from typing import Any

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.settings.accounts import mark
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.state_file import reserve
from lp_pipeline.storage.warehouse import Warehouse, bound

NAMES = ("LP_API_URL", "LP_CLIENT_ID", "LP_TIMEZONE")
FACT = "account"


def make_folder(folder: Path, name: str) -> None:
    """The data folder of one account of many (SPEC A3). Raises `SettingsError` if it is another one's, `WarehouseError`
    if the disk has no room."""
    with readable_errors(f"make {folder}"):
        mark(folder, name)
    reserve(folder)


def check_account(settings: Settings) -> None:
    """Every command begins with this. Raises `SettingsError` if the folder holds another account's data.

    Asks the outbox only, for which nobody waits; the warehouse is asked once it is opened, by `open_warehouse`.
    """
    with open_outbox(settings):
        pass


def open_outbox(settings: Settings) -> Outbox:
    """The outbox of this account; raises `SettingsError` if it is another one's."""
    outbox = Outbox(settings.data)
    try:
        check_outbox(outbox, settings)
    except BaseException:
        outbox.close()
        raise
    return outbox


def check_outbox(outbox: Outbox, settings: Settings) -> None:
    """Raises `SettingsError` if an outbox that is open already is another account's."""
    known = outbox.fact(FACT)
    if known is not None:
        check_known(settings, json.loads(known), "")


def open_warehouse(settings: Settings, *, zone_may_differ: bool = False) -> Warehouse:
    """The warehouse of this account, for whoever has the turn; raises `SettingsError` if it is another account's, or,
    unless `zone_may_differ`, if its instants were computed in another time zone."""
    warehouse = Warehouse(settings.data)
    check_warehouse(warehouse, settings, zone_may_differ=zone_may_differ)
    return warehouse


def check_warehouse(warehouse: Warehouse, settings: Settings, *, zone_may_differ: bool = False) -> None:
    """The same of a warehouse that is open already."""
    if not warehouse.work.exists():
        return
    if known := _known(warehouse):
        check_known(settings, known[:2] if zone_may_differ else known, known[2])


def remember_account(connection: Any, settings: Settings) -> None:
    """Whose warehouse this is from now on, inside the transaction that stores the first of its data."""
    address, client_id, zone = account_of(settings)
    bound(connection, "account/remember", {"address": address, "client_id": client_id, "zone": zone})


def remember_outbox(outbox: Outbox, settings: Settings) -> None:
    """Whose outbox this is from now on: LeadPerfection has accepted the sign-in."""
    if outbox.fact(FACT) is None:
        outbox.keep(FACT, json.dumps(account_of(settings)[:2]), once=True)


def remember_from_warehouse(outbox: Outbox, warehouse: Warehouse, settings: Settings) -> None:
    """Likewise, because the warehouse, which was checked, has data of this account: so commands that don't open the
    warehouse know it too."""
    if outbox.fact(FACT) is None and _known(warehouse):
        remember_outbox(outbox, settings)


def _known(warehouse: Warehouse) -> tuple[str, str, str] | None:
    with warehouse.connection() as connection:
        return next(iter(bound(connection, "account/known")), None)


def account_of(settings: Settings) -> list[str]:
    """LeadPerfection's address and client id, and the time zone: whose data it is."""
    return [settings.account, settings.lp_client_id, settings.lp_timezone]


def check_known(settings: Settings, known: Any, zone: str) -> None:
    """Raises `SettingsError` if the settings are another account's. `known` is the account's parts, in the order of
    `NAMES`; without the zone, if that does not matter."""
    other = [name for name, then, now in zip(NAMES, known, account_of(settings), strict=False) if then != now]
    if other == ["LP_TIMEZONE"]:
        raise SettingsError(
            f"{settings.data} was filled with times in {zone}, and LP_TIMEZONE is now {settings.lp_timezone}. "
            "Set it back, or run `lp-pipeline rezone` to recompute the instants."
        )
    if other:
        raise SettingsError(
            f"{settings.data} holds the data of another LeadPerfection account ({' and '.join(other)} differ). "
            "Give each account a folder of its own with LP_PIPELINE_DATA."
        )
