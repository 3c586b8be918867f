"""The project's definitions with a sync every two minutes instead of every fifteen, so that ticks can be measured.

Loaded by Dagster as `-m benchmarks.every_two_minutes`.
"""

from typing import Any

import dagster as dg

from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.jobs import sync
from lp_pipeline.orchestration.schedules import sync_schedule

CRON = "*/2 * * * *"  # a publication waits until the last one is a minute old
NAME = "every_two_minutes"


def definitions() -> dg.Definitions:
    """All but the schedules are the project's own; this one decides as the project's does."""
    built, decides = build_definitions(), sync_schedule()

    @dg.schedule(name=NAME, job=sync, cron_schedule=CRON, default_status=dg.DefaultScheduleStatus.RUNNING)
    def every_two_minutes(context: dg.ScheduleEvaluationContext) -> Any:
        return decides(context)

    return dg.Definitions(
        assets=built.assets,
        asset_checks=built.asset_checks,
        jobs=built.jobs,
        schedules=[every_two_minutes],
        sensors=built.sensors,
        resources=built.resources,
        executor=built.executor,
    )


defs = definitions()
