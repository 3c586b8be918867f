"""Removes Dagster's old runs with all that they leave: events, check results, tags, ticks, captured output (SPEC K1).

Kept are the latest run of each job, and those that the latest state of an asset or check comes from. What grows in the
data folder is in `runs/upkeep/`.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.schema import JobTickTable
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage

from lp_pipeline.orchestration.launcher import FOLDER as ALIVE
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.runs.upkeep.compaction import vacuum
from lp_pipeline.runs.upkeep.tidied import Tidied
from lp_pipeline.storage.alive import is_gone

Status = dg.DagsterRunStatus
AT_ONCE = 200  # runs removed in one transaction
SETTLED = 24 * 3600.0  # seconds; a file of a run that Dagster does not know may belong to one that is just beginning
DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
BESIDE = ("", "-wal", "-shm")
UNFINISHED = frozenset(Status) - {Status.SUCCESS, Status.FAILURE, Status.CANCELED}


def thin_history(
    instance: dg.DagsterInstance,
    now: datetime,
    *,
    keep_days: int,
    keep_failed_days: int,
    account: str = "",
    dry_run: bool = False,
) -> list[Tidied]:
    """Remove finished runs older than `keep_days` (failed ones: `keep_failed_days`), a line each for what was there.

    Of many accounts, each removes the runs of its own.

    A `dry_run` removes nothing, and counts what would go. Killed in between, the next call does the rest.
    """
    home = Path(instance.root_directory)
    there = instance.get_runs_count(dg.RunsFilter(tags=_tags(account)))
    files, bytes_before = _extent(home)
    old = old_runs(instance, now, keep_days=keep_days, keep_failed_days=keep_failed_days, account=account)
    if dry_run:
        return [Tidied("runs in Dagster", there, there - len(old))]
    for begin in range(0, len(old), AT_ONCE):
        _remove(instance, old[begin : begin + AT_ONCE])
    _remove_leftovers(instance)
    _remove_ticks(instance, now - timedelta(days=keep_failed_days))
    if isinstance(instance.event_log_storage, SqliteEventLogStorage):
        for name in DATABASES:
            vacuum(home / name)
    files_left, bytes_after = _extent(home)
    return [
        Tidied("runs in Dagster", there, there - len(old)),
        Tidied("files in DAGSTER_HOME", files, files_left),
        Tidied("size of DAGSTER_HOME", bytes_before, bytes_after, is_size=True),
    ]


def thin_job(instance: dg.DagsterInstance, job: str, before: datetime) -> None:
    """Remove the finished runs of a job that is about all accounts, of which none does it; the latest one stays."""
    statuses = [Status.SUCCESS, Status.FAILURE, Status.CANCELED]
    old = instance.get_runs(dg.RunsFilter(job_name=job, statuses=statuses, created_before=before))
    if old:
        needed = {_latest(instance, job, ""), *_latest_of_assets(instance)}
        _remove(instance, [run.run_id for run in old if run.run_id not in needed])


def old_runs(
    instance: dg.DagsterInstance, now: datetime, *, keep_days: int, keep_failed_days: int, account: str = ""
) -> list[str]:
    """The ids of the runs that may go, oldest first."""
    ages = (([Status.SUCCESS, Status.CANCELED], keep_days), ([Status.FAILURE], keep_failed_days))
    found = [
        run
        for statuses, days in ages
        for run in instance.get_runs(
            dg.RunsFilter(statuses=statuses, created_before=now - timedelta(days=days), tags=_tags(account))
        )
    ]
    jobs = {run.job_name for run in found}
    needed = {_latest(instance, job, account) for job in jobs} | _latest_of_assets(instance)
    return [run.run_id for run in reversed(found) if run.run_id not in needed]


def _latest(instance: dg.DagsterInstance, job: str, account: str) -> str:
    return instance.get_runs(dg.RunsFilter(job_name=job, tags=_tags(account)), limit=1)[0].run_id


def _tags(account: str) -> dict[str, str]:
    return {PARTITION: account} if account else {}


def _latest_of_assets(instance: dg.DagsterInstance) -> set[str | None]:
    """The runs that the latest materialization of each asset and the latest result of each check come from."""
    needed: set[str | None] = set()
    for record in instance.get_asset_records():
        entry = record.asset_entry
        needed |= {entry.last_run_id, each.run_id if (each := entry.last_materialization_record) else None}
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        check = AssetCheckExecutionsTable.c
        latest = db.select(db.func.max(check.id)).group_by(check.asset_key, check.check_name, check.partition)
        with storage.index_connection() as connection:
            needed |= {run for (run,) in connection.execute(db.select(check.run_id).where(check.id.in_(latest)))}
    return needed


def _remove(instance: dg.DagsterInstance, runs: Sequence[str]) -> None:
    """All of some runs; the runs themselves last, so that what a kill leaves is found again."""
    events, records = instance.event_log_storage, instance.run_storage
    if isinstance(events, SqlEventLogStorage):
        with events.index_connection() as connection:
            checks = AssetCheckExecutionsTable
            connection.execute(db.delete(checks).where(checks.c.run_id.in_(runs)))
            for run in runs:
                events.delete_events_for_run(connection, run)
    for run in runs:
        instance.compute_log_manager.delete_logs(prefix=[run])
        for path in _files_of(instance, run):
            _delete(path)
    if isinstance(events, SqliteEventLogStorage) and isinstance(records, SqlRunStorage):
        # together: one by one, each would wait for the disk, and Dagster would make the file of its events anew
        with records.connect() as connection:
            for table in (RunTagsTable, RunsTable):
                connection.execute(db.delete(table).where(table.c.run_id.in_(runs)))
    else:
        for run in runs:
            instance.delete_run(run)


def _files_of(instance: dg.DagsterInstance, run: str) -> Iterator[Path]:
    home = Path(instance.root_directory)
    yield Path(instance.storage_directory()) / run
    yield home / ALIVE / run
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        for suffix in BESIDE:
            yield Path(f"{storage.path_for_shard(run)}{suffix}")


def _remove_leftovers(instance: dg.DagsterInstance) -> None:
    """Files of runs that are not there any more: deleted in the UI, which leaves them, or killed."""
    home = Path(instance.root_directory)
    left = {_run_of(path) for path in (*_shards(instance), *_captured(instance), *(home / ALIVE).glob("*"))} - {None}
    known = set(instance.run_storage.get_run_ids())
    for run in left - known:
        for path in _files_of(instance, str(run)):
            if _is_settled(path):
                _delete(path)
    for path in (home / ALIVE).glob("*"):
        if path.name.startswith("."):  # never finished: its process was killed as it began
            if _is_settled(path):
                _delete(path)
        elif path.name in known and is_gone(path) and not _is_unfinished(instance, path.name):
            _delete(path)


def _shards(instance: dg.DagsterInstance) -> Iterator[Path]:
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        yield from Path(storage.path_for_shard("index")).parent.glob("*.db")


def _captured(instance: dg.DagsterInstance) -> Iterator[Path]:
    folder = Path(instance.storage_directory())
    yield from (path for path in folder.glob("*") if path.is_dir())


def _run_of(path: Path) -> str | None:
    """The run that a file is named after; None if it is none of a run's."""
    with suppress(ValueError):
        return str(UUID(path.stem))
    return None


def _is_unfinished(instance: dg.DagsterInstance, run: str) -> bool:
    found = instance.get_run_by_id(run)
    return found is not None and found.status in UNFINISHED


def _is_settled(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - SETTLED
    except FileNotFoundError:
        return False


def _remove_ticks(instance: dg.DagsterInstance, before: datetime) -> None:
    """Those of schedules and sensors that are no more; Dagster removes the others itself (`retention`)."""
    storage = instance.schedule_storage
    if isinstance(storage, SqlScheduleStorage):
        with storage.connect() as connection:
            connection.execute(db.delete(JobTickTable).where(JobTickTable.c.timestamp < before))


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _extent(folder: Path) -> tuple[int, int]:
    """How many files a folder holds, and their bytes."""
    sizes = []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)
