"""Our errors as Dagster's failures: one message that says what to do, shown before any stack trace, once a run."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from lp_pipeline.errors import PipelineError

SKIPPED = "Skipped because of the earlier error in this run."
Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext


@contextmanager
def plain_failures(context: Context) -> Iterator[None]:
    """Turn a `PipelineError` into a failed step. A message that another step of this run has failed with is not
    repeated; the run's events tell, whichever process the step ran in."""
    try:
        yield
    except PipelineError as error:
        message = SKIPPED if str(error) in _messages(context) else str(error)
        raise dg.Failure(description=message, allow_retries=False) from None


def _messages(context: Context) -> set[str | None]:
    """What the failed steps of this run said."""
    failed = context.instance.all_logs(context.run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    events = [entry.dagster_event for entry in failed if entry.dagster_event]
    return {data.description for event in events if (data := event.step_failure_data.user_failure_data)}
