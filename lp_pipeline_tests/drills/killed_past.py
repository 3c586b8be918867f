"""Backfills and sweeps that are killed: in the end everything is as after one that was left alone (SPEC W2, S1, R1).

Two accounts read the same LeadPerfection, which is at rest; one of them is killed at random moments.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import NOON, Record

RUNNER = [sys.executable, "-m", "lp_pipeline_tests.drills.past_runner"]
YEARS = timedelta(days=735)
DAYS = (f"{(NOON - YEARS).date()}", f"{NOON.date()}")
EDITED = 5  # one prospect in so many is edited without a stamp, for sweeps to find
J3 = (
    "external_contact_id, external_id, external_created_at, external_updated_at, external_updated_at_source, email, "
    "first_name, last_name, phone, status, combination"
)
COMPARED = {  # whatever a kill must not change
    "opportunities": f"select {J3} from opportunities",
    "changes": "select external_contact_id, external_id, external_created_local, column_name, old_value, new_value "
    "from opportunity_changes",
    "unannounced changes": "select external_contact_id, external_id, field from unannounced_changes",
    "rejected records": "select external_contact_id, external_id, missing::varchar from rejected_records",
    "unmerged readings": "select reading_no from pipeline.unmerged",
}
TWICE = (
    "select feed from sync_runs where outcome in ('read', 'empty') group by feed, window_from, window_to, kind "
    "having count(*) > 1"
)


def backfills(
    folder: Path, rng: random.Random, kills: int, population: int, piece_hours: int = 24
) -> tuple[str, list[str]]:
    """One backfill undisturbed, one killed so many times."""
    with _accounts(folder, population, piece_hours) as (left_alone, killed):
        _disturb(left_alone, killed, rng, kills, "backfill", *DAYS)
        told, wrong = _compared(left_alone, killed, kills)
        twice = len(killed.ask(TWICE))
        if twice > 2 * kills:
            wrong.append(f"{twice} pieces were read twice after {kills} kills")
        return f"{told}, {twice} pieces read twice", wrong


def sweeps(folder: Path, rng: random.Random, kills: int, population: int) -> tuple[str, list[str]]:
    """One sweep of all history undisturbed, one killed so many times; it finds edits that LeadPerfection did not
    announce."""
    with _accounts(folder, population, 24 * 366) as (left_alone, killed):
        _finish(left_alone, "backfill", *DAYS)
        shutil.copytree(left_alone.folder, killed.folder, symlinks=True, dirs_exist_ok=True)
        for account in (left_alone, killed):
            account.environ |= {"LP_SWEEP_CALLS": "1000000", "LP_SWEEP_ROUND_DAYS": "1"}
            account.later(days=1)
        edited = _edit(left_alone.lp)
        _disturb(left_alone, killed, rng, kills, "sweep")
        told, wrong = _compared(left_alone, killed, kills)
        found = len(killed.ask("select distinct external_contact_id from unannounced_changes"))
        if not found:
            wrong.append(f"of {edited} edits without a stamp none was found")
        return f"{told}, {found} prospects found of {edited} that were edited without a stamp", wrong


@contextmanager
def _accounts(folder: Path, population: int, piece_hours: int) -> Iterator[tuple[Account, Account]]:
    lp = Sandbox(folder / "lp", clock=lambda: NOON, population=population)
    (folder / "lp").mkdir()
    lp.switch(events=False)
    with lp.serve() as address:
        left_alone, killed = (Account(folder / name, address, lp) for name in ("left_alone", "killed"))
        environ = {"LP_PIECE_HOURS": str(piece_hours), "LP_PAGE_SIZE": "200", "LP_RATE_PER_MINUTE": "60000"}
        for account in (left_alone, killed):
            account.environ |= environ
        try:
            yield left_alone, killed
        finally:
            for account in (left_alone, killed):
                account.outbox.close()


def _edit(lp: Sandbox) -> int:
    """Edit one prospect in so many as LeadPerfection lets people do it: no stamp moves."""

    def change(record: Record) -> None:
        record["city"] = "Troy Hill"
        for lead in record.get("leads") or []:
            lead["disposition"] = "Sold twice"

    with lp.open() as world:
        everybody = [cst_id for (cst_id,) in world.select("select cst_id from prospects order by number")]
    edited = everybody[::EDITED]
    for cst_id in edited:
        lp.edit(cst_id, change, stamp=False)
    return len(edited)


def _disturb(left_alone: Account, killed: Account, rng: random.Random, kills: int, *job: str) -> None:
    lp = left_alone.lp
    before = len(lp.requests)
    _finish(left_alone, *job)
    calls = len(lp.requests) - before
    for number in range(kills):
        _kill(killed, rng.uniform(0.1, 1.0) * calls / (kills + 1), number, *job)
    _finish(killed, *job)


def _start(account: Account, *job: str) -> subprocess.Popen[bytes]:
    ours = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environ |= {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat()}
    return subprocess.Popen([*RUNNER, *job], env=environ, cwd=REPOSITORY)


def _finish(account: Account, *job: str) -> None:
    code = _start(account, *job).wait()
    assert code == 0, f"{job} ended with {code}"


def _kill(account: Account, calls: float, number: int, *job: str) -> None:
    """Start a job and kill it after about so many calls."""
    until = len(account.lp.requests) + 3 + calls
    process = _start(account, *job)
    while len(account.lp.requests) < until and process.poll() is None:
        time.sleep(0.005)
    assert process.poll() is None, f"{job} {number} was over before it was to be killed"
    process.kill()
    process.wait()


def _compared(left_alone: Account, killed: Account, kills: int) -> tuple[str, list[str]]:
    wrong: list[str] = []
    counts: dict[str, int] = {}
    for what, query in COMPARED.items():
        one, other = ([*map(tuple, each.ask(f"{query} order by all"))] for each in (left_alone, killed))
        wrong += [f"{what}, only if left alone: {_short(row)}" for row in sorted(_set(one) - _set(other))]
        wrong += [f"{what}, only if killed: {_short(row)}" for row in sorted(_set(other) - _set(one))]
        if len(one) != len(other):
            wrong.append(f"{len(one)} and {len(other)} {what}")
        counts[what] = len(other)
    if not counts["opportunities"] or counts["unmerged readings"]:
        wrong.append(f"{counts}")
    told = ", ".join(f"{number} {what}" for what, number in counts.items())
    return f"{kills} SIGKILLs, {told}; {len(wrong)} differences from an undisturbed one", wrong


def _set(rows: list[tuple[Any, ...]]) -> set[str]:
    return {repr(row) for row in rows}


def _short(row: str) -> str:
    return row[:120]
