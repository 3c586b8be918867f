"""When the job starts by itself, and on what."""

import grp
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.runs.schema import RunsTable

from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.schedules import sync_schedule
from lp_pipeline.runs.deliver_since import deliver_since
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.locks import PAST, Turn
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.runs.past import run_job
from lp_pipeline_tests.scenario import lead, prospect


def tick(account: Account, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_schedule_context(instance=instance)
    result = sync_schedule(account.load)(context)
    assert isinstance(result, dg.RunRequest | dg.SkipReason)
    return result


def test_a_tick_is_skipped_while_a_sync_is_at_work(lp_account: Account) -> None:
    """R2: the schedule skips the tick; R1: and does not once the other run is gone."""
    with dg.instance_for_test() as instance:
        assert isinstance(tick(lp_account, instance), dg.RunRequest)
        with Turn(lp_account.folder):
            assert isinstance(tick(lp_account, instance), dg.SkipReason)
        assert isinstance(tick(lp_account, instance), dg.RunRequest)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("another sync", "another sync is running; the next tick reads what this one would have"),
        ("`lp-pipeline rezone`", "`lp-pipeline rezone` is running; the next tick reads what this one would have"),
    ],
)
def test_a_skipped_tick_says_what_is_running(lp_account: Account, who: str, reason: str) -> None:
    """R2: not "another sync" when it is something else."""
    with dg.instance_for_test() as instance, Turn(lp_account.folder, who=who):
        skipped = tick(lp_account, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message == reason


def test_a_delivery_of_hours_puts_no_sync_off(lp_account: Account) -> None:
    """R2, D1: `lp-pipeline deliver` gives its turn back every few minutes to whoever waits, so the tick is not skipped.
    Were it, a sync would run only if a tick fell into the second between two slices."""
    lp_account.with_hatch()
    lp_account.lp.put(prospect("1", lastchanged=lp_account.wall(minutes=5)))
    lp_account.sync()
    seen = []

    def upsert(path: str, _fields: object) -> None:
        if "token" not in path.lower():
            seen.append((Turn(lp_account.folder).holder(), tick(lp_account, instance)))

    lp_account.lp.before_request = upsert
    with dg.instance_for_test() as instance:
        deliver_since(lp_account.load(), lp_account.now.replace(year=2025), print)
    assert [who for who, _ in seen] == ["`lp-pipeline deliver`"]
    assert isinstance(seen[0][1], dg.RunRequest)


@pytest.mark.parametrize("name", ["sync", "backfill"])
def test_a_run_of_dagsters_names_itself_to_those_who_wait(lp_account: Account, name: str) -> None:
    """R2: a sync is in the way of the next one; a backfill is not, whatever it is doing."""
    seen = set()
    lp_account.lp.before_request = lambda _path, _fields: seen.add(
        (Turn(lp_account.folder).holder(), Turn(lp_account.folder, PAST).holder())
    )
    if name == "sync":
        assert lp_account.run().success
        assert seen == {("another sync", None)}
    else:
        assert run_job(lp_account, name, **{"from": "2026-02-26", "to": "2026-02-27"}).success
        assert {past for _, past in seen} == {"a backfill"}
        assert {turn for turn, _ in seen} == {None}


def test_a_tick_is_skipped_while_a_sync_waits_to_start(lp_account: Account) -> None:
    """R2: and a run that Dagster believes to be running although nothing holds the turn skips nothing (R1)."""
    job = build_definitions(lp_account.load).resolve_job_def("sync")
    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.NOT_STARTED)
        assert isinstance(tick(lp_account, instance), dg.SkipReason)
        instance.report_run_failed(run)
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert isinstance(tick(lp_account, instance), dg.RunRequest)


@pytest.mark.parametrize("status", ["NOT_STARTED", pytest.param("STARTING", marks=pytest.mark.slow)])
def test_a_run_that_was_killed_before_it_began_silences_nothing(lp_account: Account, status: str) -> None:
    """R1: Dagster's monitoring is slow to see it; two minutes later the ticks continue."""
    job = build_definitions(lp_account.load).resolve_job_def("sync")
    with dg.instance_for_test() as instance:
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus[status])
        assert isinstance(tick(lp_account, instance), dg.SkipReason)
        long_ago = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=5)
        with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            aged = RunsTable.update().where(RunsTable.c.run_id == run.run_id).values(update_timestamp=long_ago)
            connection.execute(aged)
        assert isinstance(tick(lp_account, instance), dg.RunRequest)


def test_a_setting_that_is_missing_does_not_silence_the_schedule(lp_account: Account) -> None:
    """The run starts, so that it fails where people look."""
    del lp_account.environ["LP_APP_KEY"]
    with dg.instance_for_test() as instance:
        assert isinstance(tick(lp_account, instance), dg.RunRequest)


def test_the_definitions_load_as_a_code_server_loads_them() -> None:
    """Every job, schedule and sensor resolves, and no two ops or jobs share a name, so that `make dev` starts."""
    dg.Definitions.validate_loadable(build_definitions())
    names = {job.name for job in build_definitions().get_repository_def().get_all_jobs()}
    assert names >= {"sync", "push_communications", "backfill", "sweep", "housekeeping"}


def test_it_runs_sync_every_15_minutes_from_the_start() -> None:
    """Job `sync`, every 15 minutes, running unless somebody stops it."""
    schedule = build_definitions().get_repository_def().get_schedule_def("sync_every_15_minutes")
    assert schedule.cron_schedule == "*/15 * * * *"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


@pytest.mark.slow
def test_without_an_address_the_job_runs_on_the_sandbox(tmp_path: Path) -> None:
    """The sandbox starts by itself, and its first sync reads far enough back that there is something to see."""

    def load() -> Settings:
        return load_settings({"LP_PIPELINE_DATA": str(tmp_path)})

    job = build_definitions(load).resolve_job_def("sync")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
    (merged,) = result.asset_materializations_for_node("opportunities")
    inserted = merged.metadata["changes (first load)"].value
    assert isinstance(inserted, int)
    assert inserted > 500


def test_a_group_may_read_what_is_published(lp_account: Account) -> None:
    """R4: `published.duckdb` also by a group, if one is set; nothing else."""
    lp_account.environ["LP_PIPELINE_GROUP"] = grp.getgrgid(os.getgid()).gr_name
    stamp = lp_account.wall(minutes=5)
    lp_account.lp.put(prospect("1", lead("10", lastchangedon=stamp), lastchanged=stamp))
    assert lp_account.run().success
    files = [path for path in lp_account.folder.iterdir() if path.is_file() and not path.is_symlink()]
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in files}
    assert {modes.pop(name) for name in ("published.duckdb", "report.html")} == {"0o440"}
    assert set(modes.values()) == {"0o600"}
    assert oct(lp_account.folder.stat().st_mode & 0o777) == "0o710"
