"""Our errors, and interruptions, as Dagster's failures: one message that says what to do, without a stack trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError, DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

from lp_pipeline.errors import QUERY_INTERRUPTED, PipelineError
from lp_pipeline.runs.journal import Ending

INTERRUPTIONS = ("StepInterrupted", "KeyboardInterrupt", "DagsterExecutionInterruptedError")
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


def _messages(context: Context) -> set[str]:
    """What the failed steps of this run said."""
    return set(_failures(context.instance, context.run.run_id))


def ending_of(instance: dg.DagsterInstance, run_id: str) -> Ending:
    """How a run whose steps have all ended did, with what its failed steps said, once each."""
    failed = _failures(instance, run_id)
    messages = dict.fromkeys(message for message in failed if message not in (SKIPPED, INTERRUPTED))
    if messages:
        return Ending("failed", "\n".join(messages))
    return Ending("interrupted", INTERRUPTED) if failed else Ending("good")


def _failures(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """What each failed step of a run said."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return [_message(entry.dagster_event) for entry in entries if entry.dagster_event]


def _message(event: dg.DagsterEvent) -> str:
    """Without the text of an error that is not ours, which may hold a value (SPEC R4)."""
    data = event.step_failure_data
    if data.user_failure_data:
        return str(data.user_failure_data.description)
    error = data.error
    while error and error.cause:
        error = error.cause
    name = error.cls_name if error else None
    if name in INTERRUPTIONS:
        return INTERRUPTED
    return f"{event.step_key} failed with an unexpected error ({name}). The run's log in the Dagster UI has it whole."
