"""The Celery application of a shard's workers (SPEC A4):
`celery -A lp_pipeline.orchestration.fleet_worker worker -Q east`.

It takes its broker and its queues from the Dagster instance of DAGSTER_HOME, as the launcher does. Ended by TERM, it
takes no further run, and gives those under way a few seconds.
"""

import os
import signal
from contextlib import suppress
from threading import Timer
from typing import Any

import dagster as dg
from billiard.process import active_children  # type: ignore[import-untyped]
from celery import signals
from dagster._cli.api import _execute_run_command_body
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME

from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.fleet_launcher import FleetLauncher

GRACE_SECONDS = 8.0  # shorter than what Docker gives a container to stop


def _launcher(instance: dg.DagsterInstance) -> FleetLauncher:
    launcher = instance.run_launcher
    if not isinstance(launcher, FleetLauncher):
        raise SettingsError(
            f"{instance.root_directory}/dagster.yaml does not use the fleet's launcher. Use deploy/fleet/dagster.yaml."
        )
    return launcher


with dg.DagsterInstance.get() as _instance:
    app = _launcher(_instance).celery


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def _own_files_only(**_: Any) -> None:
    """SPEC R4: whatever a run writes is its owner's."""
    os.umask(0o077)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _end_soon(**_: Any) -> None:
    """Celery would wait for its runs, and a deploy for a backfill of hours. A run that is killed loses nothing (SPEC
    R1): Dagster starts a backfill or a sweep again, which resumes, and the next tick makes up for all others."""
    timer = Timer(GRACE_SECONDS, _end_runs)
    timer.daemon = True
    timer.start()


def _end_runs() -> None:
    for child in active_children():
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)


@app.task(name=TASK_EXECUTE_JOB_NAME, track_started=True)  # type: ignore[untyped-decorator]
def execute_run(execute_job_args_packed: Any) -> int:
    """Do one run in this process, whose lock shows that it is alive. A run that is over already, as one that was ended
    while it waited, is left alone."""
    run_id = unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs).run_id
    with dg.DagsterInstance.get() as instance, _launcher(instance).holding(run_id):
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished or run.status == dg.DagsterRunStatus.CANCELING:
            return 0
        return _execute_run_command_body(run_id, instance, lambda _event: None, set_exit_code_on_failure=False)
