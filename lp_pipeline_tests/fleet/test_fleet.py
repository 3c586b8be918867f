"""SPEC A3, A4, R1: runs of many accounts on the workers of their shards; what dies is ended within seconds and holds
nothing."""

import os
import signal
from collections.abc import Iterator
from threading import Event

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from lp_pipeline.orchestration.fleet_launcher import GONE_SECONDS, FleetLauncher
from lp_pipeline_tests.account import account
from lp_pipeline_tests.accounts_file import PREFIXES, add
from lp_pipeline_tests.drills.deployment import ENDED, until
from lp_pipeline_tests.fleet.deployment import Fleet, fleet
from lp_pipeline_tests.runs.past import person

pytestmark = pytest.mark.slow
Status = dg.DagsterRunStatus
ACCOUNTS = {"albany": "east", "boston": "west"}  # of the sandbox
HANGS = "chicago"  # on shard west; its LeadPerfection is this test's
SANDBOX = dict.fromkeys(("LP_API_URL", "LP_USERNAME", "LP_PASSWORD", "LP_APP_KEY", "LP_CLIENT_ID"), "")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two accounts of the sandbox on two shards, a worker for each."""
    folder = tmp_path_factory.mktemp("fleet")
    kept = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            del os.environ[name]
    os.environ.update(LP_PIPELINE_ACCOUNTS=str(folder / "accounts.toml"), LP_PIPELINE_DATA=str(folder / "volume"))
    (folder / "accounts").mkdir()
    tables = [f"[accounts.{name}]\nshard = '{shard}'\n" for name, shard in (*ACCOUNTS.items(), (HANGS, "west"))]
    (folder / "accounts.toml").write_text("".join(tables))
    for name in ACCOUNTS:
        add(folder, name, SANDBOX)
    try:
        with account(folder) as chicago, fleet(folder) as opened:
            chicago.lp.put(person(chicago, "1"))
            opened.chicago = chicago
            add(folder, HANGS, {**chicago.environ, "LP_PIPELINE_DATA": str(folder / "volume" / HANGS)})
            for shard in ACCOUNTS.values():
                opened.start_worker(shard)
            yield opened
    finally:
        os.environ.clear()
        os.environ.update(kept)


@pytest.fixture
def instance(running: Fleet) -> Iterator[dg.DagsterInstance]:
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


def test_each_run_is_done_by_its_shards_worker(running: Fleet, instance: dg.DagsterInstance) -> None:
    """A3, A4: two accounts at the same time, each in its own folder; no run touches the other's."""
    runs = {name: running.launch(instance, name) for name in ACCOUNTS}
    for name, run_id in runs.items():
        wait_for(instance, run_id, Status.SUCCESS, Status.FAILURE)
        assert status(instance, run_id) == Status.SUCCESS, running.log(ACCOUNTS[name])
        assert (running.folder / "volume" / name / "published.duckdb").exists()
        run = instance.get_run_by_id(run_id)
        assert run
        assert run.tags["dagster-celery/queue"] == ACCOUNTS[name]
        assert not launcher(instance).is_held(run_id)


@pytest.fixture
def hanging(running: Fleet, instance: dg.DagsterInstance) -> Iterator[str]:
    """A run that LeadPerfection keeps waiting, until the test is over."""
    asked, answers = Event(), Event()

    def hold(path: str, _parameters: dict[str, str]) -> None:
        if path.endswith("GetLead"):
            asked.set()
            answers.wait(60)

    running.chicago.lp.before_request = hold
    run_id = running.launch(instance, HANGS)
    assert asked.wait(120), running.log("west")
    assert launcher(instance).is_held(run_id)
    running.chicago.lp.before_request = None
    yield run_id
    answers.set()


def syncs(running: Fleet, instance: dg.DagsterInstance) -> None:
    """The next sync of that account is good: nothing was left held."""
    run_id = running.launch(instance, HANGS)
    wait_for(instance, run_id, *ENDED)
    assert status(instance, run_id) == Status.SUCCESS, running.log("west")


def test_a_run_whose_process_is_killed_is_ended_and_holds_nothing(
    running: Fleet, instance: dg.DagsterInstance, hanging: str
) -> None:
    """R1: Dagster's monitoring asks every few seconds; within half a minute it learns that the run is dead."""
    (child,) = running.children("west")
    os.kill(child, signal.SIGKILL)
    until(lambda: not launcher(instance).is_held(hanging), "a dead process holds its lock", patience=30)
    started = instance.get_run_by_id(hanging)
    assert started
    found = [launcher(instance).check_run_worker_health(started).status]
    assert found == [WorkerStatus.UNKNOWN]
    until(
        lambda: launcher(instance).check_run_worker_health(started).status == WorkerStatus.FAILED,
        "a dead run is taken for a living one",
        patience=GONE_SECONDS + 20,
    )
    instance.report_run_failed(started)
    syncs(running, instance)


def test_a_run_that_a_person_ends_is_canceled(running: Fleet, instance: dg.DagsterInstance, hanging: str) -> None:
    """A4: at once, as canceled and not as failed; its worker does the next run."""
    assert instance.run_launcher.terminate(hanging)
    assert status(instance, hanging) == Status.CANCELED
    assert not launcher(instance).is_held(hanging)
    syncs(running, instance)


def test_a_run_that_waits_is_taken_out_of_its_queue(running: Fleet, instance: dg.DagsterInstance, hanging: str) -> None:
    """A4: it never starts, even after the one before it has ended."""
    waiting = running.launch(instance, "boston")
    assert instance.run_launcher.terminate(waiting)
    assert status(instance, waiting) == Status.CANCELED
    assert instance.run_launcher.terminate(hanging)
    syncs(running, instance)
    assert status(instance, waiting) == Status.CANCELED


def test_a_restart_of_postgres_ends_no_run(running: Fleet, instance: dg.DagsterInstance, hanging: str) -> None:
    """A4: the worker takes its lock again, before its run is taken for dead."""
    running.database.stop()
    running.database.start()
    until(lambda: launcher(instance).is_held(hanging), "the lock is not taken again", patience=GONE_SECONDS)
    instance.run_launcher.terminate(hanging)


def test_after_a_restart_of_redis_runs_go_on(running: Fleet, instance: dg.DagsterInstance) -> None:
    """A4: the workers connect again by themselves."""
    running.stop_redis()
    running.start_redis()
    syncs(running, instance)


def test_a_folder_of_another_shard_is_not_touched(running: Fleet, instance: dg.DagsterInstance) -> None:
    """A3: an account that was moved in the accounts file alone is refused, naming the shard, and gets no folder."""
    folder = running.folder / "volume" / "boston"
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


def test_a_run_of_no_account_is_refused(running: Fleet, instance: dg.DagsterInstance) -> None:
    """A3: nobody guesses; the message says what to choose."""
    with pytest.raises(Exception, match="lists no account"):
        running.launch(instance, "nowhere")
