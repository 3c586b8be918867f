"""SPEC A3, A4, R1: runs of many accounts on the workers of their shards; what dies is ended within seconds and holds
nothing."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import dagster as dg
import pytest
from dagster._core.run_coordinator import SubmitRunContext
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from lp_pipeline.orchestration.build import build_account_definitions
from lp_pipeline.orchestration.fleet_launcher import GONE_SECONDS, FleetLauncher
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline_tests.drills.deployment import ENDED, until
from lp_pipeline_tests.fleet.branches import Branch, branches_of, leaks
from lp_pipeline_tests.fleet.deployment import Fleet, fleet
from lp_pipeline_tests.insight.listener import Listener
from lp_pipeline_tests.storage.disks import Disk

pytestmark = pytest.mark.slow
Status = dg.DagsterRunStatus
SHARDS = {"albany": "east", "boston": "west"}  # of two accounts with which nothing is wrong
HANGS = "chicago"  # on shard west; its LeadPerfection can be held
SLOW, REFUSED, FULL = "dallas", "elgin", "fresno"  # on shard east, with albany
SHARDS |= {HANGS: "west", SLOW: "east", REFUSED: "east", FULL: "east"}


class Running(Fleet):
    """The servers, a worker for each of two shards, and the accounts."""

    branches: dict[str, Branch]
    listener: Listener
    disk: Disk | None


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Accounts on two shards, and a worker for each: one run at a time in the west, two in the east."""
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        accounts = stack.enter_context(branches_of(folder, SHARDS, FULL))
        opened = stack.enter_context(fleet(folder, Running))
        opened.branches, opened.listener, opened.disk = accounts
        opened.start_worker("west")
        opened.start_worker("east", slots=2)
        yield opened


@pytest.fixture
def instance(running: Running) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(running.home)) as opened:
        yield opened


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run
    return run.status


def launcher(instance: dg.DagsterInstance) -> FleetLauncher:
    assert isinstance(instance.run_launcher, FleetLauncher)
    return instance.run_launcher


def wait_for(instance: dg.DagsterInstance, run_id: str, *wanted: dg.DagsterRunStatus) -> None:
    until(lambda: status(instance, run_id) in wanted, f"{run_id} is {status(instance, run_id)}", patience=120)


def test_each_run_is_done_by_its_shards_worker(running: Running, instance: dg.DagsterInstance) -> None:
    """A3, A4: two accounts at the same time, each in its own folder; no run touches the other's."""
    runs = {name: running.launch(instance, name) for name in ("albany", "boston")}
    for name, run_id in runs.items():
        wait_for(instance, run_id, Status.SUCCESS, Status.FAILURE)
        assert status(instance, run_id) == Status.SUCCESS, running.log(SHARDS[name])
        assert running.branches[name].wrong() == []
        run = instance.get_run_by_id(run_id)
        assert run
        assert run.tags["dagster-celery/queue"] == SHARDS[name]
        assert not launcher(instance).is_held(run_id)


@pytest.fixture
def hanging(running: Running, instance: dg.DagsterInstance) -> Iterator[str]:
    """A run that LeadPerfection keeps waiting, until the test is over."""
    chicago = running.branches[HANGS]
    with chicago.held():
        run_id = running.launch(instance, HANGS)
        assert chicago.asked.wait(120), running.log("west")
        assert launcher(instance).is_held(run_id)
        yield run_id


def syncs(running: Running, instance: dg.DagsterInstance) -> None:
    """The next sync of that account is good: nothing was left held."""
    run_id = running.launch(instance, HANGS)
    wait_for(instance, run_id, *ENDED)
    assert status(instance, run_id) == Status.SUCCESS, running.log("west")


def monitored(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    """The state of a started run after Dagster's monitoring has looked at it once, as it does every few seconds."""
    workspace: Any = None  # for resuming a run, which this launcher does not do
    record = instance.get_run_record_by_id(run_id)
    assert record
    if record.dagster_run.status == Status.STARTED:
        monitor_started_run(instance, workspace, record, logging.getLogger())
    return status(instance, run_id)


def test_a_run_whose_process_is_killed_is_ended_and_holds_nothing(
    running: Running, instance: dg.DagsterInstance, hanging: str
) -> None:
    """R1: within half a minute, by Dagster's monitoring."""
    (child,) = running.children("west")
    os.kill(child, signal.SIGKILL)
    until(
        lambda: monitored(instance, hanging) == Status.FAILURE,
        "a dead run is taken for a living one",
        patience=GONE_SECONDS + 30,
    )
    assert not launcher(instance).is_held(hanging)
    syncs(running, instance)


def test_a_run_that_a_person_ends_is_canceled(running: Running, instance: dg.DagsterInstance, hanging: str) -> None:
    """A4: at once, as canceled and not as failed; its worker does the next run."""
    assert instance.run_launcher.terminate(hanging)
    assert status(instance, hanging) == Status.CANCELED
    assert not launcher(instance).is_held(hanging)
    syncs(running, instance)


def test_a_run_that_waits_is_taken_out_of_its_queue(
    running: Running, instance: dg.DagsterInstance, hanging: str
) -> None:
    """A4: it never starts, even after the one before it has ended."""
    waiting = running.launch(instance, "boston")
    assert instance.run_launcher.terminate(waiting)
    assert status(instance, waiting) == Status.CANCELED
    assert instance.run_launcher.terminate(hanging)
    syncs(running, instance)
    assert status(instance, waiting) == Status.CANCELED


def test_a_restart_of_postgres_ends_no_run(running: Running, instance: dg.DagsterInstance, hanging: str) -> None:
    """A4: the worker takes its lock again, before its run is taken for dead; Dagster's monitoring looks meanwhile."""
    running.database.stop()
    running.database.start()
    assert monitored(instance, hanging) == Status.STARTED
    until(lambda: launcher(instance).is_held(hanging), "the lock is not taken again", patience=GONE_SECONDS)
    assert monitored(instance, hanging) == Status.STARTED
    instance.run_launcher.terminate(hanging)


def test_after_a_restart_of_redis_runs_go_on(running: Running, instance: dg.DagsterInstance) -> None:
    """A4: the workers connect again by themselves."""
    running.stop_redis()
    running.start_redis()
    syncs(running, instance)


def test_a_worker_that_is_stopped_ends_its_runs_in_time(
    running: Running, instance: dg.DagsterInstance, hanging: str
) -> None:
    """A4: Celery alone would wait for a backfill of hours at each deploy; the run is then ended as any dead one is."""
    running.workers["west"].terminate()
    running.workers["west"].wait(timeout=60)
    assert not launcher(instance).is_held(hanging)
    running.start_worker("west")
    until(lambda: monitored(instance, hanging) == Status.FAILURE, "an ended run is taken for a living one", patience=60)
    syncs(running, instance)


def test_what_is_wrong_with_one_account_delays_no_other(running: Running, instance: dg.DagsterInstance) -> None:
    """A2, A3, R4: one LeadPerfection hangs, another refuses the sign-in, and a disk is full; the account after them on
    the same shard is synced. No secret and no record of any is in another one's files or alerts, nor in what the
    deployment keeps."""
    running.branches[REFUSED].lp.switch(refuse_sign_in=True)
    if running.disk:
        running.disk.fill()
    with running.branches[SLOW].held():
        hangs = running.launch(instance, SLOW)
        assert running.branches[SLOW].asked.wait(120), running.log("east")
        fail = [running.launch(instance, name) for name in (REFUSED, FULL)[: 2 if running.disk else 1]]
        running.branches["albany"].somebody_new()
        good = running.launch(instance, "albany")
        wait_for(instance, good, *ENDED)
        assert status(instance, good) == Status.SUCCESS, running.log("east")
        assert status(instance, hangs) == Status.STARTED
        for run_id in fail:
            wait_for(instance, run_id, Status.FAILURE)
    wait_for(instance, hangs, Status.SUCCESS)
    assert running.branches["albany"].wrong() == []
    assert running.branches[SLOW].wrong() == []
    assert {path.split("/")[1] for path, _ in running.listener.received} >= {REFUSED}
    assert leaks(running.branches.values(), running, running.listener) == []


def test_a_folder_of_another_shard_is_not_touched(running: Running, instance: dg.DagsterInstance) -> None:
    """A3: an account that was moved in the accounts file alone is refused, naming the shard, and gets no folder."""
    folder = running.branches["boston"].folder
    folder.rename(running.folder / "elsewhere")
    try:
        run_id = running.launch(instance, "boston")
        wait_for(instance, run_id, *ENDED)
        assert status(instance, run_id) == Status.FAILURE
        (entry, *_) = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        assert entry.dagster_event
        assert "shard 'west'" in str(entry.dagster_event.step_failure_data.user_failure_data)
        assert not folder.exists()
    finally:
        (running.folder / "elsewhere").rename(folder)


def test_a_run_waits_in_its_queue_however_it_was_started(running: Running, instance: dg.DagsterInstance) -> None:
    """A4: one from the launchpad too, whose tags say its account alone; a long run of an account waits for no short
    one, nor the other way round."""
    job = build_account_definitions().resolve_job_def
    tags = {}
    for name in ("sync", "push_communications", "sweep"):
        made = instance.create_run_for_job(
            job(name), tags={PARTITION: "boston"}, status=Status.NOT_STARTED, job_code_origin=running.origin(name)
        )
        workspace: Any = None
        run = instance.run_coordinator.submit_run(SubmitRunContext(made, workspace))
        assert run.status == Status.QUEUED
        tags[name] = run.tags
        instance.report_run_canceled(run)
    assert [each["lp/queue"] for each in tags.values()] == ["west", "west", "west-long"]
    assert [each["lp/turn"] for each in tags.values()] == ["boston in west"] * 2 + ["boston in west-long"]
    assert [each.get("dagster/priority") for each in tags.values()] == ["1", None, None]


def test_a_run_of_no_account_is_refused(running: Running, instance: dg.DagsterInstance) -> None:
    """A3: nobody guesses; the message says what to choose."""
    with pytest.raises(Exception, match="lists no account"):
        running.launch(instance, "nowhere")
