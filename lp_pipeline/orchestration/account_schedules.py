"""When the jobs of many accounts run by themselves: one schedule serves all, and each account has a minute of its own,
so that the load is even (SPEC A2). For one account: `schedules.py`."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from zlib import crc32

import dagster as dg

from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.jobs import LONG_JOBS, housekeeping, sweep, sync
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.orchestration.schedules import busy_with, holder
from lp_pipeline.settings import Account, Settings, load_account, load_elsewhere
from lp_pipeline.storage.locks import PAST

QUEUE = "lp/queue"  # the tag whose limit is in deploy/fleet/dagster.yaml
MINUTES = 15  # between two syncs of an account
NIGHT = range(1 * 60, 5 * 60)  # minutes of the account's own day in which its sweep begins
MORNING = range(5 * 60, 7 * 60)  # likewise, its housekeeping
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
Accounts = Callable[[], dict[str, Account]]
FIRST = {"dagster/priority": "1"}
IsBusy = Callable[[Callable[[], Settings]], str | None]  # who is in the way of a run with these settings


def sync_schedule(accounts: Accounts, minutes: int = MINUTES) -> dg.ScheduleDefinition:
    """`sync` for each enabled account every 15 minutes, in its own minute. Other `minutes`, which must divide an hour,
    are for drills."""

    @dg.schedule(
        job_name=sync.name,
        cron_schedule="* * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every account every {minutes} minutes, each in its own one; skipped while that account is busy.",
    )
    def sync_every_15_minutes(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        now = context.scheduled_execution_time
        due = [each for each in enabled(accounts) if number(each) % minutes == now.minute % minutes]
        yield from _requests(context, sync.name, now, due, busy_with)

    return sync_every_15_minutes


def sweep_schedule(accounts: Accounts) -> dg.ScheduleDefinition:
    """`sweep` for each enabled account once a night, spread over its own zone's early morning (SPEC S1)."""
    text = "Every account once a night, between 1 and 5 AM in its own time zone."
    return _every_night(accounts, sweep, NIGHT, text, lambda load: holder(load, PAST))


def housekeeping_schedule(accounts: Accounts) -> dg.ScheduleDefinition:
    """`housekeeping` for each enabled account once a day, after its sweep (SPEC K1)."""
    text = "Every account once a day, between 5 and 7 AM in its own time zone: remove what is old."
    return _every_night(accounts, housekeeping, MORNING, text, lambda _load: None)


def _every_night(
    accounts: Accounts, job: dg.JobDefinition, span: range, description: str, is_busy: IsBusy
) -> dg.ScheduleDefinition:
    """The job once a day for each enabled account, in its own quarter of an hour of that span of its day."""

    @dg.schedule(
        name=f"{job.name}_every_night",
        job_name=job.name,
        cron_schedule=f"*/{MINUTES} * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        now = context.scheduled_execution_time
        due = [each for each in enabled(accounts) if _is_its_time(each, now, span)]
        yield from _requests(context, job.name, now, due, is_busy)

    return every_night


def _requests(
    context: dg.ScheduleEvaluationContext,
    job: str,
    now: datetime,
    due: list[Account],
    is_busy: IsBusy,
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each account that is due, unless one of this job is under way for it: one query for all."""
    runs = context.instance.get_runs(dg.RunsFilter(job_name=job, statuses=UNDER_WAY))
    under_way = {run.tags.get(PARTITION) for run in runs}
    free = [each for each in due if each.name not in under_way and not is_busy(partial(load_account, each.name))]
    for account in free:
        key = f"{account.name} {now:%Y-%m-%dT%H:%M%z}"
        yield dg.RunRequest(run_key=key, partition_key=account.name, tags=tags(account, job))
    if not free:
        yield dg.SkipReason(f"{len(due)} accounts are due, and all are busy" if due else "no account is due")


def enabled(accounts: Accounts) -> list[Account]:
    """Those that are synced."""
    return [account for account in accounts().values() if account.enabled]


def tags(account: Account, job: str) -> dict[str, str]:
    """What each run of an account carries: whose it is, in which queue it waits, and whose turn it is there. One run of
    an account at a time, and a long one beside it: one whose LeadPerfection hangs would otherwise keep a worker for its
    sync and another one for its push. Syncs come first (SPEC R3)."""
    queue = queue_of(account, job)
    turn = {QUEUE: queue, "lp/turn": f"{account.name} in {queue}"}
    return {"lp/account": account.name, **turn, **(FIRST if job == sync.name else {})}


def queue_of(account: Account, job: str) -> str:
    """The queue of the account's shard, or the one for what may take hours, which delays no sync (SPEC A4)."""
    return f"{account.shard}-long" if job in LONG_JOBS else account.shard


def _is_its_time(account: Account, now: datetime, span: range) -> bool:
    """Whether this quarter of an hour is the account's own one of that span of its day."""
    try:
        local = now.astimezone(load_elsewhere(account.name).zone)
    except SettingsError:
        return False  # its syncs say what is wrong
    minute = local.hour * 60 + local.minute
    begins = span.start + number(account) % (len(span) // MINUTES) * MINUTES
    return begins <= minute < begins + MINUTES


def number(account: Account) -> int:
    """The same one always, spread evenly over accounts."""
    return crc32(account.name.encode())
