"""Which queue a run waits in (SPEC A4), however it was started: by a schedule, a sensor, a retry or a person. Not here:
what takes it out of there (`fleet_launcher.py`)."""

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.account_schedules import queue_of, tags
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.settings import Account, listed_accounts


class FleetCoordinator(QueuedRunCoordinator):
    """Dagster's own, which limits the runs of each `lp/queue`: a run without that tag would wait in Celery, where it
    counts as starting, and fail as one that never starts. Configured in `deploy/fleet/dagster.yaml`."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Tag the run with its account and its queue, then let it wait there. Raises `SettingsError` as
        `queue_of_run`."""
        run = context.dagster_run
        self._instance.add_run_tags(run.run_id, tags(account_of_run(run), run.job_name))
        return super().submit_run(context)


def queue_of_run(run: dg.DagsterRun) -> str:
    """The queue of a run. The accounts file decides, not the run's tags: the account may have moved since.

    Raises `SettingsError` for a run of no account, or of one that is not listed.
    """
    return queue_of(account_of_run(run), run.job_name)


def account_of_run(run: dg.DagsterRun) -> Account:
    """Whose run it is. Raises `SettingsError` as `queue_of_run`."""
    name = run.tags.get(PARTITION)
    if name is None:
        raise SettingsError(f"The run of {run.job_name} has no account. Choose a partition, which is an account.")
    account = listed_accounts().get(name)
    if account is None:
        raise SettingsError(f"The accounts file lists no account {name!r}, so there is no host for its run.")
    return account
