"""Housekeeping of Dagster's runs (SPEC K1)."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as db
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from lp_pipeline.orchestration.launcher import FOLDER as ALIVE
from lp_pipeline.orchestration.run_history import old_runs, thin_history
from lp_pipeline.runs.upkeep.tidied import Tidied
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.alive import shown_alive

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@dg.asset(config_schema={"fails": dg.Field(bool, default_value=False)})
def thing(context: dg.AssetExecutionContext) -> None:
    """Something to materialize."""
    if context.op_execution_context.op_config["fails"]:
        raise dg.Failure(allow_retries=False)


@dg.asset_check(asset="thing")
def is_fine() -> dg.AssetCheckResult:
    """Something to check."""
    return dg.AssetCheckResult(passed=True)


JOBS = dg.Definitions(
    assets=[thing],
    asset_checks=[is_fine],
    jobs=[
        dg.define_asset_job("daily", selection=[thing], tags={"some": "tag"}),
        dg.define_asset_job("rare", selection=[thing]),
        dg.define_asset_job("checking", selection=dg.AssetSelection.checks_for_assets("thing")),
    ],
    executor=dg.in_process_executor,
)


def ran(instance: dg.DagsterInstance, days_ago: float, job: str = "daily", *, fails: bool = False) -> str:
    """A run as of some days ago."""
    config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    if job != "checking":
        config["ops"] = {"thing": {"config": {"fails": fails}}}
    resolved = JOBS.resolve_job_def(job)
    result = resolved.execute_in_process(instance=instance, raise_on_error=not fails, run_config=config)
    age(instance, result.run_id, days_ago)
    return result.run_id


def age(instance: dg.DagsterInstance, run: str, days_ago: float) -> None:
    storage = instance.run_storage
    assert isinstance(storage, SqlRunStorage)
    then = (NOW - timedelta(days=days_ago)).replace(tzinfo=None)
    with storage.connect() as connection:
        connection.execute(db.update(RunsTable).where(RunsTable.c.run_id == run).values(create_timestamp=then))


def thinned(instance: dg.DagsterInstance, *, dry_run: bool = False) -> list[Tidied]:
    return thin_history(instance, NOW, keep_days=14, keep_failed_days=60, dry_run=dry_run)


def old(instance: dg.DagsterInstance) -> list[str]:
    return old_runs(instance, NOW, keep_days=14, keep_failed_days=60)


def left(instance: dg.DagsterInstance) -> set[str]:
    return {run.run_id for run in instance.get_runs()}


@pytest.fixture
def memory() -> Iterator[dg.DagsterInstance]:
    """An instance that leaves nothing behind."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as `dagster.yaml` sets it up."""
    (tmp_path / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def test_runs_are_kept_for_14_days_and_failed_ones_for_60(memory: dg.DagsterInstance) -> None:
    """K1: by the day they were created."""
    long_ago, _, failed_long_ago, _ = (
        ran(memory, 14.1),
        ran(memory, 13.9),
        ran(memory, 60.1, fails=True),
        ran(memory, 59.9, fails=True),
    )
    ran(memory, 0)
    assert old(memory) == [failed_long_ago, long_ago]


def test_the_latest_run_of_each_job_and_asset_stays_however_old(memory: dg.DagsterInstance) -> None:
    """K1: what the UI shows as the last run, the last materialization and the last result of a check."""
    gone = ran(memory, 300), ran(memory, 290, "rare")
    rare, materialized = ran(memory, 200, "rare"), ran(memory, 100)
    checked = ran(memory, 90, "checking")
    ran(memory, 80, "checking")
    failed = ran(memory, 0, fails=True)  # so the last run of this job materialized nothing
    assert set(old(memory)) >= set(gone)
    assert not {rare, materialized, failed} & set(old(memory))
    assert checked in old(memory)


def test_a_run_that_has_not_ended_stays(memory: dg.DagsterInstance) -> None:
    """K1: a backfill may take its time."""
    job = JOBS.resolve_job_def("daily")
    run = memory.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED).run_id
    age(memory, run, 300)
    ran(memory, 0)
    thinned(memory)
    assert run in left(memory)


def test_nothing_is_left_of_a_run_that_is_removed(disk: dg.DagsterInstance) -> None:
    """K1: no file is named after it and no table knows it; what stays can still be looked at. A dry run only counts."""
    home = Path(disk.root_directory)
    gone, kept = ran(disk, 20), ran(disk, 1)
    assert len([path for path in home.rglob("*") if gone in str(path)]) > 3, "its events, and what it wrote"
    assert thinned(disk, dry_run=True) == [Tidied("runs in Dagster", 2, 1)]
    assert left(disk) == {gone, kept}

    runs, files, size = thinned(disk)
    assert (runs.before, runs.after) == (2, 1)
    assert files.after < files.before
    assert size.is_size
    assert [path for path in home.rglob("*") if gone in path.name] == []
    for name in ("history/runs.db", "history/runs/index.db"):
        with closing(sqlite3.connect(home / name)) as connection:
            assert gone not in "\n".join(connection.iterdump())
    assert disk.all_logs(kept)
    assert list(home.glob(f"storage/{kept}/compute_logs/*"))
    latest = disk.get_latest_materialization_event(dg.AssetKey("thing"))
    assert latest
    assert latest.run_id == kept


@pytest.mark.slow
def test_what_a_kill_or_the_ui_left_is_removed_later(disk: dg.DagsterInstance) -> None:
    """K1, R1: files of runs that Dagster does not know (any more), a day later; never those of a run that lives."""
    home = Path(disk.root_directory)
    half, kept, deleted = ran(disk, 20), ran(disk, 1), ran(disk, 1)
    Path(f"{home}/history/runs/{half}.db").unlink()  # killed in the middle
    disk.delete_run(deleted)  # what the UI does
    emptied = home / "history" / "runs" / f"{deleted}.db"
    dead = home / ALIVE / kept
    with shown_alive(home / ALIVE, "11111111-1111-4111-8111-111111111111"):
        dead.write_text("")
        (home / ALIVE / f".{half}").write_text("")
        thinned(disk)
        assert left(disk) == {kept}
        assert not dead.exists()
        assert emptied.exists(), "it may be that of a run that is just beginning"
        for path in (emptied, home / ALIVE / f".{half}"):
            os.utime(path, (0, 0))
        thinned(disk)
        assert [path.name for path in (home / ALIVE).iterdir()] == ["11111111-1111-4111-8111-111111111111"]
    assert not emptied.exists()


@pytest.mark.marathon
def test_with_daily_housekeeping_disk_use_stays_flat(disk: dg.DagsterInstance) -> None:
    """K1: a run a day for 30 days, some of which fail, of which 5 days are kept, of failed ones 10; with
    thousands, and of the whole pipeline: `make year`."""
    sizes, files, runs = [], [], []
    for day in range(30):
        ran(disk, -day, fails=day % 5 == 4)
        now = NOW + timedelta(days=day)
        lines = {line.what: line.after for line in thin_history(disk, now, keep_days=5, keep_failed_days=10)}
        sizes.append(lines["size of DAGSTER_HOME"])
        files.append(lines["files in DAGSTER_HOME"])
        runs.append(lines["runs in Dagster"])
    assert runs[15:] == runs[10:15] * 3
    assert max(files[20:]) <= max(files[10:20])
    assert max(sizes[20:]) <= 1.1 * max(sizes[10:20])
