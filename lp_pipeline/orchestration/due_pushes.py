"""What there is to push for an account, and how the push sensor learns of it where it can't look itself (SPEC A2, C3):
those who see an account's folder, its inbox and its runs, report an event of Dagster's for it, which the sensor
follows. On one host nobody reports any."""

import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Self

import dagster as dg

from lp_pipeline.communications.targets import targets_on
from lp_pipeline.errors import PipelineError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row, iso

REPORTED_ON = dg.AssetKey("raw_communications")
REPORT = "Something from Hatch is to be pushed into LeadPerfection."
SECONDS_BETWEEN_REPORTS = 2.0
MOST_AT_ONCE = 1000

logger = logging.getLogger(__name__)


def work_of(settings: Settings) -> Row | None:
    """What there is to push, and what pauses it; None without an outbox."""
    now = settings.now()
    values = {
        "now": iso(now),
        "doubt_before": iso(now - timedelta(seconds=settings.push_doubt_seconds)),
        "targets": json.dumps(targets_on(settings)),
    }
    with Outbox(settings.data, read_only=True) as outbox:  # looking changes nothing, its time of change least of all
        return next(iter(outbox.rows("due_pushes", values)), None)


def report(instance: dg.DagsterInstance, account: str) -> None:
    """Let the push sensor know, wherever it runs, that there is something to push for this account."""
    instance.report_runless_asset_event(dg.AssetObservation(REPORTED_ON, description=REPORT, partition=account))


def report_if_due(instance: dg.DagsterInstance, account: str, load: Callable[[], Settings]) -> None:
    """The same at the end of a run, if there is, and if its host may be another one than the sensor's."""
    if not getattr(instance.run_launcher, "on_several_hosts", False):
        return
    try:
        work = work_of(load())
    except PipelineError:
        return  # of which the run has said enough
    if work and (work["landed"] or work["due"]) and not work["paused_until"]:
        report(instance, account)


def reported_since(instance: dg.DagsterInstance, event: int | None) -> tuple[set[str], int]:
    """The accounts for which there was a report after that event, and the event to ask from next time. Without one,
    nobody: what was reported earlier is reported again by the next sync, as long as it is due."""
    if event is None:
        newest = instance.fetch_observations(REPORTED_ON, limit=1).records
        return set(), newest[0].storage_id if newest else 0
    after = dg.AssetRecordsFilter(asset_key=REPORTED_ON, after_storage_id=event)
    records = instance.fetch_observations(after, limit=MOST_AT_ONCE, ascending=True).records
    return {each.partition_key for each in records if each.partition_key}, max(
        [event, *(each.storage_id for each in records)]
    )


class Reporter:
    """The reports of an inbox, which waits for none of them: until the block ends, a thread sends one for each account
    every few seconds."""

    def __init__(self, instance: dg.DagsterInstance, seconds: float = SECONDS_BETWEEN_REPORTS) -> None:
        self._instance, self._seconds = instance, seconds
        self._names: set[str] = set()
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="reports what landed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=SECONDS_BETWEEN_REPORTS)

    def __call__(self, account: str) -> None:
        """Something has landed for this account."""
        with self._lock:
            self._names.add(account)

    def _work(self) -> None:
        while not self._over.wait(self._seconds):
            self._send()
        self._send()

    def _send(self) -> None:
        with self._lock:
            names, self._names = self._names, set()
        for name in names:
            try:
                report(self._instance, name)
            except Exception as error:
                logger.error("Dagster could not be told what landed (%s).", type(error).__name__)  # noqa: TRY400
