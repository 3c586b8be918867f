"""When a push starts by itself, for many accounts (SPEC A2, C3): one sensor serves all. It looks at their files first,
and opens only an outbox that has changed, or has something open. For one account: `sensors.py`."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from lp_pipeline.communications.due import work_of
from lp_pipeline.errors import PipelineError
from lp_pipeline.orchestration.account_events import follow
from lp_pipeline.orchestration.account_schedules import UNDER_WAY, Accounts, enabled, tags
from lp_pipeline.orchestration.jobs import push_communications
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.orchestration.sensors import ONLY_DUE, SECONDS_BETWEEN, request_or_reason
from lp_pipeline.settings import Account, account_folder, load_account, settings_changed

MOST_REASONS = 20  # shown at a tick
LOOK_AGAIN_SECONDS = 60.0  # at an outbox with something open: a retry may have become due

EVENTS = "events of other hosts"  # in the cursor; no account is called that
# a minute's wait for each push would keep others from a worker
NOT_WAITING = {"publish_pushes": {"config": {"wait": False}}}

Look = tuple[list[int], float | None]  # at an outbox: how it was then, and when to look again if it stays so
Followed = tuple[int, list[str]]  # how far events were followed, and whose push was under way then


def push_sensor(accounts: Accounts) -> dg.SensorDefinition:
    """Starts a push for each account for which something new has landed or a retry is due, and none is running."""
    folder_of = _folders()

    @dg.sensor(
        job_name=push_communications.name,
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts an account's push when something new has landed from Hatch, or a retry is due.",
    )
    def push_when_communications_arrive(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        known = json.loads(context.cursor or "{}")
        now = time.time()
        seen: dict[str, Look] = {}
        requests: list[dg.RunRequest] = []
        reasons: list[str] = []
        elsewhere: dict[str, Account] = {}
        under_way = None
        for account in enabled(accounts):
            stamp = _stamp(folder_of(account))
            if stamp is None:
                elsewhere[account.name] = account  # on another shard's host
                continue
            before, again = known.get(account.name, (None, 0.0))
            if before == stamp and (again is None or again > now):
                seen[account.name] = (before, again)
                continue
            if under_way is None:  # one question for all
                under_way = _under_way(context.instance)
            found, has_open = _look(context.instance, account, under_way=account.name in under_way)
            again = now + LOOK_AGAIN_SECONDS if has_open else None
            seen[account.name] = (stamp, again)
            if isinstance(found, dg.RunRequest):
                requests.append(found)
            else:
                reasons.append(f"{account.name}: {found}")
        followed = None
        if elsewhere:
            more, followed = _of_other_hosts(context.instance, elsewhere, known.get(EVENTS))
            requests += more
        shown = "\n".join(reasons[:MOST_REASONS]) or "no account has anything new"
        skip = None if requests else dg.SkipReason(shown)
        cursor = {**seen, EVENTS: followed} if followed else seen
        return dg.SensorResult(run_requests=requests, skip_reason=skip, cursor=json.dumps(cursor))

    return push_when_communications_arrive


def _of_other_hosts(
    instance: dg.DagsterInstance, elsewhere: dict[str, Account], before: Followed | None
) -> tuple[list[dg.RunRequest], Followed]:
    """Pushes of accounts whose outbox can't be seen here, by what their syncs and inboxes have reported since; one
    that is under way is left to the next tick."""
    after, waiting = before or (None, [])
    until, said = follow(instance, after)
    due = {name for name in waiting if said.get(name, True)} | {name for name, is_due in said.items() if is_due}
    due &= elsewhere.keys()
    left = due & _under_way(instance) if due else set()
    requests = [
        dg.RunRequest(
            run_key=f"{name} {until}",
            partition_key=name,
            run_config={"ops": {**ONLY_DUE, **NOT_WAITING}},
            tags={"lp/push": "reported", **tags(elsewhere[name], push_communications.name)},
        )
        for name in sorted(due - left)
    ]
    return requests, (until, sorted(left))


def _under_way(instance: dg.DagsterInstance) -> set[str]:
    """The accounts of which a push waits or runs."""
    runs = instance.get_runs(dg.RunsFilter(job_name=push_communications.name, statuses=UNDER_WAY))
    return {run.tags.get(PARTITION, "") for run in runs}


def _look(instance: dg.DagsterInstance, account: Account, *, under_way: bool) -> tuple[dg.RunRequest | str, bool]:
    """A push of this account, or why there is none; and whether its outbox is to be looked at again unchanged."""
    try:
        settings = load_account(account.name)
        work = work_of(settings)
        found = request_or_reason(
            lambda: instance,
            settings,
            work,
            under_way=lambda: under_way,
            then=NOT_WAITING,
            run_key=f"{account.name} {time.time():.0f}",
            partition_key=account.name,
            tags=tags(account, push_communications.name),
        )
    except PipelineError as error:
        return str(error), True
    return found, bool(work and (work["landed"] or work["open"]))


def _folders() -> Callable[[Account], Path]:
    """Where the data of an account is; asks its settings only after they changed."""
    known: dict[str, tuple[int, Path]] = {}

    def folder_of(account: Account) -> Path:
        changed = settings_changed(account.name)
        if known.get(account.name, (None,))[0] != changed:
            known[account.name] = (changed, account_folder(account.name))
        return known[account.name][1]

    return folder_of


def _stamp(folder: Path) -> list[int] | None:
    """What changes with each write to the outbox; None if its folder is not on this host."""
    stamp: list[int] = []
    for name in ("outbox.sqlite", "outbox.sqlite-wal"):
        try:
            about = (folder / name).stat()
        except FileNotFoundError:
            stamp += (0, 0)
        else:
            stamp += (about.st_mtime_ns, about.st_size)
    return stamp if any(stamp) or folder.is_dir() else None
