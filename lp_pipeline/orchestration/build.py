"""The definitions as one object: explicit lists, no logic. What Dagster itself loads is `lp_pipeline.definitions`."""

from collections.abc import Callable

import dagster as dg

from lp_pipeline.orchestration.assets import SYNC_ASSETS
from lp_pipeline.orchestration.checks import CHECKS
from lp_pipeline.orchestration.jobs import backfill, housekeeping, push_communications, sweep, sync
from lp_pipeline.orchestration.resources import run_connections
from lp_pipeline.orchestration.schedules import housekeeping_schedule, sweep_schedule, sync_schedule
from lp_pipeline.orchestration.sensors import push_sensor
from lp_pipeline.settings import Settings, load_settings


def build_definitions(
    load: Callable[[], Settings] = load_settings, *, pace: float = 1.0, tell: Callable[[str], object] | None = None
) -> dg.Definitions:
    """Fresh definitions over the settings that `load` returns; `pace` multiplies the waits between tries, `tell` shows
    progress in the shell, where there is one."""
    return dg.Definitions(
        assets=SYNC_ASSETS,
        asset_checks=CHECKS,
        jobs=[sync, push_communications, backfill, sweep, housekeeping],
        schedules=[sync_schedule(load), sweep_schedule(load), housekeeping_schedule()],
        sensors=[push_sensor(load)],
        resources={"connections": run_connections(load, pace=pace, tell=tell)},
        executor=dg.in_process_executor,
    )
