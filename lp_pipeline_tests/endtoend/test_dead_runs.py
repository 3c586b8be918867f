"""Runs whose process is gone (SPEC R1): they are ended, hold nothing, and no living run is taken for one of them."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from lp_pipeline.cli.home import prepare_home
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.launcher import FOLDER
from lp_pipeline.orchestration.resources import run_connections
from lp_pipeline.runs.connections import Connections
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.alive import is_gone
from lp_pipeline_tests.account import Account

Status = dg.DagsterRunStatus
IMPORT = (
    "import sys; from pathlib import Path; from lp_pipeline.storage.alive import shown_alive\n"
    f"folder = Path(sys.argv[1]) / {FOLDER!r}\n"
)
ONE = IMPORT + "with shown_alive(folder, sys.argv[2]): print('alive', flush=True); sys.stdin.read()"
MANY = IMPORT + ("print('alive', flush=True)\nfor n in range(10**6):\n    with shown_alive(folder, f'{n}'): pass")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance as `dagster.yaml` sets it up."""
    (tmp_path / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
    prepare_home(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        yield opened


@contextmanager
def another_process(program: str, home: Path, run_id: str = "") -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(home), run_id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "alive\n"
        try:
            yield process
        finally:
            process.kill()


def begun(instance: dg.DagsterInstance, name: str) -> str:
    job = build_definitions().resolve_job_def(name)
    config = (
        {"ops": {"read_days": {"config": {"from": "2026-01-01", "to": "2026-01-02"}}}} if name == "backfill" else {}
    )
    create = dg.DagsterInstance.create_run_for_job  # not our own, which is for runs from the shell
    return create(instance, job, run_config=config, tags=job.run_tags, status=Status.STARTED).run_id


def monitor(instance: dg.DagsterInstance) -> None:
    """What Dagster's daemon does every 20 seconds."""
    context = SimpleNamespace(instance=instance, create_request_context=lambda: None)
    errors = list(execute_run_monitoring_iteration(cast("Any", context), logging.getLogger()))
    assert set(errors) == {None}


def status(instance: dg.DagsterInstance, run_id: str) -> Status:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def test_a_run_whose_process_was_killed_is_ended_and_a_living_one_is_not(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """R1: by Dagster's own monitoring, as soon as it looks; also one that may take days. Without a file it is left."""
    killed, living, unknown = (begun(instance, "backfill") for _ in range(3))
    with another_process(ONE, tmp_path, living), another_process(ONE, tmp_path, killed) as process:
        monitor(instance)
        assert status(instance, killed) == Status.STARTED
        process.kill()
        process.wait()
        monitor(instance)
        assert status(instance, killed) == Status.FAILURE
        assert {status(instance, living), status(instance, unknown)} == {Status.STARTED}


def test_a_living_run_is_never_taken_for_a_dead_one(tmp_path: Path) -> None:
    """R1: not in the instant when it begins or ends either."""
    with another_process(MANY, tmp_path) as process:
        looked = 0
        while looked < 300:
            for path in (tmp_path / FOLDER).glob("[0-9]*"):
                looked += 1
                assert not is_gone(path)
            assert process.poll() is None


def test_a_run_shows_that_it_lives_until_it_has_ended(instance: dg.DagsterInstance, lp_account: Account) -> None:
    """R1: whatever it was started by; and it leaves nothing behind."""
    folder = Path(instance.root_directory) / FOLDER
    seen: list[list[str]] = []

    @dg.op
    def look(connections: dg.ResourceParam[Connections]) -> None:
        seen.append([path.name for path in folder.iterdir()])

    job = dg.GraphDefinition("looking", node_defs=[look]).to_job(
        resource_defs={"connections": run_connections(lp_account.load)}
    )
    result = job.execute_in_process(instance=instance)
    assert seen == [[result.run_id]]
    assert list(folder.iterdir()) == []


def test_there_is_no_place_and_no_slot_that_a_dead_run_could_hold(instance: dg.DagsterInstance) -> None:
    """R1: the queue has no limit, and nothing uses a pool."""
    queue = instance.get_concurrency_config().run_queue_config
    assert queue
    assert queue.max_concurrent_runs == -1
    repository = build_definitions().get_repository_def()
    assert [pool for job in repository.get_all_jobs() for node in job.all_node_defs for pool in node.pools] == []


@pytest.mark.parametrize(("job", "again"), [("backfill", True), ("sweep", True), ("sync", False)])
def test_a_killed_backfill_is_started_again(instance: dg.DagsterInstance, job: str, again: bool) -> None:
    """R1: it resumes where it stopped, though no schedule would start it; for syncs there is the next tick."""
    run_id = begun(instance, job)
    run = instance.get_run_by_id(run_id)
    assert run
    instance.report_run_failed(run)
    failed = instance.get_run_by_id(run_id)
    assert failed
    assert auto_reexecution_should_retry_run(instance, failed, None) is again
