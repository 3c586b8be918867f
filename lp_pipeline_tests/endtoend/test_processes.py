"""Syncs as processes: killed at any moment, started side by side, from the command line that people type."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from lp_pipeline.cli.home import prepare_home
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.locks import Turn
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import PATIENCE, lead, prospect

TOOLS = Path(sys.executable).parent
SYNC = [str(TOOLS / "dagster"), "job", "execute", "-m", "lp_pipeline.definitions", "-j", "sync"]
MATERIALIZE = [str(TOOLS / "dagster"), "asset", "materialize", "-m", "lp_pipeline.definitions", "--select"]


def start(account: Account, command: list[str], **environ: str) -> subprocess.Popen[str]:
    home = account.folder.parent / "dagster"
    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_home(home)
    ours = ("LP_", "HATCH_", "DAGSTER_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = {
        **inherited,
        **account.environ,
        "LP_PIPELINE_NOW": account.now.isoformat(),
        "DAGSTER_HOME": str(home),
        **environ,
    }
    environment = {name: value for name, value in environment.items() if value or name != "DAGSTER_HOME"}
    return subprocess.Popen(
        command, env=environment, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output


def fill(account: Account, count: int) -> None:
    stamp = account.wall(minutes=5)
    for number in range(count):
        account.lp.put(prospect(str(number), lead(f"{number}0", lastchangedon=stamp), lastchanged=stamp))


@pytest.mark.slow
def test_a_sync_that_is_killed_loses_and_doubles_nothing(lp_account: Account) -> None:
    """R1, W8: whenever it is killed, the next sync carries on and ends with what an undisturbed one ends with."""
    fill(lp_account, 120)
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    for _ in range(2):
        process = start(lp_account, SYNC)
        while not Turn(lp_account.folder).is_taken() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 1.5))
        process.kill()
        process.communicate()
        lp_account.later(minutes=5)
    assert lp_account.run().success, f"seed {seed}"
    assert lp_account.published("select count(*), count(distinct external_id) from opportunities") == [(120, 120)]
    assert lp_account.published("select count(*) from opportunity_changes") == [(120,)]
    assert lp_account.ask("select count(*) from pipeline.unmerged") == [(0,)]
    assert not list(lp_account.folder.glob(".published*"))


@pytest.mark.parametrize(
    "others", [pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.marathon)]
)
def test_syncs_side_by_side_wait_their_turn(lp_account: Account, others: int) -> None:
    """R2: this process and others at once, with an analyst's connection open all the while: each ends well."""
    fill(lp_account, 30)
    assert lp_account.run().success
    lp_account.later()
    fill(lp_account, 60)
    with duckdb.connect(str(lp_account.folder / "published.duckdb"), read_only=True) as analyst:
        processes = [start(lp_account, SYNC) for _ in range(others)]
        ours = lp_account.run().success
        ended = [finish(process) for process in processes]
        assert [code for code, _ in ended] == [0] * others, ended
        assert ours
        assert analyst.execute("select count(*) from opportunities").fetchall() == [(30,)]
    assert lp_account.published("select count(*) from opportunities") == [(60,)]


@pytest.mark.slow
def test_a_bare_shell_in_the_repository_is_enough(lp_account: Account) -> None:
    """No DAGSTER_HOME, no variables but the account's: the repository's own dagster.yaml must not ask for any."""
    fill(lp_account, 3)
    code, output = finish(start(lp_account, [*MATERIALIZE, "*"], DAGSTER_HOME=""))
    assert code == 0, output
    assert lp_account.published("select count(*) from opportunities") == [(3,)]


@pytest.mark.slow
def test_parts_of_the_graph_can_be_materialized_from_the_shell(lp_account: Account) -> None:
    """W7, W8: `dagster asset materialize --select raw_leads` now, the rest later; the shell's way loses nothing."""
    fill(lp_account, 3)
    assert finish(start(lp_account, [*MATERIALIZE, "raw_leads"]))[0] == 0
    rest = "staged_opportunities,opportunities,published"
    code, output = finish(start(lp_account, [*MATERIALIZE, rest]))
    assert code == 0, output
    assert lp_account.published("select count(*) from opportunities") == [(3,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"LP_PASSWORD": "not-it-at-all"}, "LP_PASSWORD"),
        ({"LP_APP_KEY": ""}, "LP_APP_KEY is not"),
    ],
)
def test_the_shell_shows_the_message_before_any_stack_trace(
    lp_account: Account, change: dict[str, str], expected: str
) -> None:
    """R3, R4: exit code 1 and one message that says what to do, first."""
    code, output = finish(start(lp_account, SYNC, **change))
    assert code == 1
    before, _, _ = output.partition("Stack Trace")
    assert expected in before
    assert "not-it-at-all" not in output


@pytest.mark.slow
def test_the_command_line_syncs_and_answers(lp_account: Account) -> None:
    """`lp-pipeline sync`, `status` and `sql`: what happened, in a few lines; a wrong query gives a plain message."""
    fill(lp_account, 3)
    tool = str(TOOLS / "lp-pipeline")
    code, output = finish(start(lp_account, [tool, "sync"]))
    assert code == 0, output
    assert "3  opportunities" in output
    code, output = finish(start(lp_account, [tool, "sql", "select count(*) as n from current_opportunities"]))
    assert (code, "3" in output) == (0, True)
    code, output = finish(start(lp_account, [tool, "sql", "select nothing"]))
    assert code == 1
    assert "Traceback" not in output
    code, output = finish(start(lp_account, [tool, "sync"], LP_PASSWORD="wrong"))
    assert code == 1
    assert "LP_PASSWORD" in output
    assert "Traceback" not in output
