"""When a push starts by itself (SPEC C3), and when alerts are sent (N1). Reads the outbox, never the warehouse; what
happens once is decided by what the data folder knows, so that losing Dagster's state changes nothing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg

from lp_pipeline.communications.targets import targets_on
from lp_pipeline.errors import PipelineError
from lp_pipeline.insight.alerts import check
from lp_pipeline.orchestration.jobs import push_communications
from lp_pipeline.orchestration.launcher import is_about_to_start
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.locks import PUSH_TURN, Turn
from lp_pipeline.storage.outbox import Outbox, Row, iso

SECONDS_BETWEEN = 5
SECONDS_BETWEEN_CHECKS = 120
AFTER_A_FAILURE = timedelta(minutes=5)
KILLED = (None, "START_TIMEOUT")  # what Dagster notes as the reason when a run's process is gone
ONLY_DUE = {"ops": {"push": {"config": {"only_due": True}}}}


def push_sensor(load: Callable[[], Settings] = load_settings) -> dg.SensorDefinition:
    """Starts a push when something new has landed or a retry is due, and none is running."""

    @dg.sensor(
        job_name=push_communications.name,  # given as an object, Dagster warns of a parameter that nobody used
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a push when something new has landed from Hatch, or a retry is due.",
    )
    def when_something_has_landed(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            settings = load()
            work = _work(settings)
            if work is None:
                return dg.SkipReason("nothing new has landed, and no retry is due")
            if work["paused_until"]:
                return dg.SkipReason(f"what stopped the last push makes it pause until {work['paused_until'][:19]} UTC")
            if Turn(settings.data, PUSH_TURN).is_taken():
                return dg.SkipReason("a push is running")
        except PipelineError as error:
            return dg.SkipReason(str(error))
        if is_about_to_start(context.instance, push_communications.name):
            return dg.SkipReason("another push is about to start")
        # where one target alone was stopped, that one pauses, and the others continue
        if not work["partly_paused"] and _failed_lately(context.instance):
            return dg.SkipReason("the last push failed; the next one starts 5 minutes later")
        return dg.RunRequest(run_config=ONLY_DUE, tags={"lp/push": "landed" if work["landed"] else "retry"})

    return when_something_has_landed


def alert_sensor(load: Callable[[], Settings] = load_settings) -> dg.SensorDefinition:
    """Sends alerts about what no run can tell: that none ran, that one was killed, or an alert that did not get out."""

    @dg.sensor(
        minimum_interval_seconds=SECONDS_BETWEEN_CHECKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends alerts to ALERT_WEBHOOK_URL, also when no sync has ended well for a while.",
    )
    def when_something_is_wrong() -> dg.SkipReason:
        checked = check(load)
        sent = "; ".join(checked.sent)
        return dg.SkipReason(checked.problem or (f"sent: {sent}" if sent else "nothing new to report"))

    return when_something_is_wrong


def _work(settings: Settings) -> Row | None:
    """What there is to push, if anything."""
    now = settings.now()
    values = {
        "now": iso(now),
        "doubt_before": iso(now - timedelta(seconds=settings.push_doubt_seconds)),
        "targets": json.dumps(targets_on(settings)),
    }
    with Outbox(settings.data) as outbox:
        found = outbox.rows("due_pushes", values)
    return found[0] if found and (found[0]["landed"] or found[0]["due"]) else None


def _failed_lately(instance: dg.DagsterInstance) -> bool:
    last = instance.get_run_records(dg.RunsFilter(job_name=push_communications.name), limit=1)
    if not last or last[0].dagster_run.status != dg.DagsterRunStatus.FAILURE or last[0].end_time is None:
        return False
    if last[0].dagster_run.tags.get("dagster/failure_reason") in KILLED:
        return False
    return datetime.now(UTC) - datetime.fromtimestamp(last[0].end_time, UTC) < AFTER_A_FAILURE
