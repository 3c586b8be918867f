"""What Dagster loads: explicit lists, no logic."""

from collections.abc import Callable

import dagster as dg

from lp_pipeline.assets import SYNC_ASSETS
from lp_pipeline.checks import CHECKS
from lp_pipeline.jobs import backfill, push_communications, sweep, sync
from lp_pipeline.resources import pipeline_resource
from lp_pipeline.schedules import sweep_schedule, sync_schedule
from lp_pipeline.sensors import push_sensor
from lp_pipeline.settings import Settings, load_settings, refuse_dotenv


def build_definitions(load: Callable[[], Settings] = load_settings, *, pace: float = 1.0) -> dg.Definitions:
    """Fresh definitions over the settings that `load` returns; `pace` multiplies the waits between tries."""
    return dg.Definitions(
        assets=SYNC_ASSETS,
        asset_checks=CHECKS,
        jobs=[sync, push_communications, backfill, sweep],
        schedules=[sync_schedule(load), sweep_schedule(load)],
        sensors=[push_sensor(load)],
        resources={"pipeline": pipeline_resource(load, pace=pace)},
        executor=dg.in_process_executor,
    )


@dg.definitions
def definitions() -> dg.Definitions:
    """The definitions of this deployment; raises `SettingsError` if Dagster was started with settings in `.env`."""
    refuse_dotenv()
    return build_definitions()
