"""Backfills that are killed: in the end everything is as after one that was left alone (SPEC W2, R1)."""

import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import NOON

RUNNER = [sys.executable, "-m", "lp_pipeline_tests.drills.past_runner"]
YEARS = timedelta(days=735)
J3 = (
    "external_contact_id, external_id, external_created_at, external_updated_at, external_updated_at_source, email, "
    "first_name, last_name, phone, status, combination"
)


def backfills(
    folder: Path, rng: random.Random, kills: int, population: int, piece_hours: int = 24
) -> tuple[str, list[str]]:
    """One backfill undisturbed, one killed so many times, of the same world at rest."""
    lp = Sandbox(folder / "lp", clock=lambda: NOON, population=population)
    (folder / "lp").mkdir()
    lp.switch(events=False)
    with lp.serve() as address:
        environ = {"LP_PIECE_HOURS": str(piece_hours), "LP_PAGE_SIZE": "200", "LP_RATE_PER_MINUTE": "60000"}
        left_alone, killed = (Account(folder / name, address, lp) for name in ("left_alone", "killed"))
        for account in (left_alone, killed):
            account.environ |= environ
        try:
            _finish(left_alone)
            calls = len(lp.requests)
            for number in range(kills):
                _kill(killed, rng.uniform(0.1, 1.0) * calls / (kills + 1), number)
            _finish(killed)
            return _compared(left_alone, killed, kills)
        finally:
            for account in (left_alone, killed):
                account.outbox.close()


def _start(account: Account) -> subprocess.Popen[bytes]:
    ours = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environ |= {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat()}
    days = [f"{(NOON - YEARS).date()}", f"{NOON.date()}"]
    return subprocess.Popen([*RUNNER, *days], env=environ, cwd=REPOSITORY)


def _finish(account: Account) -> None:
    code = _start(account).wait()
    assert code == 0, f"a backfill ended with {code}"


def _kill(account: Account, calls: float, number: int) -> None:
    """Start a backfill and kill it after about so many calls."""
    until = len(account.lp.requests) + 3 + calls
    process = _start(account)
    while len(account.lp.requests) < until and process.poll() is None:
        time.sleep(0.005)
    assert process.poll() is None, f"backfill {number} was over before it was to be killed"
    process.kill()
    process.wait()


def _compared(left_alone: Account, killed: Account, kills: int) -> tuple[str, list[str]]:
    rows: list[list[tuple[Any, ...]]] = [
        each.ask(f"select {J3} from opportunities order by all") for each in (left_alone, killed)
    ]
    one, other = map(set, rows)
    wrong = [f"only if left alone: {row[:2]}" for row in one - other]
    wrong += [f"only if killed: {row[:2]}" for row in other - one]
    if not rows[0] or len(rows[0]) != len(rows[1]):
        wrong.append(f"{len(rows[0])} and {len(rows[1])} opportunities")
    twice = killed.ask(
        "select feed from sync_runs where outcome in ('read', 'empty') group by feed, window_from, window_to "
        "having count(*) > 1"
    )
    if len(twice) > 2 * kills:
        wrong.append(f"{len(twice)} pieces were read twice after {kills} kills")
    told = f"{kills} SIGKILLs, {len(rows[1])} opportunities, {len(twice)} pieces read twice"
    return f"{told}; {len(wrong)} differences from an undisturbed one", wrong
