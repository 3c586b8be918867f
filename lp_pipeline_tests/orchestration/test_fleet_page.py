"""SPEC A5: the page about all accounts, as an asset that only a deployment with accounts has."""

from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import dagster as dg

from lp_pipeline.insight.fleet import Line
from lp_pipeline.insight.fleet_page import fleet_page, headline
from lp_pipeline.orchestration.build import build_account_definitions, build_definitions
from lp_pipeline.orchestration.fleet_launcher import queue_of_run
from lp_pipeline.orchestration.fleet_page import as_dagster_saw, fleet, fleet_schedule
from lp_pipeline.orchestration.run_history import thin_job
from lp_pipeline.settings import listed_accounts
from lp_pipeline_tests.accounts_file import add, listing

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
LINES = [
    Line("albany", "east", "OK", "6 min ago", "6 min ago", "2 unmatched"),
    Line("boston", "west", "FAILING", "3 h ago", why='LeadPerfection refuses the sign-in of user "<api>".'),
    Line("chicago", "west", "LATE", "2 h ago"),
    Line("denver", "west", "OFF"),
]


def run_of(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus, account: str = "") -> dg.DagsterRun:
    """A run that is over."""
    definition = build_account_definitions().resolve_job_def(job)
    return instance.create_run_for_job(
        definition, status=status, tags={"dagster/partition": account} if account else {}
    )


def test_with_one_account_there_is_no_such_page() -> None:
    """A1: no asset, no job, no schedule."""
    repository = build_definitions().get_repository_def()
    assert dg.AssetKey("fleet") not in repository.assets_defs_by_key
    assert not repository.has_job("fleet_page")
    assert not [schedule for schedule in repository.schedule_defs if schedule.job_name == "fleet_page"]


def test_the_page_begins_with_the_verdict_and_with_what_needs_a_look() -> None:
    """Every line's words are there as they are, whatever letters they have; nothing is asked from anywhere."""
    page = fleet_page(LINES, NOW)
    assert headline(LINES) == "2 of 3 accounts to look at: boston, chicago."
    assert headline(LINES[:1]) == "1 account, all of them all right."
    assert headline([Line(f"b{number}", "east", "LATE") for number in range(8)]).endswith("b4 and 3 more.")
    places = [page.index(f"<td>{name}</td>") for name in ("boston", "chicago", "albany", "denver")]
    assert places == sorted(places)
    for line in LINES:
        assert line.why in unescape(page)
    assert "<api>" not in page
    assert "default-src 'none'" in page
    assert not [word for word in ("<script", "http://", "https://", "src=") if word in page]


def test_it_is_materialized_without_a_partition(deployment: Path) -> None:
    """By its job, for its owner only; a broken account and one that was never synced are on it. The folder of the
    accounts' folders is not made for it (A3)."""
    listing(deployment, "albany", "boston")
    job = build_account_definitions().resolve_job_def("fleet_page")
    with dg.DagsterInstance.ephemeral() as instance:
        refused = job.execute_in_process(instance=instance, raise_on_error=False)
        assert not refused.success
        assert not (deployment / "volume").exists()
        add(deployment, "albany")
        add(deployment, "boston", {"LP_TIMEZONE": "EST"})
        result = job.execute_in_process(instance=instance)
        metadata = result.asset_materializations_for_node("fleet")[0].metadata
    file = deployment / "volume" / "fleet.html"
    assert metadata["file"].value == str(file)
    assert file.stat().st_mode & 0o077 == 0
    text = unescape(file.read_text())
    assert str(metadata["verdict"].value) in text
    assert "LP_TIMEZONE" in text
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []


def test_an_account_on_another_host_is_as_dagster_saw_its_last_sync(deployment: Path) -> None:
    """A3: whose data is not here. Good, failed (whatever was before), or none within the hour."""
    listing(deployment, "albany", "boston", "chicago")
    lines = [Line(name, "west", "ELSEWHERE") for name in ("albany", "boston", "chicago")]
    success, failure = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
    with dg.DagsterInstance.ephemeral() as instance:
        for name, status in (("albany", failure), ("boston", success), ("albany", success), ("boston", failure)):
            run_of(instance, "sync", status, name)
        run_of(instance, "housekeeping", success, "chicago")
        now = datetime.now(UTC)
        seen = as_dagster_saw(lines, instance, now)
        later = as_dagster_saw(lines, instance, now + timedelta(hours=2))
    assert [(line.state, line.synced) for line in seen] == [("OK", "just now"), ("FAILING", "just now"), ("LATE", "")]
    assert "on shard west, run: lp-pipeline --account boston status" in seen[1].why
    assert {line.state for line in later} == {"LATE"}
    assert as_dagster_saw(LINES, instance, now) == LINES


def test_its_runs_have_a_queue_and_do_not_pile_up(deployment: Path) -> None:
    """A4, K1: a worker of the first enabled account's shard does it, from the schedule or from the UI; no account's
    housekeeping knows these runs, so the job removes its own."""
    listing(deployment, "albany", "boston", albany="false")
    (deployment / "accounts.toml").write_text(
        "[accounts.albany]\nenabled = false\nshard = 'east'\n[accounts.boston]\nshard = 'west'\n"
    )
    request = fleet_schedule(listed_accounts)(dg.build_schedule_context())
    assert isinstance(request, dg.RunRequest)
    assert request.tags["lp/queue"] == "west"
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [run_of(instance, "fleet_page", dg.DagsterRunStatus.SUCCESS) for _ in range(3)]
        other = run_of(instance, "sync", dg.DagsterRunStatus.SUCCESS, "boston")
        assert queue_of_run(runs[0]) == "west"
        thin_job(instance, "fleet_page", datetime.now(UTC) + timedelta(days=1))
        assert {run.run_id for run in instance.get_runs()} == {runs[-1].run_id, other.run_id}
    by_hand = dg.DagsterRun("__ASSET_JOB", asset_selection=frozenset({fleet.key}))
    assert queue_of_run(by_hand) == "west"
