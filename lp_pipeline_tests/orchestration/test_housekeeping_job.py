"""The job and the command that keep disk use flat (SPEC K1)."""

from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline_tests.account import Account


def test_the_job_shows_what_there_was_before_and_is_after(lp_account: Account) -> None:
    """K1: runs, files and sizes, as the metadata of its one step; it is on from the start, once a night."""
    lp_account.land({"id": "c1", "category": "sms", "body": "Hello", "occurred_at": lp_account.now.isoformat()})
    definitions = build_definitions(lp_account.load)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("housekeeping").execute_in_process(instance=instance)
    (output,) = (event for event in result.all_events if event.is_successful_output)
    shown = {name: value.value for name, value in output.step_output_data.metadata.items()}
    assert shown["runs in Dagster"] == "1, unchanged"
    assert shown["communications from Hatch"] == "1, unchanged"
    assert {"size of DAGSTER_HOME", "files in DAGSTER_HOME", "size of outbox.sqlite"} <= {*shown}
    schedule = definitions.resolve_schedule_def("housekeeping_every_night")
    assert (schedule.job_name, schedule.default_status) == ("housekeeping", dg.DefaultScheduleStatus.RUNNING)


@pytest.mark.slow
def test_the_command_does_the_same_and_a_dry_run_only_counts(
    lp_account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K1: `lp-pipeline housekeeping`, with DAGSTER_HOME as the UI has it."""
    lp_account.land({"id": "c1", "category": "sms", "body": "Hello", "occurred_at": "2020-01-01T00:00:00Z"})
    lp_account.push()
    lp_account.later(days=1000)
    lp_account.outbox.close()
    for name, value in {**lp_account.environ, "LP_PIPELINE_NOW": lp_account.now.isoformat()}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    counted = CliRunner().invoke(main, ["housekeeping", "--dry-run"])
    assert "communications from Hatch: 1 → 0" in counted.output
    assert len(lp_account.pushes()) == 3
    done = CliRunner().invoke(main, ["housekeeping"])
    assert (done.exit_code, "communications from Hatch: 1 → 0" in done.output) == (0, True), done.output
    again = CliRunner().invoke(main, ["housekeeping"])
    assert "communications from Hatch: 0, unchanged" in again.output
    assert len(lp_account.pushes()) == 3, "the ledger stays"
