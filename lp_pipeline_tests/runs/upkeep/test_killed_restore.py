"""Backups under load, and backups and restores that are killed at any moment (SPEC K2, R1, R5)."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lp_pipeline.errors import PipelineError
from lp_pipeline.runs.upkeep.backup import backup
from lp_pipeline.runs.upkeep.manifest import check, read_manifest
from lp_pipeline.runs.upkeep.restore import restore
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.drills.drill import PEOPLE, Drill
from lp_pipeline_tests.scenario import LIVE, NOON, Scenario, lead, prospect

pytestmark = pytest.mark.slow

COMMAND = (
    "import sys; from pathlib import Path; from lp_pipeline.settings import load_settings\n"
    "from lp_pipeline.runs.upkeep.backup import backup; from lp_pipeline.runs.upkeep.restore import restore\n"
    "settings = load_settings(); print('begun', flush=True)\n"
    "{'backup': backup, 'restore': restore}[sys.argv[1]](settings, Path(sys.argv[2]))"
)


def killed(scenario: Scenario, what: str, folder: Path, after: float) -> bool:
    """Run a backup or restore in a process of its own, and kill it after some seconds; whether it was still running."""
    environ = {**LIVE, "LP_PIPELINE_DATA": str(scenario.folder), "LP_PIPELINE_NOW": NOON.isoformat()}
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, what, str(folder)],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
        alive = process.poll() is None
        process.kill()
        return alive


def taken(scenario: Scenario, what: str, folder: Path) -> float:
    """How many seconds one takes on this machine, from beginning to end."""
    began = time.monotonic()
    assert not killed(scenario, what, folder, 600)
    return time.monotonic() - began


@pytest.fixture
def filled(tmp_path: Path) -> Scenario:
    """A data folder after a sync, with a push that waits."""
    scenario = Scenario(tmp_path / "data")
    scenario.sync(prospect("1", lead("10")), prospect("2"))
    with scenario.outbox.transaction() as connection:
        connection.execute("insert into facts values ('whose', 'the backup')")
    with closing(sqlite3.connect(scenario.outbox.path)) as connection, connection:
        columns = [row[1] for row in connection.execute("pragma table_info(communications)")]
        row = dict.fromkeys(columns) | dict.fromkeys(("targets", "links", "record", "source", "channel"), "")
        row |= {"communication_id": "c1", "landed_at": "2026-03-01", "occurred_at": "2026-03-01"}
        marks = ", ".join("?" for _ in columns)
        connection.execute(f"insert into communications values ({marks})", [row[name] for name in columns])
        connection.execute(
            "insert into communication_pushes (communication_id, target, state, updated_at, first_seen_at) "
            "values ('c1', 'note', 'pending', '2026-03-01', '2026-03-01')"
        )
    scenario.outbox.close()
    return scenario


def test_a_backup_that_is_killed_is_whole_or_not_there(filled: Scenario, tmp_path: Path) -> None:
    """K2, R1: six times, at any moment; the next one with that name leaves nothing of the half ones behind."""
    folder, rng = tmp_path / "backups", random.Random(1)
    folder.mkdir()
    seconds = taken(filled, "backup", folder / "first")
    for number in range(6):
        target = folder / f"{number}"
        killed(filled, "backup", target, rng.uniform(0, seconds))
        if target.exists():
            check(target, read_manifest(target))
        else:
            backup(filled.settings, target)
        assert [path.name for path in folder.iterdir() if path.name.startswith(f".{number}.")] == []


def test_a_restore_that_is_killed_leaves_a_state_that_is_safe(filled: Scenario, tmp_path: Path) -> None:
    """K2, R1, R5: eight times, at any moment. The old ledger is never there without its pushes marked as to be looked
    up, nor an outbox that is older than the warehouse; run again, the restore is completed."""
    target, rng = tmp_path / "backup", random.Random(2)
    backup(filled.settings, target)
    filled.later()
    filled.sync(prospect("3"))
    filled.outbox.keep("whose", "now")
    filled.outbox.close()
    now = tmp_path / "now"
    shutil.copytree(filled.folder, now, symlinks=True)
    seconds = taken(filled, "restore", target)
    seen = set()
    for _ in range(8):
        shutil.rmtree(filled.folder)
        shutil.copytree(now, filled.folder, symlinks=True)
        killed(filled, "restore", target, rng.uniform(0, seconds))
        with closing(sqlite3.connect(filled.outbox.path)) as connection:
            ((whose,),) = connection.execute("select value from facts where name = 'whose'").fetchall()
            ((marks,),) = connection.execute("select count(*) from pushes_to_look_for").fetchall()
        people = len(Scenario(filled.folder).keys())
        seen.add((people, whose, marks))
        restore(filled.settings, target)
        assert len(Scenario(filled.folder).keys()) == 2
    assert seen <= {(3, "now", 0), (2, "now", 0), (2, "the backup", 1)}


@pytest.mark.marathon
def test_backups_made_under_load_push_nothing_twice_once_restored(tmp_path: Path) -> None:
    """K2, R5: while a sync and a push loop run; each of three is put back and pushed to its end, by which there
    is one note and one call log of each message, as if nothing had happened."""
    with account_of(Drill, tmp_path) as drill:
        drill.begin(1.0)
        done, failures = threading.Event(), []
        first_at = datetime.now(UTC) - timedelta(hours=2)

        def say(number: int) -> None:
            said = {"category": "sms", "direction": "inbound", "body": f"Message {number}"}
            at = (first_at + timedelta(seconds=number)).isoformat()
            drill.land({"id": f"c{number}", "external_contact_id": str(number % PEOPLE), "occurred_at": at, **said})

        def work() -> None:
            number = 0
            while not done.is_set():
                try:
                    say(number)
                    drill.sync()
                    drill.push()
                except PipelineError as error:
                    failures.append(str(error))
                number += 1
            last.append(number)

        last: list[int] = []
        loop = threading.Thread(target=work)
        loop.start()
        try:
            for number in range(3):
                time.sleep(2)
                backup(drill.load(), tmp_path / f"backup-{number}")
        finally:
            done.set()
            loop.join()
        assert failures == []
        drill.finish(1.0)
        for number in range(3):
            drill.outbox.close()
            restore(drill.load(), tmp_path / f"backup-{number}")
            for message in range(last[0]):  # whatever the inbox received since then is sent again
                say(message)
            drill.finish(1.0)
            summary, wrong = drill.result(last[0])
            assert wrong == [], f"{summary}: {json.dumps(wrong[:3])}"
