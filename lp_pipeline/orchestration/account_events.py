"""What Dagster's events say about accounts whose data is on another host (SPEC A4, C3): each sync there tells whether a
push is due, and so does the inbox there. Accounts whose data is here: `account_sensor.py`, which looks at their files.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Timer
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

RAW = dg.AssetKey("raw_communications")
IS_DUE = "a push is due"  # the metadata that says it
AT_ONCE = 1000  # events of a look
SECONDS_BETWEEN = 15.0  # of an account's reports

logger = logging.getLogger(__name__)


def follow(instance: dg.DagsterInstance, after: int | None) -> tuple[int, dict[str, bool]]:
    """How far the events go, and what the last one of each account after `after` says about a push. None begins with
    what comes next: each sync says it again, so nothing is missed for long."""
    if after is None:
        newest = instance.fetch_materializations(RAW, limit=1).records
        return (newest[0].storage_id if newest else 0), {}
    filters = dg.AssetRecordsFilter(asset_key=RAW, after_storage_id=after)
    found = instance.fetch_materializations(filters, limit=AT_ONCE, ascending=True).records
    said: dict[str, bool] = {}
    for record in found:
        event = record.asset_materialization
        if event and event.partition and IS_DUE in event.metadata:
            said[event.partition] = bool(event.metadata[IS_DUE].value)
    return (found[-1].storage_id if found else after), said


def reporter(home: str) -> Callable[[str], None]:
    """What the inbox calls with an account for which it has stored something. It returns at once; a report that can't
    be made is a line in the log, for the next sync makes it, too."""
    waiting: set[str] = set()
    next_at: dict[str, float] = {}

    def report(account: str) -> None:
        waiting.discard(account)  # before it is made: the next one reports what is stored from now on
        next_at[account] = time.monotonic() + SECONDS_BETWEEN
        _report(home, account)

    def stored(account: str) -> None:
        if account not in waiting:
            waiting.add(account)
            timer = Timer(max(0.0, next_at.get(account, 0.0) - time.monotonic()), report, (account,))
            timer.daemon = True
            timer.start()

    return stored


def _report(home: str, account: str) -> None:
    try:
        with dg.DagsterInstance.from_config(home) as instance:
            report_due(instance, account)
    except Exception as error:
        logger.warning(
            "Could not report to Dagster that something landed for %s: %s. The next sync reports it.",
            account,
            type(error).__name__,
        )


def report_due(instance: dg.DagsterInstance, account: str) -> None:
    """Note that a push of this account has something to do."""
    metadata: dict[str, Any] = {IS_DUE: True, "come from": "inbox"}
    instance.report_runless_asset_event(dg.AssetMaterialization(RAW, partition=account, metadata=metadata))


def thin_reports(instance: dg.DagsterInstance, before: datetime) -> None:
    """Remove the reports from before that time (with an offset): they belong to no run that housekeeping could remove.
    What the last sync of each account said stays."""
    storage, event = instance.event_log_storage, SqlEventLogStorageTable.c
    if isinstance(storage, SqlEventLogStorage):
        old = db.and_(event.run_id == "", event.timestamp < before.astimezone(UTC).replace(tzinfo=None))
        with storage.index_connection() as connection:
            connection.execute(db.delete(SqlEventLogStorageTable).where(old))
