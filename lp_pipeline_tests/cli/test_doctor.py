"""SPEC E2: `lp-pipeline doctor` on a terminal, as JSON, and what it knows of Dagster."""

import json
import time
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    GrpcServerCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._daemon.types import DaemonHeartbeat

from lp_pipeline.cli.main import main
from lp_pipeline.orchestration import account_schedules
from lp_pipeline.orchestration.heartbeat import DAEMON, SCHEDULE, schedule_is_on
from lp_pipeline.orchestration.schedules import sync_schedule
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.runs.past import person


def doctor(account: Account, *options: str, **environ: str) -> Result:
    """The command, in a Dagster home where nothing ever ran."""
    home = str(account.folder.parent / "no home")
    environ = {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat(), "DAGSTER_HOME": home, **environ}
    return CliRunner(env=environ).invoke(main, ["doctor", *options])


def test_a_line_a_check_and_a_count(lp_account: Account) -> None:
    """The state, the name, what was found; in the end how many need something; nothing secret. Exit code 0."""
    lp_account.lp.put(person(lp_account, "1"))
    result = doctor(lp_account)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[3].startswith('ok    Sign-in         user "sandbox" at http://127.0.0.1:')
    assert lines[-3].startswith("-     Schedule        no Dagster here yet")
    assert lines[-2:] == ["", "No problems."]


def test_a_problem_shows_what_to_do(lp_account: Account) -> None:
    """Below its line, indented; exit code 1."""
    lp_account.lp.switch(permissions=["GetLead", "AddNotes"])
    result = doctor(lp_account)
    assert result.exit_code == 1
    lines = result.output.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("FAIL  Permissions"))
    assert lines[at + 1].startswith("      In LeadPerfection: Security → User Access")
    assert lines[-1] == "1 problem."


def test_json_has_the_same(lp_account: Account) -> None:
    """For scripts: the same checks, and nothing else on standard output."""
    lp_account.lp.switch(refuse_sign_in=True)
    result = doctor(lp_account, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["problems"]) == (1, 1)
    (failed,) = (each for each in found["checks"] if each["state"] == "fail")
    assert (failed["name"], "LP_PASSWORD" in failed["advice"]) == ("Sign-in", True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Dagster home with nothing in it."""
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    return tmp_path


def test_the_schedule_is_on_if_the_daemon_lives_and_nobody_turned_it_off(home: Path) -> None:
    """Before the first start nothing is wrong; a daemon that was there and is gone is a problem, as is a schedule that
    somebody turned off."""
    assert schedule_is_on(home).found == "not started yet; lp-pipeline dev starts it"
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for silent, state in ((600.0, "fail"), (5.0, "ok")):
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - silent, DAEMON, "one", errors=[]))
            assert schedule_is_on(home).state == state
        location = GrpcServerCodeLocationOrigin(host="localhost", port=1, location_name="lp_pipeline.definitions")
        origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), SCHEDULE)
        data = ScheduleInstigatorData("*/15 * * * *", start_timestamp=None)
        off = InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.STOPPED, data)
        instance.add_instigator_state(off)
    found = schedule_is_on(home)
    assert (found.state, SCHEDULE in found.found) == ("fail", True)


def test_the_schedule_has_the_name_that_is_looked_for() -> None:
    """Or its state would never be found; of one account and of several."""
    assert {sync_schedule().name, account_schedules.sync_schedule(dict).name} == {SCHEDULE}
