"""Running the sync job from the shell, quietly: the result is shown, the log is in the Dagster UI."""

import dagster as dg

from lp_pipeline.definitions import build_definitions


def run_sync() -> list[str]:
    """Run `sync` in this process on the Dagster instance of DAGSTER_HOME; what went wrong, a message each."""
    job = build_definitions().resolve_job_def("sync")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
    failures = []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            told = data.user_failure_data.description if data.user_failure_data else None
            failures.append(told or f"{event.step_key}: {data.error.message if data.error else 'failed'}".strip())
    return failures
