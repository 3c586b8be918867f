"""`make drills`: kills and lost answers, by the hundred, against a LeadPerfection that lives on; killed backfills and
sweeps; `dagster dev`, killed and started again; clients that can't leave the published file alone; and a fleet of
accounts of which some are wrong."""

import argparse
import logging
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.drills.clients import meddled
from lp_pipeline_tests.drills.daemon import killed_and_started_again
from lp_pipeline_tests.drills.drill import JOB, RUNNER, Drill
from lp_pipeline_tests.drills.fleet import isolated
from lp_pipeline_tests.drills.killed_past import backfills, sweeps

DRILLS = ("kills", "losses", "backfills", "sweeps", "daemon", "clients", "fleet")
DOUBT = 3.0  # seconds; a late commit comes after 1


def kills(folder: Path, rng: random.Random, count: int, jobs: int, communications: int) -> tuple[str, list[str]]:
    """Kill pushes at random moments until `count` of them were killed mid-run; some of them under Dagster."""
    with account_of(Drill, folder, lossy_late_seconds=1) as drill:
        drill.begin(DOUBT)
        drill.say(0, communications)
        done = starts = 0
        while done < count:
            starts += 1
            as_job = done % max(1, count // jobs) == 0 if jobs else False
            open_ = 3 * communications if starts == 1 else drill.open_pushes()
            pushes = max(1.0, 0.8 * open_ / (count - done))
            done += drill.kill_one(rng, pushes, JOB if as_job else RUNNER)
        left = drill.open_pushes()
        drill.finish(DOUBT)
        summary, wrong = drill.result(communications)
        return f"{done} SIGKILLs mid-run (of {starts} pushes; {left} were open at the end). {summary}", wrong


def losses(folder: Path, rng: random.Random, runs: int, communications: int, one_in: int = 20) -> tuple[str, list[str]]:
    """Push in `runs` runs while one in N writes is lost, cut off before, or committed late."""
    with account_of(Drill, folder, lossy_late_seconds=1, lossy=one_in, lossy_seed=rng.randrange(10**6)) as drill:
        drill.begin(DOUBT)
        doubts = 0
        for number in range(runs):
            drill.say(communications * number // runs, communications * (number + 1) // runs)
            doubts += drill.push().of("in doubt")
        drill.finish(DOUBT)
        summary, wrong = drill.result(communications)
        return f"{runs} runs, one answer in {one_in} lost. {summary}", wrong


def report(text: str) -> None:
    """Print a progress line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """All drills, or those named; 0 if nothing was lost, duplicated or left unfinished."""
    parser = argparse.ArgumentParser(prog="make drills", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--kills", type=int, default=110)
    parser.add_argument("--jobs", type=int, default=10, help="how many of the killed are whole Dagster jobs")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--communications", type=int, default=300)
    parser.add_argument("--prospects", type=int, default=20_000, help="of the world that backfills and sweeps read")
    parser.add_argument("--piece-hours", type=int, default=720, help="of a backfill")
    parser.add_argument("--accounts", type=int, default=20, help="of a fleet")
    parser.add_argument("--cadence", type=int, default=5, help="minutes between two syncs of each of them")
    parser.add_argument("--only", nargs="*", choices=DRILLS, help="these drills alone")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what was started here is ended
    logging.getLogger().setLevel(logging.ERROR)  # Dagster warns of each connection to a server that is restarted
    rng = random.Random(given.seed)
    report(f"seed {given.seed}")
    failed = False
    for name in given.only or DRILLS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            if name == "kills":
                summary, wrong = kills(Path(folder), rng, given.kills, given.jobs, given.communications)
            elif name == "backfills":
                summary, wrong = backfills(Path(folder), rng, 5, given.prospects, given.piece_hours)
            elif name == "sweeps":
                summary, wrong = sweeps(Path(folder), rng, 5, given.prospects)
            elif name == "clients":
                summary, wrong = meddled(Path(folder))
            elif name == "fleet":
                summary, wrong = isolated(Path(folder), rng, given.accounts, given.cadence)
            elif name == "daemon":
                summary, wrong = killed_and_started_again(Path(folder), rng)
            else:
                summary, wrong = losses(Path(folder), rng, given.runs, given.communications)
        report("\n  ".join([f"{name}: {summary} [{time.monotonic() - began:.0f} s]", *wrong[:20]]))
        failed = failed or bool(wrong)
    report(f"{'FAILED' if failed else 'passed'} (seed {given.seed})")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
