"""The definitions as one object: explicit lists, no logic. What Dagster itself loads is `lp_pipeline.definitions`."""

from collections.abc import Callable

import dagster as dg

from lp_pipeline.orchestration import account_schedules, account_sensor
from lp_pipeline.orchestration.account import accounts_card
from lp_pipeline.orchestration.account_schedules import MINUTES, Accounts
from lp_pipeline.orchestration.alert_sensor import accounts_alert_sensor, alert_sensor
from lp_pipeline.orchestration.assets import EXTERNAL_ASSETS, SYNC_ASSETS, report
from lp_pipeline.orchestration.by_account import by_account
from lp_pipeline.orchestration.catalog import complete
from lp_pipeline.orchestration.checks import CHECKS
from lp_pipeline.orchestration.fleet_page import fleet, fleet_job, fleet_schedule
from lp_pipeline.orchestration.jobs import backfill, housekeeping, push_communications, sweep, sync
from lp_pipeline.orchestration.resources import run_connections
from lp_pipeline.orchestration.schedules import housekeeping_schedule, sweep_schedule, sync_schedule
from lp_pipeline.orchestration.sensors import push_sensor
from lp_pipeline.settings import Settings, listed_accounts, load_settings


def build_account_definitions(
    accounts: Accounts = listed_accounts,
    *,
    pace: float = 1.0,
    tell: Callable[[str], object] | None = None,
    minutes: int = MINUTES,
) -> dg.Definitions:
    """The definitions of many accounts, each a partition of every asset, check and job (SPEC A2), each synced every
    `minutes`. Raises `SettingsError` for a broken accounts file, not for a broken account."""
    listed = accounts()
    one = build_definitions(pace=pace, tell=tell, about=accounts_card(list(listed.values())))
    of_all = dg.Definitions(
        assets=complete([fleet]),
        jobs=[fleet_job],
        schedules=[
            fleet_schedule(accounts),
            account_schedules.sync_schedule(accounts, minutes),
            account_schedules.sweep_schedule(accounts),
            account_schedules.housekeeping_schedule(accounts),
        ],
        sensors=[account_sensor.push_sensor(accounts), accounts_alert_sensor(accounts)],
    )
    return dg.Definitions.merge(by_account(one, list(listed)), of_all)


def build_definitions(
    load: Callable[[], Settings] = load_settings,
    *,
    pace: float = 1.0,
    tell: Callable[[str], object] | None = None,
    about: str | None = None,
) -> dg.Definitions:
    """Fresh definitions over the settings that `load` returns; `pace` multiplies the waits between tries, `tell` shows
    progress in the shell, where there is one, and `about` is what the UI says of the account, if that is not asked."""
    return dg.Definitions(
        assets=[*complete([*SYNC_ASSETS, report]), *complete(EXTERNAL_ASSETS)],
        asset_checks=CHECKS,
        jobs=[sync, push_communications, backfill, sweep, housekeeping],
        schedules=[sync_schedule(load), sweep_schedule(load), housekeeping_schedule(load)],
        sensors=[push_sensor(load), alert_sensor(load)],
        resources={"connections": run_connections(load, pace=pace, tell=tell, about=about)},
        executor=dg.in_process_executor,
    )
