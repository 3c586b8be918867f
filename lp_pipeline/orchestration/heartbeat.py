"""Whether Dagster's daemon is alive and the sync's schedule is on, for `doctor`: asked of Dagster's instance alone, so
it works while nothing of Dagster runs. What runs then is in `schedules`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus

from lp_pipeline.insight.examination import Finding, fail, ok, unknown
from lp_pipeline.insight.words import length

SCHEDULE = "sync_every_15_minutes"  # of one account, and of several
DAEMON = "SCHEDULER"
LATE = timedelta(minutes=2)  # a daemon that is well says so every 30 seconds
START = "Start it:  make dev  (or lp-pipeline dev)"


def schedule_is_on(home: Path) -> Finding:
    """Whether syncs start by themselves, by the Dagster of this home."""
    if not (home / "dagster.yaml").exists():
        return unknown("no Dagster here yet; lp-pipeline dev starts the schedule")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        beat = instance.get_daemon_heartbeats().get(DAEMON)
        states = [state for state in instance.all_instigator_state() if state.instigator_name == SCHEDULE]
    if beat is None:
        return unknown("not started yet; lp-pipeline dev starts it")
    silent = datetime.now(UTC) - datetime.fromtimestamp(beat.timestamp, UTC)
    if silent > LATE:
        return fail(f"nothing starts syncs: Dagster's daemon was last seen {length(silent)} ago", START)
    if off := [state.instigator_name for state in states if state.status == InstigatorStatus.STOPPED]:
        return fail(f"the schedule {off[0]} is off", "Turn it on in Dagster's UI, under Automation.")
    return ok(f"on; daemon last seen {length(silent)} ago")
