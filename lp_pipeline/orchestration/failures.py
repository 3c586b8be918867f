"""Our errors, and interruptions, as Dagster's failures: one message that says what to do, without a stack trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError, DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from lp_pipeline.errors import QUERY_INTERRUPTED, PipelineError

SKIPPED = "Skipped because of the earlier error in this run."
INTERRUPTED = "Interrupted. Completed work is saved; start the job again to resume."
Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext


class _Plain(DagsterUserCodeProcessError):
    """Dagster stores an error of this kind as it is given, where it would store another one's stack trace."""

    def __init__(self, message: str, **kwargs: Any) -> None:
        info = SerializableErrorInfo(message, [], type(self).__name__)
        super().__init__(message, user_code_process_error_infos=[info], **kwargs)  # type: ignore[no-untyped-call]


class StepFailed(_Plain, dg.Failure):
    """A step fails with one message."""

    def __init__(self, message: str) -> None:
        super().__init__(message, allow_retries=False)


class StepInterrupted(_Plain, DagsterExecutionInterruptedError):
    """A step was interrupted: by Ctrl-C, by "Terminate" in the UI, or because the machine shuts down."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


@contextmanager
def plain_failures(context: Context) -> Iterator[None]:
    """Turn a `PipelineError` into a failed step, and any interruption into an interrupted one. A message that another
    step of this run has failed with is not repeated; the run's events tell, whichever process the step ran in."""
    try:
        yield
    except PipelineError as error:
        raise StepFailed(SKIPPED if str(error) in _messages(context) else str(error)) from None
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        raise StepInterrupted from None
    except RuntimeError as error:
        if QUERY_INTERRUPTED in str(error):
            raise StepInterrupted from None
        raise


def _messages(context: Context) -> set[str | None]:
    """What the failed steps of this run said."""
    failed = context.instance.all_logs(context.run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    events = [entry.dagster_event for entry in failed if entry.dagster_event]
    return {data.description for event in events if (data := event.step_failure_data.user_failure_data)}
