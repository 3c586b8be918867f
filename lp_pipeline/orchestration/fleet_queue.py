"""Which queue a run waits in (SPEC A4), however it was started: by a schedule, a sensor, a retry or a person. Not here:
what takes it out of there (`fleet_launcher.py`)."""

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from lp_pipeline.orchestration.account_schedules import tags
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.settings import listed_accounts


class FleetCoordinator(QueuedRunCoordinator):
    """Dagster's own, which limits the runs of each `lp/queue`: a run without that tag would wait in Celery, where it
    counts as starting, and fail as one that never starts. Configured in `deploy/fleet/dagster.yaml`."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Tag an account's run with what it waits for, then let it wait. One of no account is the launcher's to judge.
        Raises `SettingsError` for a broken accounts file."""
        run = context.dagster_run
        account = listed_accounts().get(run.tags.get(PARTITION, ""))
        if account:
            self._instance.add_run_tags(run.run_id, tags(account, run.job_name))
        return super().submit_run(context)
