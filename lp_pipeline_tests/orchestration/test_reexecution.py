"""SPEC W8, D3, C8: Dagster's "Re-execute from failure", and checks alone, in a process that knows nothing of the run
before: they judge by the ledger, the warehouse and the outbox."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline_tests.account import PACE, Account, failures
from lp_pipeline_tests.communications.talk import Talk
from lp_pipeline_tests.runs.past import person

ENVIRON = "LP_PIPELINE_TEST_ENVIRON"  # a process has nothing but its environment


def load() -> Settings:
    """The account's settings, as the environment has them."""
    return load_settings(json.loads(os.environ[ENVIRON]))


def sync_job() -> dg.JobDefinition:
    """The job of a new process."""
    return build_definitions(load, pace=PACE).resolve_job_def("sync")


def push_job() -> dg.JobDefinition:
    """Likewise."""
    return build_definitions(load, pace=PACE).resolve_job_def("push_communications")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as opened:
        yield opened


class Runs:
    """Runs of an account's jobs, each with connections of its own."""

    def __init__(self, account: Account, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
        self._account, self._instance, self._monkeypatch = account, instance, monkeypatch

    def _settings(self) -> None:
        environ = {"LP_PIPELINE_NOW": self._account.now.isoformat(), **self._account.environ}
        self._monkeypatch.setenv(ENVIRON, json.dumps(environ))

    def run(self, job: object = sync_job, **given: object) -> dg.JobExecutionResult:
        """A run from the beginning."""
        self._settings()
        return dg.execute_job(dg.reconstructable(job), instance=self._instance, **given)  # type: ignore[arg-type]

    def from_failure(self, result: dg.JobExecutionResult, job: object = sync_job) -> dg.JobExecutionResult:
        """The UI's "Re-execute from failure"."""
        options = dg.ReexecutionOptions.from_failure(result.run_id, self._instance)
        return self.run(job, reexecution_options=options)

    def checks(self, *names: str) -> dg.ExecuteInProcessResult:
        """The checks alone, of which there is one in the raw assets, or on those of Hatch."""
        self._settings()
        definitions = build_definitions(load, pace=PACE)
        keys = [dg.AssetCheckKey(dg.AssetKey(asset), name) for asset, name in (each.split(".") for each in names)]
        job = dg.define_asset_job("checks", selection=dg.AssetSelection.checks(*keys))
        both = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job]))
        return both.resolve_job_def("checks").execute_in_process(instance=self._instance, raise_on_error=False)


@pytest.fixture
def runs(lp_account: Account, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(lp_account, instance, monkeypatch)


def steps(result: dg.JobExecutionResult) -> set[str]:
    return {str(event.step_key) for event in result.all_events if event.event_type_value == "STEP_START"}


FEED_CHECKS = ("raw_leads.feed_was_read", "raw_prospects.feed_was_read")


@pytest.mark.slow
def test_a_feed_that_was_not_read_stays_unread(lp_account: Account, runs: Runs) -> None:
    """W8: neither from failure nor by its check alone does it turn green; a sync that reads it makes it so."""
    lp_account.lp.put(person(lp_account, "1"))
    lp_account.lp.fault("result0", path="GetLead")
    with runs.run() as first:
        assert not first.success
        again = runs.from_failure(first)
    with again:
        assert not again.success
        assert steps(again) == {"raw_leads_feed_was_read"}
    assert len(lp_account.lp.requests) > 0
    found = runs.checks(*FEED_CHECKS)
    assert not found.success
    (message,) = failures(found)
    assert message.startswith("The leads feed was not read: LeadPerfection answered GetLead")
    lp_account.later()
    with runs.run() as good:
        assert good.success
    assert runs.checks(*FEED_CHECKS).success
    with runs.from_failure(first) as after:
        assert after.success


def test_a_feed_that_was_never_read_is_not_green(runs: Runs) -> None:
    """W8: an empty ledger proves nothing."""
    found = runs.checks(*FEED_CHECKS)
    assert not found.success
    assert failures(found)[0] == "The leads feed was not read: it was never read"


@pytest.mark.slow
def test_a_feed_that_is_off_is_not_missed(lp_account: Account, runs: Runs) -> None:
    """W1: LP_PROSPECT_ACTION=off."""
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    with runs.run() as result:
        assert result.success
    assert runs.checks(*FEED_CHECKS).success


HATCH_CHECKS = ("hatch_deliveries.hatch_takes_deliveries", "raw_communications.hatch_gives_exports")


@pytest.mark.slow
def test_a_refused_delivery_and_export_stay_refused(lp_account: Account, runs: Runs) -> None:
    """D3, C1: what stopped them is found by a run that did neither; with valid keys, a sync catches up."""
    lp_account.lp.put(person(lp_account, "1"))
    lp_account.with_hatch(HATCH_API_KEY="wrong", HATCH_EXPORT_KEY="wrong")
    with runs.run() as first:
        assert not first.success
        again = runs.from_failure(first)
    with again:
        assert not again.success
        assert steps(again) == {"hatch_deliveries_hatch_takes_deliveries", "raw_communications_hatch_gives_exports"}
    found = runs.checks(*HATCH_CHECKS)
    assert not found.success
    assert {name for each in failures(found) for name in ("HATCH_API_KEY", "HATCH_EXPORT_KEY") if name in each} == {
        "HATCH_API_KEY",
        "HATCH_EXPORT_KEY",
    }
    lp_account.later()
    lp_account.with_hatch()
    with runs.run() as good:
        assert good.success
    assert runs.checks(*HATCH_CHECKS).success


def test_without_any_delivery_the_check_says_so(lp_account: Account, runs: Runs) -> None:
    """D3: a key is set, and nothing shows that Hatch takes it."""
    lp_account.with_hatch()
    evaluations = runs.checks(*HATCH_CHECKS).get_asset_check_evaluations()
    assert [(each.passed, each.description) for each in evaluations] == [
        (False, "The outbox has no note of it yet. Run a sync."),
    ] * 2


@pytest.mark.slow
def test_a_push_that_was_stopped_stays_failed(
    talk: Talk, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C8: re-executed from failure only the publication runs, and what stopped the push still fails the run."""
    pushing = Runs(talk, instance, monkeypatch)
    talk.environ |= {"PUSH_TO_CALL_LOGS": "true", "LP_CALL_TYPE": ""}
    talk.text("c1")
    with pushing.run(push_job, run_config=NOT_WAITING) as first:
        assert not first.success
        again = pushing.from_failure(first, push_job)
    with again:
        assert not again.success
        assert steps(again) == {"publish_pushes"}
    talk.environ["LP_CALL_TYPE"] = "O"
    with pushing.run(push_job, run_config=NOT_WAITING) as good:
        assert good.success


def test_after_a_dry_run_nothing_is_published(
    talk: Talk, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C4: nothing was written, so there is nothing to publish, and an earlier push's failure is not repeated."""
    pushing = Runs(talk, instance, monkeypatch)
    talk.text("c1")
    config = {"ops": {"push": {"config": {"dry_run": True}}}}
    with pushing.run(push_job, run_config=config) as result:
        assert result.success
        assert steps(result) == {"push"}
    assert (talk.folder / "dry_run.txt").exists()


NOT_WAITING = {"ops": {"publish_pushes": {"config": {"wait": False}}}}
