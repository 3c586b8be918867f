"""Dagster's own commands for projects, as `[tool.dg]` in pyproject.toml sets them up."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from lp_pipeline.cli.home import prepare_home
from lp_pipeline.orchestration.launcher import LOCATION
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.cli.test_dev import environ
from lp_pipeline_tests.first_sync import small_sandbox

BIN = Path(sys.executable).parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A DAGSTER_HOME beside a data folder with a small sandbox."""
    folder, data = tmp_path / "home", tmp_path / "data"
    folder.mkdir()
    small_sandbox(data)
    (folder / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
    prepare_home(folder)
    return folder


def run(home: Path, *command: str) -> str:
    """A command of Dagster's, from the checkout's folder; what it printed."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], env=environ(home), cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_dg_checks_lists_and_launches(home: Path) -> None:
    """`dg launch` and `dagster asset materialize` leave runs that the UI shows under this location."""
    run(home, "dg", "check", "defs")
    listed = json.loads(run(home, "dg", "list", "defs", "--json"))
    assert {each["asset_key"] for each in listed["assets"]} >= {"leadperfection", "raw_leads", "published", "hatch"}
    run(home, "dg", "launch", "--assets", "raw_leads")
    run(home, "dagster", "asset", "materialize", "-m", LOCATION, "--select", "*")
    run(home, "dg", "launch", "--job", "push_communications")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        runs = instance.get_runs()
        found = [(each.job_name, each.status.value, each.tags_for_storage()[".dagster/repository"]) for each in runs]
    assert found == [
        (name, "SUCCESS", f"__repository__@{LOCATION}")
        for name in ("push_communications", "__ASSET_JOB", "__ASSET_JOB")
    ]
