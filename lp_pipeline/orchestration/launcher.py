"""Detects runs whose process died: each run holds a locked file named after its id in DAGSTER_HOME. Dagster's run
monitoring fails a run whose file is unlocked (SPEC R1). Also says why a run could not start, or that one is about to.
Not here: which process may write what (`storage/locks.py`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.instance import InstanceRef
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from lp_pipeline.settings.package_data import LOCATION as LOCATION
from lp_pipeline.storage.alive import is_gone

FOLDER = "alive"


class Launcher(dg.DefaultRunLauncher):
    """Dagster's default launcher plus a check that a run's process is alive; configured in `dagster.yaml`."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """True. The default launcher can't check, so its monitoring waits for `max_runtime_seconds`."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Called every few seconds for each started run; Dagster marks a run that fails the check as failed."""
        if is_gone(Path(self._instance.root_directory) / FOLDER / run.run_id):
            return CheckRunHealthResult(
                WorkerStatus.FAILED, "Its process is gone: it was killed, or the machine went down."
            )
        return CheckRunHealthResult(WorkerStatus.RUNNING)


class Instance(dg.DagsterInstance):
    """Dagster's instance, which by itself fails a run that could not start without a reason; see `dagster.yaml`."""

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        """Nothing to configure."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, Any]:
        """Dagster's own."""
        return InstanceRef.config_defaults(base_dir)

    def create_run_for_job(self, job_def: dg.JobDefinition, *args: Any, **given: Any) -> dg.DagsterRun:
        """A run that a shell starts, which gets the code location that the UI shows its job under. It is not retried if
        it is killed, as others are: whoever started it is there to start it again."""
        location = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), SINGLETON_REPOSITORY_NAME)
        given["remote_job_origin"] = given.get("remote_job_origin") or RemoteJobOrigin(location, job_def.name)
        given["tags"] = {**(given.get("tags") or {}), "dagster/max_retries": "0"}
        return super().create_run_for_job(job_def, *args, **given)

    def report_run_failed(
        self, dagster_run: dg.DagsterRun, message: str | None = None, job_failure_data: Any = None
    ) -> dg.DagsterEvent:
        """Mark a run as failed; without a message, that of the error that Dagster noted last."""
        return super().report_run_failed(dagster_run, message or self._why(dagster_run.run_id), job_failure_data)

    def _why(self, run_id: str) -> str | None:
        noted = self.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        errors = [entry.dagster_event.engine_event_data.error for entry in noted if entry.dagster_event]
        error = next((error for error in reversed(errors) if error), None)
        if error is None:
            return None
        words = error.message.strip()
        return f"The run could not start. {words.partition(f'{error.cls_name}: ')[2] or words}"


ABOUT_TO_START = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]


LONGEST_START = timedelta(minutes=2)  # a run that has not started by then has probably lost its process


def is_about_to_start(instance: dg.DagsterInstance, job_name: str) -> bool:
    """Whether a run of the job is queued, or was created in the last two minutes and has not started.

    Older unstarted runs are ignored: Dagster's monitoring is slow to fail a run that was killed before it started.
    """
    cutoff = datetime.now(UTC) - LONGEST_START
    return bool(
        instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=[dg.DagsterRunStatus.QUEUED]), limit=1)
        or instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=ABOUT_TO_START, updated_after=cutoff), limit=1)
    )
