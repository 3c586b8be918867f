"""The page about all accounts (SPEC A5): an asset, its job and its schedule, which only a deployment with accounts has.
It belongs to no account, so it has no partition; what Dagster knows of accounts on other hosts fills their lines.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from lp_pipeline.insight.fleet import Line, all_accounts
from lp_pipeline.insight.fleet_page import headline, write_fleet_page
from lp_pipeline.insight.words import ago
from lp_pipeline.orchestration.account_events import thin_reports
from lp_pipeline.orchestration.account_schedules import MINUTES, QUEUE, Accounts, enabled
from lp_pipeline.orchestration.catalog import PUBLISHED
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.jobs import sync
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.orchestration.run_history import thin_job

NAME, JOB = "fleet", "fleet_page"
LATE = timedelta(minutes=60)  # without a sync that ended
KEEP, KEEP_REPORTS = timedelta(days=14), timedelta(days=1)


@dg.asset(
    group_name=PUBLISHED,
    config_schema={},  # an unknown key is an error
    kinds={"html"},
    tags={"personal-data": "no"},
    description="""\
`fleet.html`: all accounts on one page, those that need a look first. It holds counts and states only. For accounts \
whose data is on another host, it says what Dagster knows of their last sync. To see them in a shell:

```sh
lp-pipeline fleet
```
""",
)
def fleet(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    """Write the page anew, and remove what no account's housekeeping does: this job's old runs, reports of inboxes."""
    began, now = time.monotonic(), datetime.now(UTC)
    with plain_failures(context):
        lines = as_dagster_saw(list(all_accounts()), context.instance, now)
        file = write_fleet_page(lines, now)
    thin_job(context.instance, JOB, now - KEEP)
    thin_reports(context.instance, now - KEEP_REPORTS)
    return dg.MaterializeResult(
        metadata={
            "verdict": headline(lines),
            "accounts": len(lines),
            "open": dg.MetadataValue.url(file.absolute().as_uri()),
            "file": dg.MetadataValue.path(str(file)),
            "seconds": round(time.monotonic() - began, 2),
        }
    )


fleet_job = dg.define_asset_job(
    JOB, selection=dg.AssetSelection.assets(fleet), description="Write fleet.html, the page about all accounts."
)


def fleet_schedule(accounts: Accounts) -> dg.ScheduleDefinition:
    """The page every 15 minutes, by a worker of the first enabled account's shard."""

    @dg.schedule(
        job=fleet_job,
        cron_schedule=f"*/{MINUTES} * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every 15 minutes: write the page about all accounts.",
    )
    def fleet_every_15_minutes() -> dg.RunRequest | dg.SkipReason:
        for account in enabled(accounts):
            return dg.RunRequest(tags={QUEUE: account.shard})
        return dg.SkipReason("no account is enabled")

    return fleet_every_15_minutes


def is_of_all(run: dg.DagsterRun) -> bool:
    """Whether a run without an account is that of this page, started by its job or from the asset in the UI."""
    return run.job_name == JOB or run.asset_selection == {fleet.key}


def as_dagster_saw(lines: list[Line], instance: dg.DagsterInstance, now: datetime) -> list[Line]:
    """The lines, in which accounts that are on another host have the state of their last sync: by one query for all."""
    if not any(line.state == "ELSEWHERE" for line in lines):
        return lines
    ended = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
    filters = dg.RunsFilter(job_name=sync.name, statuses=ended, updated_after=now - LATE)
    last: dict[str, dg.RunRecord] = {}
    good: dict[str, dg.RunRecord] = {}
    for record in instance.get_run_records(filters):  # the newest first
        account = record.dagster_run.tags.get(PARTITION, "")
        last.setdefault(account, record)
        if record.dagster_run.status == dg.DagsterRunStatus.SUCCESS:
            good.setdefault(account, record)
    return [_seen(line, last.get(line.account), good.get(line.account), now) for line in lines]


def _seen(line: Line, last: dg.RunRecord | None, good: dg.RunRecord | None, now: datetime) -> Line:
    if line.state != "ELSEWHERE":
        return line
    synced = ago(good.update_timestamp, now) if good else ""
    if last is None:
        return replace(line, state="LATE", why=f"no sync of it has ended in the last hour, on shard {line.shard}")
    if last is good:
        return replace(line, state="OK", synced=synced)
    where = f"on shard {line.shard}, run: lp-pipeline --account {line.account} status"
    return replace(line, state="FAILING", synced=synced, why=f"its last sync failed; {where}")
