"""A test account, ways to disturb its pushes, and the expected final state of LeadPerfection (C7, R1)."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lp_pipeline.cli.home import prepare_home
from lp_pipeline.communications.note_text import mark
from lp_pipeline.settings import REPOSITORY, Settings, load_settings
from lp_pipeline.storage.locks import PUSH_TURN, Turn
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import lead, prospect

RUNNER = [sys.executable, "-m", "lp_pipeline_tests.drills.runner"]
JOB = [str(Path(sys.executable).parent / "dagster"), "job", "execute", "-m", "lp_pipeline.definitions"]
JOB += ["-j", "push_communications"]
PEOPLE = 30
A_PUSH = 0.015  # seconds, about
TARGETS = ("note", "call_log", "production_note")


class Drill(Account):
    """An account whose clock is this machine's, with all three targets on and doubts that last seconds."""

    def begin(self, doubt_seconds: float) -> None:
        """Let LeadPerfection have people, and read them."""
        self.now = datetime.now(UTC)
        self.environ |= {
            "PUSH_TO_CALL_LOGS": "true",
            "PUSH_TO_PRODUCTION_NOTES": "true",
            "PUSH_DOUBT_SECONDS": str(doubt_seconds),
            "PUSH_SINCE": "2026-01-01T00:00:00Z",
        }
        stamp = self.wall(minutes=5)
        for number in range(PEOPLE):
            lead_record = lead(f"{number}0", lastchangedon=stamp, jobs=[{"id": f"7{number:03}"}])
            person = prospect(str(number), lead_record, lastchanged=stamp, phone1=f"(518)555-01{number:02}")
            self.lp.put({**person, "notes": [], "calls": []})
        self.sync()
        self.publish()

    def load(self) -> Settings:
        """The settings with the real clock."""
        return load_settings(self.environ)

    def say(self, first: int, last: int) -> None:
        """Land this many communications, several per contact within one second."""
        moment = datetime.now(UTC) - timedelta(hours=2)
        self.land(
            *(
                {
                    "id": f"c{number}",
                    "external_contact_id": str(number % PEOPLE),
                    "category": ("sms", "email", "call")[number % 3],
                    "direction": "inbound",
                    "body": f"Message {number}, not [hatch:c{number + 1}]",
                    "occurred_at": (moment + timedelta(seconds=number // (2 * PEOPLE))).isoformat(),
                }
                for number in range(first, last)
            )
        )

    def open_pushes(self) -> int:
        """How many are not at their end."""
        return sum(row[0] in ("pending", "sending") for row in self.pushes("state", "communication_id", "target"))

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        """A push as a process."""
        home = self.folder.parent / "dagster"
        home.mkdir(exist_ok=True)
        ours = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_", "DAGSTER_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        if command is JOB:
            (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
            prepare_home(home)
        return subprocess.Popen(
            command,
            env={**inherited, **self.environ, "DAGSTER_HOME": str(home)},
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def kill_one(self, rng: random.Random, pushes: float, command: list[str] = RUNNER) -> bool:
        """Start a push and kill it after about `pushes` pushes; returns whether it was still alive."""
        process = self.start(command)
        if command is RUNNER:
            assert process.stdout
            process.stdout.readline()
        else:
            turn = Turn(self.folder, PUSH_TURN)
            while not turn.is_taken() and process.poll() is None:
                time.sleep(0.01)
        time.sleep(rng.uniform(0, 2 * pushes * A_PUSH))
        alive = process.poll() is None
        process.kill()
        process.communicate()
        return alive

    def finish(self, doubt_seconds: float) -> None:
        """Push until nothing is open any more; raises `AssertionError` if that never comes."""
        for _ in range(30):
            self.push()
            if not self.open_pushes():
                return
            time.sleep(doubt_seconds / 2)
        raise AssertionError(f"{self.open_pushes()} pushes never come to an end")

    def result(self, expected: int) -> tuple[str, list[str]]:
        """A one-line summary of LeadPerfection's content, and what is wrong with it."""
        states = Counter((target, state) for target, state, _ in self.pushes("target", "state", "communication_id"))
        notes = Counter(_marked(text) for _, text in self.lp.all_notes())
        job_notes = Counter(_marked(text) for _, text in self.lp.all_job_notes())
        calls = Counter((cst_id, call["calldatetime"].replace("T", " ")) for cst_id, call in self.lp.all_call_logs())
        logged = {
            identity: (contact, date)
            for identity, target, contact, date in self.pushes(
                "communication_id", "target", "external_contact_id", "call_date"
            )
            if target == "call_log"
        }
        held = {
            identity
            for identity, target, state in self.pushes("communication_id", "target", "state")
            if (target, state) == ("production_note", "uncertain")
        }
        wrong = []
        for number in range(expected):
            identity = f"c{number}"
            found = (notes[mark(identity)], calls[logged[identity]], job_notes[mark(identity)])
            if found[:2] != (1, 1) or found[2] > 1 or (found[2] == 0 and identity not in held):
                wrong.append(f"{identity}: notes, call logs, production notes in LeadPerfection: {found}")
        if (notes.total(), calls.total()) != (expected, expected):
            wrong.append(f"{notes.total()} notes and {calls.total()} call logs instead of {expected}")
        wrong += [
            f"{number} of {target} ended as {state}"
            for (target, state), number in states.items()
            if state != "sent" and (target, state) != ("production_note", "uncertain")
        ]
        summary = f"{expected} communications: {notes.total()} notes, {calls.total()} call logs, "
        summary += f"{job_notes.total()} production notes ({len(held)} held as uncertain)"
        return f"{summary}; {len(wrong)} lost or doubled", wrong


def _marked(text: str) -> str:
    return "[" + text.partition("\n")[0].rpartition("[")[2]
