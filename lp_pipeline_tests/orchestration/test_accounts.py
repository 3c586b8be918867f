"""SPEC A2: the definitions, schedules and sensor of many accounts, and that one account sees none of it."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from lp_pipeline.orchestration.account_events import IS_DUE
from lp_pipeline.orchestration.account_schedules import sweep_schedule, sync_schedule
from lp_pipeline.orchestration.account_sensor import push_sensor
from lp_pipeline.orchestration.build import build_account_definitions, build_definitions
from lp_pipeline.settings import listed_accounts, load_account
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline_tests.account import PACE, Account, failures
from lp_pipeline_tests.accounts_file import NAMES, add, listing
from lp_pipeline_tests.communications.talk import Talk
from lp_pipeline_tests.runs.past import person

NIGHT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("home"))) as opened:  # a schedule needs one on disk
        yield opened


@pytest.fixture
def instance(kept: dg.DagsterInstance) -> dg.DagsterInstance:
    kept.wipe()
    return kept


def started(schedule: dg.ScheduleDefinition, instance: dg.DagsterInstance, at: datetime) -> list[dg.RunRequest]:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    found = schedule(context)
    assert isinstance(found, Iterator)
    return [each for each in found if isinstance(each, dg.RunRequest)]


def checks(definitions: dg.Definitions) -> list[dg.AssetChecksDefinition]:
    return [check for check in definitions.asset_checks or () if isinstance(check, dg.AssetChecksDefinition)]


def test_without_an_accounts_file_there_are_no_partitions() -> None:
    """A1, A2: assets, checks and jobs are those of one account."""
    repository = build_definitions().get_repository_def()
    assert {asset.partitions_def for asset in repository.assets_defs_by_key.values()} == {None}
    assert {check.partitions_def for check in checks(build_definitions())} == {None}
    assert {job.partitions_def for job in repository.get_all_jobs()} == {None}


def test_every_asset_check_and_job_has_a_partition_for_each_account(deployment: Path) -> None:
    """A2: disabled ones too, since their history stays; read afresh whenever definitions are built."""
    listing(deployment, *NAMES, boston="false")
    definitions = build_account_definitions()
    repository = definitions.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__") and job.name != "fleet_page"]
    assert {job.name for job in jobs} == {
        job.name for job in build_definitions().get_repository_def().get_all_jobs() if not job.name.startswith("__")
    }
    partitions = [check.partitions_def for check in checks(definitions)] + [job.partitions_def for job in jobs]
    assert all(each and each.get_partition_keys() == NAMES for each in partitions)
    ours = [asset for asset in repository.assets_defs_by_key.values() if asset.is_executable]
    ours = [asset for asset in ours if asset.key != dg.AssetKey("fleet")]  # of no account
    assert ours
    for asset in ours:
        assert asset.partitions_def
        assert asset.partitions_def.get_partition_keys() == NAMES
    listing(deployment, "denver")
    found = checks(build_account_definitions())[0].partitions_def
    assert found
    assert found.get_partition_keys() == ["denver"]


@pytest.mark.slow
def test_each_account_has_a_minute_of_its_own(deployment: Path, instance: dg.DagsterInstance) -> None:
    """A2: in any quarter of an hour each enabled one starts once, with a run key, and the load is even."""
    names = [f"branch-{number}" for number in range(150)]
    listing(deployment, *names, **{"branch-7": "false"})
    schedule = sync_schedule(listed_accounts)
    minutes = [started(schedule, instance, NIGHT + timedelta(minutes=minute)) for minute in range(15)]
    keys = [str(request.partition_key) for requests in minutes for request in requests]
    assert sorted(keys) == sorted(set(names) - {"branch-7"})
    assert max(map(len, minutes)) <= 20
    requests = [request for minute in minutes for request in minute]
    assert len({request.run_key for request in requests}) == len(requests)
    assert requests[0].tags["lp/account"] == requests[0].partition_key
    assert requests[0].tags["lp/queue"] == "east"
    assert len({request.tags["lp/turn"] for request in requests}) == len(requests)
    again = [started(schedule, instance, NIGHT + timedelta(minutes=15 + minute)) for minute in range(15)]
    assert [[each.partition_key for each in minute] for minute in again] == [
        [each.partition_key for each in minute] for minute in minutes
    ]


def test_an_account_that_is_under_way_is_skipped_alone(deployment: Path, instance: dg.DagsterInstance) -> None:
    """A2: by one query for all."""
    schedule = sync_schedule(listed_accounts)
    moments = [NIGHT + timedelta(minutes=minute) for minute in range(15)]
    instance.create_run_for_job(
        build_account_definitions().resolve_job_def("sync"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "boston"},
    )
    keys = [request.partition_key for at in moments for request in started(schedule, instance, at)]
    assert sorted(str(key) for key in keys) == ["albany", "chicago"]


@pytest.mark.slow
def test_sweeps_are_spread_over_the_accounts_own_night(deployment: Path, instance: dg.DagsterInstance) -> None:
    """A2, S1: once a day each, between 1 and 5 AM where the account is; a broken account is left out."""
    names = [f"branch-{number}" for number in range(8)]
    listing(deployment, *names, "broken")
    for name in names:
        add(deployment, name, {"LP_TIMEZONE": "America/Los_Angeles"})
    shutil.rmtree(deployment / "volume" / "branch-7")  # it is on another host
    schedule = sweep_schedule(listed_accounts)
    found = Counter[str]()
    for quarter in range(8 * 4, 14 * 4):  # from midnight on in California, to 6 AM
        at = NIGHT + timedelta(minutes=15 * quarter)
        for request in started(schedule, instance, at):
            found[str(request.partition_key)] += 1
            assert 9 <= at.hour < 13
    assert found == dict.fromkeys(names, 1)


def tick(sensor: dg.SensorDefinition, instance: dg.DagsterInstance, cursor: str | None) -> dg.SensorResult:
    found = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(found, dg.SensorResult)
    return found


def test_a_push_starts_for_the_account_for_which_something_landed(
    talk: Talk, deployment: Path, instance: dg.DagsterInstance
) -> None:
    """A2, C3: for that one alone, whatever is wrong with another one; and not again while nothing changes."""
    add(deployment, "albany", talk.environ)
    add(deployment, "boston").joinpath("outbox.sqlite").write_bytes(b"damaged")
    talk.text("c1")
    sensor = push_sensor(listed_accounts)
    first = tick(sensor, instance, None)
    assert [(each.partition_key, each.tags["lp/push"]) for each in first.run_requests or ()] == [("albany", "landed")]
    assert first.run_requests
    assert first.run_requests[0].run_config["ops"]["publish_pushes"]["config"] == {"wait": False}  # for a minute
    instance.create_run_for_job(
        build_account_definitions().resolve_job_def("push_communications"),
        status=dg.DagsterRunStatus.STARTING,
        tags={"dagster/partition": "albany"},
    )
    second = tick(sensor, instance, first.cursor)
    assert not second.run_requests


def test_an_account_with_nothing_new_is_not_opened(deployment: Path, instance: dg.DagsterInstance) -> None:
    """A2: a look at its files is enough; with something landed, it is opened."""
    for name in NAMES:
        folder = add(deployment, name)
        with Outbox(folder) as outbox:
            outbox.keep("made", "now")
    sensor = push_sensor(listed_accounts)
    cursor = tick(sensor, instance, tick(sensor, instance, None).cursor).cursor
    for name in NAMES:  # whoever opened one now would fail
        (deployment / "accounts" / f"{name}.env").chmod(0o644)
    found = tick(sensor, instance, cursor)
    assert found.skip_reason
    assert found.skip_reason.skip_message == "no account has anything new"
    with Outbox(deployment / "volume" / "boston") as outbox:
        outbox.keep("something", "landed")
    reason = tick(sensor, instance, found.cursor).skip_reason
    assert reason
    assert str(reason.skip_message).startswith("boston: ")
    assert "chmod 600" in str(reason.skip_message)


@pytest.mark.slow
def test_an_accounts_failure_is_its_own(lp_account: Account, deployment: Path) -> None:
    """A2, A3: another one's sync and checks are good, and its failed check stays failed beside them."""
    lp_account.lp.put(person(lp_account, "1"))
    add(deployment, "albany", lp_account.environ)
    folder = add(
        deployment, "boston", {**lp_account.environ, "LP_PASSWORD": "wrong", "LP_PIPELINE_DATA": str(deployment / "b")}
    )
    job = build_account_definitions(pace=PACE).resolve_job_def("sync")
    with dg.DagsterInstance.ephemeral() as instance:
        results = {
            name: job.execute_in_process(instance=instance, partition_key=name, raise_on_error=False)
            for name in ("boston", "albany")
        }
        assert not results["boston"].success
        assert "LP_PASSWORD" in failures(results["boston"])[0]
        assert results["albany"].success
        checks = {
            (name, each.check_name): each.passed
            for name, result in results.items()
            for each in result.get_asset_check_evaluations()
        }
        assert checks["boston", "feed_was_read"] is False
        assert checks["albany", "feed_was_read"] is True
        partitions = instance.get_materialized_partitions(dg.AssetKey("published"))
        (said,) = results["albany"].asset_materializations_for_node("raw_communications")
        assert said.metadata[IS_DUE].value is False  # for the sensor, if it is on another host
    assert partitions == {"albany", "boston"}
    assert load_account("albany").data == lp_account.folder
    assert folder.joinpath("published.duckdb").exists()
