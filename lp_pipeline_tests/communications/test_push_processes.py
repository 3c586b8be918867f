"""Pushes as processes: killed, started at once, beside a sync and a busy inbox (SPEC R1, R2, C2, C7)."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lp_pipeline.storage.outbox import Outbox
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.communications.inbox_process import HEADERS, inbox
from lp_pipeline_tests.communications.talk import ALL, LONG_AGO, Talk
from lp_pipeline_tests.drills.drill import RUNNER, Drill
from lp_pipeline_tests.endtoend.test_processes import SYNC, finish, start
from lp_pipeline_tests.scenario import PATIENCE, lead, prospect

PUSH = [*SYNC[:-1], "push_communications", "--config"]
DOUBT = 1.0


@pytest.mark.slow
def test_pushes_that_are_killed_while_answers_get_lost(tmp_path: Path) -> None:
    """C7, R1: a small drill; the large one is `make drills`. Every communication is in LP exactly once."""
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    with account_of(Drill, tmp_path, lossy=20, lossy_seed=seed, lossy_late_seconds=0.3) as drill:
        drill.begin(DOUBT)
        drill.say(0, 60)
        for left in range(5, 0, -1):
            drill.kill_one(rng, 25 if left == 5 else drill.open_pushes() / (left + 1), RUNNER)
        drill.finish(DOUBT)
        result, wrong = drill.result(60)
    assert not wrong, f"seed {seed}: {result} {wrong}"


@pytest.mark.slow
def test_two_pushes_and_a_sync_at_once(talk: Talk) -> None:
    """Done 4, R2: as Dagster runs them: each ends well, nothing is doubled."""
    talk.environ |= ALL
    stamp = talk.wall(minutes=5)
    for number in range(1, 6):
        person = prospect(str(number), lead(f"{number}0", lastchangedon=stamp, jobs=[{"id": f"7{number}"}]))
        talk.lp.put({**person, "lastchanged": stamp, "phone1": f"(518)555-010{number}", "calls": [], "notes": []})
    talk.sync()
    talk.publish()
    for number in range(40):
        talk.text(f"c{number}", str(1 + number % 5), minutes=number)
    talk.later()
    config = talk.folder.parent / "push.yaml"
    config.write_text("ops: {publish_pushes: {config: {wait: false}}}\n")  # it would wait for the sync's minute
    push = [*PUSH, str(config)]
    processes = [start(talk, command, PUSH_SINCE=LONG_AGO) for command in (push, SYNC, push)]
    results = [finish(process) for process in processes]
    assert [code for code, _ in results] == [0, 0, 0], results
    assert not any("locked" in output for _, output in results)
    assert len(talk.lp.all_notes()) == len(talk.lp.all_call_logs()) == len(talk.lp.all_job_notes()) == 40
    assert {row[0] for row in talk.pushes("state", "communication_id", "target")} == {"sent"}


@pytest.mark.slow
def test_the_inbox_takes_200_requests_a_second_while_a_push_and_a_sync_run(talk: Talk) -> None:
    """Done 4, C2: for a few seconds; nothing lost, nothing doubled, no lock error."""
    seconds, rate = 2, 200
    with (
        inbox(talk) as served,
        httpx.Client(headers=HEADERS, timeout=PATIENCE) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        began = time.monotonic()

        def send(number: int) -> int:
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            return client.post(served.address, json=talk.said(f"c{number}", "123"[number % 3])).status_code

        answers = [pool.submit(send, number) for number in range(seconds * rate)]
        while not all(answer.done() for answer in answers):
            report = talk.push()
            assert (report.errors, report.of("refused"), report.of("in doubt")) == ([], 0, 0)
            talk.read()
            talk.merge()
        assert {answer.result() for answer in answers} == {202}
    talk.push()
    assert len(talk.lp.all_notes()) == len(set(talk.lp.all_notes())) == seconds * rate
    assert set(talk.states().values()) == {"sent"}


@pytest.mark.slow
def test_many_processes_may_be_the_first_to_open_the_outbox(tmp_path: Path) -> None:
    """R2: none fails with a lock error while the file is made."""

    def first(_number: int) -> None:
        with Outbox(folder) as outbox:
            outbox.keep("a", "b")

    for attempt in range(10):
        folder = tmp_path / str(attempt)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(first, range(8)))


@pytest.mark.slow
def test_our_own_notes_cause_no_storm(talk: Talk) -> None:
    """Done 8, F1: an LP whose lastchanged moves with each note: one more round of deliveries, then all is at rest."""
    talk.with_hatch()
    talk.environ |= ALL
    talk.lp.switch(write_moves_lastchanged=True)
    stamp = talk.wall(minutes=5)
    for number in "123":
        talk.lp.put({**talk.lp.get(number), "lastchanged": stamp})
    counts = []
    for turn in range(5):
        if turn == 1:
            talk.land(*(talk.said(f"c{contact}", contact, minutes=0) for contact in "123"))
        talk.sync()
        talk.deliver()
        talk.publish()
        pushed = talk.push().of("sent")
        opportunities = talk.ask("select count(*) from opportunities")[0][0]
        counts.append((opportunities, len(talk.lp.hatch_writes()), pushed))
        talk.later()
    assert [each[0] for each in counts] == [3] * 5
    assert [each[2] for each in counts] == [0, 9, 0, 0, 0]
    writes = [each[1] for each in counts]
    assert writes[0] == 3
    assert writes[2] <= 6
    assert writes[3:] == [writes[2]] * 2
