"""Which runs live: each holds a locked file named by its id in DAGSTER_HOME. Dagster's run monitoring ends those whose
file is left unlocked, for their process is gone (SPEC R1). Also whether a run is about to start, as far as Dagster's
book-keeping can be trusted. Who may work on what is decided by `storage/locks.py`.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

FOLDER = "alive"


class Launcher(dg.DefaultRunLauncher):
    """Dagster's own launcher, which also knows whether a run's process lives; `dagster.yaml` names it."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """The default launcher can't tell, so that its monitoring waits for `max_runtime_seconds`."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Asked every few seconds about each run that has begun; one that fails it is reported as failed."""
        if is_gone(Path(self._instance.root_directory), run.run_id):
            return CheckRunHealthResult(WorkerStatus.FAILED, "Its process is gone: it was killed, or the machine was.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


@contextmanager
def shown_alive(home: Path, run_id: str) -> Iterator[None]:
    """Hold the run's file. It appears locked and goes before its lock: no living run's is ever seen unlocked."""
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, made = folder / run_id, folder / f".{run_id}"
    with made.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        made.rename(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def is_gone(home: Path, run_id: str) -> bool:
    """Whether the run began and its process ended without a word. Not if there is doubt: no file proves nothing."""
    path = home / FOLDER / run_id
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return path.exists()  # else it has just ended, properly
    except (FileNotFoundError, BlockingIOError):
        return False


ABOUT_TO_START = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]


LONGEST_START = timedelta(minutes=2)  # one that has not begun by then hardly will: its process is gone


def is_about_to_start(instance: dg.DagsterInstance, job_name: str) -> bool:
    """Whether a run of the job is queued, or was made in the last two minutes and has not begun.

    Dagster's monitoring is slow to end a run that was killed before it began, so an old one counts for nothing here.
    """
    lately = datetime.now(UTC) - LONGEST_START
    return bool(
        instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=[dg.DagsterRunStatus.QUEUED]), limit=1)
        or instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=ABOUT_TO_START, updated_after=lately), limit=1)
    )
