"""When a push starts by itself (SPEC C3). Reads the outbox, never the warehouse; what happens once is decided by the
ledger there, so that losing Dagster's state changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from lp_pipeline.communications.due import work_of
from lp_pipeline.errors import PipelineError
from lp_pipeline.orchestration.jobs import push_communications
from lp_pipeline.orchestration.launcher import is_about_to_start
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.locks import PUSH_TURN, Turn
from lp_pipeline.storage.outbox import Row

SECONDS_BETWEEN = 20  # Dagster computes for 0.05 s at each tick
AFTER_A_FAILURE = timedelta(minutes=5)
KILLED = (None, "START_TIMEOUT")  # what Dagster notes as the reason when a run's process is gone
ONLY_DUE = {"push": {"config": {"only_due": True}}}


def push_sensor(load: Callable[[], Settings] = load_settings) -> dg.SensorDefinition:
    """Starts a push when something new has landed or a retry is due, and none is running."""

    @dg.sensor(
        job_name=push_communications.name,  # given as an object, Dagster warns of a parameter that nobody used
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a push when something new has landed from Hatch, or a retry is due.",
    )
    def push_when_communications_arrive(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            settings = load()
            found = request_or_reason(
                lambda: context.instance,  # opening it takes 0.1 CPU s, and there is little to do most of the time
                settings,
                work_of(settings),
                under_way=lambda: is_about_to_start(context.instance, push_communications.name),
            )
        except PipelineError as error:
            return dg.SkipReason(str(error))
        return dg.SkipReason(found) if isinstance(found, str) else found

    return push_when_communications_arrive


def request_or_reason(
    instance: Callable[[], dg.DagsterInstance],
    settings: Settings,
    work: Row | None,
    *,
    under_way: Callable[[], bool],
    then: dict[str, Any] | None = None,
    **of_account: Any,
) -> dg.RunRequest | str:
    """A push of what is due, or why there is none. `instance` is opened at need; `then` configures what comes after the
    push, `of_account` are its account's run key, partition and tags."""
    if not (work and (work["landed"] or work["due"])):
        return "nothing new has landed, and no retry is due"
    if work["paused_until"]:
        return f"what stopped the last push makes it pause until {work['paused_until'][:19]} UTC"
    if Turn(settings.data, PUSH_TURN).is_taken():
        return "a push is running"
    if under_way():
        return "another push is about to start"
    # where one target alone was stopped, that one pauses, and the others continue
    if not work["partly_paused"] and _failed_lately(instance(), of_account.get("partition_key")):
        return "the last push failed; the next one starts 5 minutes later"
    tags = {"lp/push": "landed" if work["landed"] else "retry", **of_account.pop("tags", {})}
    return dg.RunRequest(run_config={"ops": {**ONLY_DUE, **(then or {})}}, tags=tags, **of_account)


def _failed_lately(instance: dg.DagsterInstance, account: str | None) -> bool:
    of_account = {PARTITION: account} if account else None
    last = instance.get_run_records(dg.RunsFilter(job_name=push_communications.name, tags=of_account), limit=1)
    if not last or last[0].dagster_run.status != dg.DagsterRunStatus.FAILURE or last[0].end_time is None:
        return False
    if last[0].dagster_run.tags.get("dagster/failure_reason") in KILLED:
        return False
    return datetime.now(UTC) - datetime.fromtimestamp(last[0].end_time, UTC) < AFTER_A_FAILURE
