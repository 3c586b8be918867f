"""When a push starts by itself (SPEC C3), and the job as Dagster runs it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.runs.schema import RunsTable

from lp_pipeline.insight.report.write import is_current
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.sensors import push_sensor
from lp_pipeline.storage.locks import PUSH_TURN, Turn
from lp_pipeline_tests.account import PACE, failures
from lp_pipeline_tests.communications.talk import ALL, Talk

HOLD = (
    "import sys, pathlib; from lp_pipeline.storage.locks import PUSH_TURN, Turn\n"
    "with Turn(pathlib.Path(sys.argv[1]), PUSH_TURN):\n    print('held', flush=True); sys.stdin.read()"
)
HOLD_DUCKDB = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def tick(talk: Talk, instance: dg.DagsterInstance | None) -> dg.RunRequest | dg.SkipReason:
    found = push_sensor(talk.load)(dg.build_sensor_context(instance=instance))
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found


def starts(talk: Talk, instance: dg.DagsterInstance) -> bool:
    return isinstance(tick(talk, instance), dg.RunRequest)


@contextmanager
def another_process(program: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def job(
    talk: Talk, instance: dg.DagsterInstance, *, publish: bool = False, **config: object
) -> dg.ExecuteInProcessResult:
    found = build_definitions(talk.load, pace=PACE).resolve_job_def("push_communications")
    ops = {"push": {"config": config}, "publish_pushes": {"config": {"wait": publish}}}
    return found.execute_in_process(instance=instance, raise_on_error=False, run_config={"ops": ops})


def test_it_starts_push_when_communications_arrive(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3: once; then there is nothing to do until something new lands."""
    assert not starts(talk, instance)  # without an outbox, and without making one
    assert not talk.outbox.path.exists()
    talk.text("c1")
    request = tick(talk, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key is None  # a run key is remembered for ever, failed runs included
    talk.push(due_only=True)
    assert not starts(talk, instance)
    talk.text("c2")
    assert starts(talk, instance)


def test_it_starts_when_a_retry_is_due(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3, C8: and not before."""
    talk.text("c1")
    talk.lp.fault("string", path="AddNotes", message="Not now.")
    talk.push(due_only=True)
    assert not starts(talk, instance)
    talk.later(minutes=2)
    assert starts(talk, instance)


def test_it_starts_when_a_doubt_is_over(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3, C7: also if the target has been switched off, and then it comes to rest."""
    talk.text("c1")
    talk.lp.fault("lost", path="AddNotes")
    talk.push(due_only=True)
    talk.environ["PUSH_COMMUNICATIONS"] = "false"
    talk.later(minutes=4)
    assert not starts(talk, instance)
    talk.over()
    assert starts(talk, instance)
    talk.push(due_only=True)
    assert not starts(talk, instance)


@pytest.mark.parametrize("environ", [{}, ALL, {"PUSH_COMMUNICATIONS": "false"}, {**ALL, "LP_CALL_TYPE": ""}])
def test_every_tick_brings_it_nearer_to_rest(talk: Talk, instance: dg.DagsterInstance, environ: dict[str, str]) -> None:
    """C3: whatever the switches and whatever goes wrong, a push that changes nothing is not started over and over."""
    talk.environ |= environ
    for number in range(7):
        talk.text(f"c{number}", str(number % 4), minutes=10 + number)
    talk.lp.fault("lost", path="/api/", times=2)
    talk.lp.fault("string", path="AddNotes", message="No.", times=3)
    started = 0
    for _ in range(6):  # two minutes with a tick every 20 seconds
        if starts(talk, instance):
            started += 1
            talk.push(due_only=True)
        talk.later(seconds=20)
    assert started <= 2


def test_not_while_a_push_is_at_work(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3, R1: by the operating system's lock, which ends with its process."""
    talk.text("c1")
    with another_process(HOLD, talk.folder) as process:
        assert not starts(talk, instance)
        process.kill()
        process.wait()
        assert starts(talk, instance)
    with Turn(talk.folder, PUSH_TURN):
        assert not starts(talk, instance)
    assert starts(talk, instance)


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING"])
def test_not_while_another_one_is_about_to_start(talk: Talk, instance: dg.DagsterInstance, status: str) -> None:
    """C3."""
    talk.text("c1")
    found = build_definitions(talk.load).resolve_job_def("push_communications")
    instance.create_run_for_job(found, status=dg.DagsterRunStatus[status])
    assert not starts(talk, instance)


def test_a_run_whose_process_is_gone_blocks_nothing(talk: Talk, instance: dg.DagsterInstance) -> None:
    """R1: killed while it worked, or before it began, which Dagster's monitoring is slow to see; nor once it has."""
    talk.text("c1")
    found = build_definitions(talk.load).resolve_job_def("push_communications")
    instance.create_run_for_job(found, status=dg.DagsterRunStatus.STARTED)
    assert starts(talk, instance)
    run = instance.create_run_for_job(found, status=dg.DagsterRunStatus.NOT_STARTED)
    assert not starts(talk, instance)
    long_ago = datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=5)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        aged = RunsTable.update().where(RunsTable.c.run_id == run.run_id).values(update_timestamp=long_ago)
        connection.execute(aged)
    assert starts(talk, instance)
    instance.report_run_failed(run)
    assert starts(talk, instance)


def test_it_pauses_after_a_refused_sign_in(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3, R3: 15 minutes, whatever lands meanwhile; one that a person starts does not wait, and ends the pause."""
    talk.text("c1")
    talk.lp.switch(refuse_sign_in=True)
    talk.push(due_only=True)
    talk.text("c2")
    talk.later(minutes=14)
    assert not starts(talk, instance)
    talk.later(minutes=2)
    assert starts(talk, instance)
    talk.push(due_only=True)
    talk.lp.switch(refuse_sign_in=False)
    talk.push()
    talk.text("c3")
    assert starts(talk, instance)


def test_it_pauses_after_a_run_that_failed(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3: for whatever reason; 5 minutes of this machine's clock."""
    talk.text("c1")
    (talk.folder / "published.duckdb").unlink()
    (talk.folder / "published.duckdb").write_bytes(b"not a database" * 1000)
    assert not job(talk, instance).success
    talk.text("c2")
    assert not starts(talk, instance)


def test_one_target_that_is_stopped_pauses_alone(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C8, C3: call logs without their settings fail the run once; what lands meanwhile goes to the notes at once."""
    talk.environ |= {"PUSH_TO_CALL_LOGS": "true", "LP_CALL_TYPE": ""}
    talk.text("c1")
    assert not job(talk, instance, only_due=True).success
    assert not starts(talk, instance)
    talk.text("c2")
    assert starts(talk, instance)
    assert job(talk, instance, only_due=True).success
    assert talk.states() == {"c1": "sent", "c2": "sent"}


def test_it_never_opens_the_warehouse(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3: neither file of it; a sync that has it locked is no matter."""
    talk.text("c1")
    with another_process(HOLD_DUCKDB, talk.folder / "work.duckdb"), Turn(talk.folder):
        (talk.folder / "published.duckdb").write_bytes(b"nothing to see here")
        assert starts(talk, instance)


def test_a_tick_with_nothing_to_do_opens_nothing_of_dagster(talk: Talk) -> None:
    """That takes 0.1 CPU s, and nearly all ticks have nothing to do; this context has no instance to open."""
    assert "nothing new" in str(tick(talk, None))


def test_settings_that_are_missing_skip_the_tick_with_their_name(talk: Talk, instance: dg.DagsterInstance) -> None:
    """C3: a tick never fails."""
    talk.text("c1")
    del talk.environ["LP_APP_KEY"]
    skipped = tick(talk, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "LP_APP_KEY" in str(skipped.skip_message)


def test_losing_dagsters_state_sends_nothing_again(talk: Talk) -> None:
    """Done 3: each of three instances has forgotten the others."""
    talk.text("c1")
    for _ in range(3):
        with dg.DagsterInstance.ephemeral() as instance:
            starts(talk, instance)
            assert job(talk, instance).success
    assert len(talk.lp.all_notes()) == 1


def test_it_runs_from_the_start_every_few_seconds() -> None:
    """C3: running unless somebody stops it."""
    sensor = build_definitions().get_repository_def().get_sensor_def("push_when_communications_arrive")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 20


def test_the_job_pushes_and_publishes(talk: Talk, instance: dg.DagsterInstance) -> None:
    """Q1, E8: what became of pushes is published and reported at once; overrides in the launchpad hold for one run."""
    talk.text("c1")
    result = job(talk, instance, publish=True, push_to_call_logs=True)
    assert result.success
    query = "select target, state from communication_pushes where communication_id = 'c1' order by 1"
    assert talk.published(query) == [("call_log", "sent"), ("note", "sent"), ("production_note", "skipped")]
    assert is_current(talk.load())
    (event,) = result.asset_materializations_for_node("push")
    assert event.asset_key == dg.AssetKey("leadperfection_notes")
    shown = {name: value.value for name, value in event.metadata.items()}
    assert (shown["sent"], shown["note: sent"], shown["dagster/row_count"]) == (2, 1, 3)


def test_the_launchpads_dry_run_is_a_file_for_its_owner(talk: Talk, instance: dg.DagsterInstance) -> None:
    """R4: word for word in dry_run.txt (0600); nothing personal in metadata or logs; nothing written elsewhere."""
    secret = "My number is 518-555-0188"
    talk.text("c1", body=secret)
    path = talk.folder / "dry_run.txt"
    path.touch(mode=0o644)
    published = (talk.folder / "published.duckdb").stat().st_mtime_ns
    result = job(talk, instance, publish=True, dry_run=True)
    assert result.success
    assert result.asset_materializations_for_node("push") == []
    assert secret in path.read_text()
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    logged = json.dumps([str(event) for event in result.all_events]) + str(instance.all_logs(result.run_id))
    assert secret not in logged
    assert (talk.folder / "published.duckdb").stat().st_mtime_ns == published
    assert talk.lp.requests == []
    assert talk.pushes() == []


def test_what_stops_a_push_fails_the_run_in_safe_words(talk: Talk, instance: dg.DagsterInstance) -> None:
    """R3, R4: one message that says what to do; neither LP's words nor the communication's."""
    talk.environ |= ALL
    talk.text("c1", body="SECRET BODY", phone="5185550177")
    talk.lp.switch(permissions=["GetLead", "AddNotes"])
    result = job(talk, instance, publish=True)
    (message,) = failures(result)
    assert "AddCallHistory" in message
    logged = str([str(event) for event in result.all_events]) + str(instance.all_logs(result.run_id))
    assert not any(secret in logged for secret in ("SECRET BODY", "5185550177", "What c1 says"))
    assert talk.published("select state from communication_pushes where target = 'note'") == [("sent",)]
