"""What Dagster loads: code that can't be imported is one message, and a run's configuration has no unknown keys."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster_shared.error import SerializableErrorInfo

from lp_pipeline.errors import BrokenProgram
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.launcher import LOCATION
from lp_pipeline.settings import REPOSITORY

HALVES = {
    "a file cut off": ("extract/watermarks.py", lambda text: text[: text.index("def ") + 8]),
    "a name that is not there yet": (
        "runs/steps.py",
        lambda text: text.replace("def deliver_due(", "def deliver_old("),
    ),
    "a module that is not there yet": ("delivery/round.py", None),
    "marks of a merge": ("runs/steps.py", lambda text: f"<<<<<<< HEAD\n{text}"),
}
LOAD = "import lp_pipeline.definitions as it; it.definitions()"
SYNC = "from lp_pipeline.cli.main import main; main(['sync'])"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout to break."""
    for name in ("lp_pipeline", "sql"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dagster.yaml", "lp_pipeline.env.example"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES.keys())
def test_half_an_update_is_one_message(copy: Path, half: tuple[str, object]) -> None:
    """What is wrong, where, and what to do; in Dagster's code location and in the shell."""
    name, change = half
    path = copy / "lp_pipeline" / name
    if callable(change):
        path.write_text(change(path.read_text()))
    else:
        path.unlink()
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(copy), "HOME": str(copy), "PYTHONSAFEPATH": "1"}
    location, shell = (
        subprocess.run([sys.executable, "-c", code], env=environ, cwd=copy, capture_output=True, text=True)
        for code in (LOAD, SYNC)
    )
    told = location.stderr.strip().splitlines()[-1]
    assert "BrokenProgram: The program's own code can't be loaded" in told
    assert "git pull" in told
    assert shell.returncode == 1
    assert shell.stderr.startswith("Error: The program's own code can't be loaded"), shell.stderr
    assert "Traceback" not in shell.stderr


@pytest.mark.parametrize("job_name", ["sync", "push_communications", "backfill", "sweep", "housekeeping"])
def test_an_unknown_key_in_a_runs_configuration_is_refused(job_name: str) -> None:
    """A slip of the pen (`dry-run`, `form`) must not start a run that does something else."""
    job = build_definitions().resolve_job_def(job_name)
    for op in job.nodes:
        config = {"ops": {op.name: {"config": {"nosuch": 1}}}}
        with pytest.raises(dg.DagsterInvalidConfigError, match="nosuch"), dg.DagsterInstance.ephemeral() as instance:
            instance.create_run_for_job(job, run_config=config)


def test_a_run_of_the_shell_has_a_location_and_one_that_could_not_start_a_reason(tmp_path: Path) -> None:
    """The timeline shows it under its job and location, and nobody but its user starts it again. Dagster marks one that
    could not start as failed without a reason; the one that it noted before is given."""
    (tmp_path / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        job = build_definitions().resolve_job_def("sync")
        run = instance.create_run_for_job(job)
        assert run.tags_for_storage()[".dagster/repository"] == f"__repository__@{LOCATION}"
        assert run.tags["dagster/max_retries"] == "0"
        assert f"python_module: {LOCATION}" in (REPOSITORY / "workspace.yaml").read_text()
        assert f'code_location_name = "{LOCATION}"' in (REPOSITORY / "pyproject.toml").read_text()
        words = f"lp_pipeline.errors.BrokenProgram: {BrokenProgram(ImportError('no module named half'))}\n"
        error = SerializableErrorInfo(words, [], "BrokenProgram")
        instance.report_engine_event("Could not load job definition.", run, EngineEventData.engine_error(error))
        instance.report_run_failed(run)
        (failed,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert failed.dagster_event
        message = str(failed.dagster_event.message)
        assert message.startswith(
            "The run could not start. The program's own code can't be loaded: no module named half."
        )
        other = instance.create_run_for_job(job)
        instance.report_run_failed(other, "Its process is gone.")
        (failed,) = instance.all_logs(other.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
        assert failed.dagster_event
        assert failed.dagster_event.message == "Its process is gone."
