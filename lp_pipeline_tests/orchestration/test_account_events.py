"""SPEC C3, A4: pushes of accounts whose data is on another host start by what their syncs and inboxes report."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from lp_pipeline.communications.inbox_server import AllInboxes
from lp_pipeline.orchestration.account_events import IS_DUE, RAW, follow, report_due, reporter, thin_reports
from lp_pipeline.orchestration.account_sensor import push_sensor
from lp_pipeline.orchestration.build import build_account_definitions
from lp_pipeline.settings import listed_accounts
from lp_pipeline_tests.accounts_file import add, listing
from lp_pipeline_tests.communications.test_all_inboxes import SECRETS, post
from lp_pipeline_tests.drills.deployment import until


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME on disk, for what reports from a thread of its own."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}")
    return folder


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as opened:
        opened.wipe()
        yield opened


def sync_said(instance: dg.DagsterInstance, account: str, *, is_due: bool) -> None:
    """A sync of an account materialized its communications."""
    event = dg.AssetMaterialization(RAW, partition=account, metadata={IS_DUE: is_due})
    instance.report_runless_asset_event(event)


def test_a_push_starts_for_an_account_on_another_host(deployment: Path, instance: dg.DagsterInstance) -> None:
    """For each that has something to do, by its last report, once; nothing for one that is disabled or not listed. One
    whose push is under way comes next, unless its sync has meanwhile said that nothing is left."""
    listing(deployment, "albany", "boston", "chicago", "denver", denver="false")
    shutil.rmtree(add(deployment, "albany"))
    sensor, job = push_sensor(listed_accounts), build_account_definitions().resolve_job_def("push_communications")

    def tick(cursor: str | None) -> tuple[list[str | None], str | None]:
        found = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
        assert isinstance(found, dg.SensorResult)
        for request in found.run_requests or ():
            assert request.tags["lp/queue"] == "east"
            dg.validate_run_config(job, request.run_config)
        return [each.partition_key for each in found.run_requests or ()], found.cursor

    sync_said(instance, "albany", is_due=True)
    assert tick(None)[0] == [], "what was before the first look is told again by the next sync"
    _, cursor = tick(None)
    for name in ("albany", "boston", "denver", "nobody"):
        sync_said(instance, name, is_due=True)
    sync_said(instance, "boston", is_due=False)
    started, cursor = tick(cursor)
    assert started == ["albany"]
    assert tick(cursor)[0] == []

    tags = {"dagster/partition": "albany"}
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    report_due(instance, "albany")
    started, cursor = tick(cursor)
    assert started == []
    waiting = cursor
    instance.report_run_failed(run)
    assert tick(waiting)[0] == ["albany"]
    sync_said(instance, "albany", is_due=False)
    assert tick(waiting)[0] == []


def test_the_inbox_reports_what_it_has_stored(deployment: Path, home: Path, instance: dg.DagsterInstance) -> None:
    """Of the account that it was for, once it is on disk; a report that can't be made changes no answer."""
    add(deployment, "albany", {"COMMUNICATIONS_FROM": "inbox", "INBOX_SECRET": SECRETS["albany"]})
    after, _ = follow(instance, None)
    with AllInboxes(reporter(str(home))) as inboxes:
        assert post(inboxes, "/communications/albany", "wrong").status_code == 401
        assert post(inboxes, "/communications/albany", SECRETS["albany"]).status_code == 202
        until(lambda: follow(instance, after)[1] == {"albany": True}, "nothing is reported")
    with AllInboxes(reporter(str(deployment / "nowhere"))) as inboxes:
        assert post(inboxes, "/communications/albany", SECRETS["albany"]).status_code == 202


def test_reports_do_not_pile_up(instance: dg.DagsterInstance) -> None:
    """K1: those of inboxes belong to no run, so the page about all accounts removes old ones; no run's events go."""

    @dg.asset(key=RAW)
    def made() -> None:
        """Something of a run."""

    report_due(instance, "albany")
    dg.materialize([made], instance=instance)
    thin_reports(instance, datetime.now(UTC) - timedelta(hours=1))
    assert len(instance.fetch_materializations(RAW, limit=9).records) == 2
    thin_reports(instance, datetime.now(UTC) + timedelta(hours=1))
    (left,) = instance.fetch_materializations(RAW, limit=9).records
    assert left.run_id
