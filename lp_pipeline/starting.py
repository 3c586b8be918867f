"""Whether a run is about to start, as far as Dagster's book-keeping can be trusted (SPEC R1): both the schedule and the
sensor ask. Whether one is at work, the operating system knows better (`warehouse/turn.py`)."""

from datetime import UTC, datetime, timedelta

import dagster as dg

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
