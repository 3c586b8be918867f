"""A machine that is left alone for a year (SPEC K1): its clock is moved on from tick to tick, LeadPerfection changes
and fails now and then, messages come, housekeeping runs every night. `make year`: what is measured, and what is wrong.
"""

import argparse
import gc
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from lp_pipeline.insight.alert_state import alerts_file
from lp_pipeline.insight.alerts import after_run
from lp_pipeline.insight.report.write import refresh_report
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.orchestration.housekeeping import tidy
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.journal import Ending, Kind, recorded
from lp_pipeline.runs.reports import unread_feeds
from lp_pipeline.runs.steps import deliver_due, publish_changes, push_open, read_feed
from lp_pipeline.runs.upkeep.compaction import SMALL
from lp_pipeline.runs.upkeep.tidied import size
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.transform.merge import merge, stage
from lp_pipeline_tests.account import PACE, Account, account
from lp_pipeline_tests.insight.listener import Listener, listening
from lp_pipeline_tests.runs.past import person

PEOPLE = 40
DAYS, MONTHS = 365.0, 12
FAULTS = ("500", "string")  # of LeadPerfection
HOURS = 8  # ticks, 15 minutes apart as those of the schedule; then the clock jumps
TICK = timedelta(minutes=15)
A_CHANGE, A_MESSAGE = 10, 15  # ticks
A_MOMENT = timedelta(minutes=2)  # from a sync to its push, so that neither waits for the other's publication
QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
ONLY_DUE: dict[str, Any] = {"ops": {"push": {"config": {"only_due": True}}}}
ALLOWED = 2.0  # times what something was after the first quarter
MEMORY_ALLOWED = 1.25
AS_GOOD_AS_NOTHING = {"files": 50, "memory": 0}  # of others, as many bytes as a file that is never made compact


def ignore(_: str) -> None:
    """What a run says on its way."""


@dataclass(frozen=True)
class Measured:
    """What there is at the end of a simulated month: bytes, but for the number of files in DAGSTER_HOME."""

    home: int
    files: int
    work: int
    outbox: int
    published: int
    others: int  # of the data folder
    memory: int


class Year:
    """An account and Dagster's instance on disk, whose clock goes where this says."""

    def __init__(
        self, account: Account, instance: dg.DagsterInstance, listener: Listener, ticks: int, days: float, seed: int
    ) -> None:
        self.account, self.instance, self.listener, self.ticks = account, instance, listener, ticks
        self.jump = timedelta(days=days) / (ticks / HOURS) - TICK * (HOURS - 1)
        self.measured: list[Measured] = []
        self.failed = 0
        self._rng = random.Random(seed)
        self._definitions = build_definitions(account.load, pace=PACE)

    def live(
        self,
        *,
        job_every: int,
        process_every: int,
        months: int,
        fault_every: int = 25,
        report: Callable[[str], object] = ignore,
    ) -> None:
        """All ticks, one after the other; faults end in time for the last ones to be good. One tick in `job_every`
        runs as Dagster's jobs, the others as the same steps without Dagster; one in `process_every` is the command."""
        for number in range(PEOPLE):
            self.account.lp.put({**person(self.account, str(number)), "notes": [], "calls": []})
        tidied_at, began, process_time = self.account.now, time.monotonic(), time.process_time()
        for tick in range(self.ticks):
            if tick:
                self.account.now += (TICK if tick % HOURS else self.jump) - A_MOMENT
            self._world(tick, fault_every)
            as_job = tick % job_every == 0
            if tick % process_every == process_every - 1:
                self.failed += not self._command("sync")
            else:
                self.failed += not (self.run("sync") if as_job else self._sync())
            self.account.now += A_MOMENT
            if as_job:
                self.run("push_communications", ONLY_DUE)
            else:
                self._push()
            if self.account.now - tidied_at >= timedelta(days=1):
                tidied_at = self.account.now
                self._tidy(as_job=as_job)
            if (tick + 1) * months // self.ticks > len(self.measured):
                self.measured.append(self.measure())
                report(
                    f"{len(self.measured):>2}. {self.account.now:%Y-%m-%d}, {tick + 1} syncs: {said(self.measured[-1])}"
                    f"; {time.monotonic() - began:.0f} s, {time.process_time() - process_time:.0f} CPU s"
                )

    def _world(self, tick: int, fault_every: int) -> None:
        somebody = str(self._rng.randrange(PEOPLE))
        if tick % A_CHANGE == 0:
            stamp = self.account.wall(minutes=1)
            self.account.lp.edit(somebody, lambda record: record.update(address1=f"{tick} Main St", lastchanged=stamp))
        if tick % A_MESSAGE == 0:
            at = (self.account.now - timedelta(minutes=2)).isoformat()
            said = {"category": "sms", "direction": "inbound", "body": f"Message {tick}", "occurred_at": at}
            self.account.land({"id": f"m{tick}", "external_contact_id": somebody, **said})
        if tick % fault_every == fault_every - 1 and tick < self.ticks - 8:
            self.account.lp.fault(self._rng.choice(FAULTS), message="Not now.", times=self._rng.choice((1, 12)))

    def run(self, job: str, config: dict[str, Any] | None = None) -> bool:
        """One run of a job, as of the simulated time; whether it succeeded."""
        result = self._definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=False, run_config={**QUIET, **(config or {})}
        )
        self._date(result.run_id)
        return result.success

    def _date(self, *runs: str) -> None:
        """Let Dagster believe that these runs began at the simulated time."""
        storage, table = self.instance.run_storage, RunsTable
        assert isinstance(storage, SqlRunStorage)
        created = self.account.now.replace(tzinfo=None)
        with storage.connect() as connection:
            connection.execute(db.update(table).where(table.c.run_id.in_(runs)).values(create_timestamp=created))

    def _command(self, *words: str) -> bool:
        """A command in a process of its own, as of the simulated time; whether it ended well."""
        given = {"LP_PIPELINE_NOW": self.account.now.isoformat(), "DAGSTER_HOME": self.instance.root_directory}
        environ = {**os.environ, **self.account.environ, **given}
        command = [sys.executable, "-c", "from lp_pipeline.cli.main import main; main()", *words]
        before = set(self.instance.run_storage.get_run_ids())
        ended = subprocess.run(command, env=environ, capture_output=True, check=False)
        self._date(*set(self.instance.run_storage.get_run_ids()) - before)
        return ended.returncode == 0

    def _sync(self) -> bool:
        """What the job `sync` does, without Dagster."""
        return self._as_a_run("sync", self._sync_steps)

    def _sync_steps(self, connections: Connections) -> str | None:
        for name in ("leads", "prospects"):
            read_feed(connections, name, warn=ignore, info=ignore)
        stage(connections.warehouse, connections.settings)
        merge(connections.warehouse, connections.settings, connections.sync_id)
        deliver_due(connections)
        unread = unread_feeds(connections)
        publish_changes(connections, force=bool(unread))
        refresh_report(connections.settings)
        return "\n".join(each.why for each in unread) or None

    def _push(self) -> bool:
        """What the job `push_communications` does, without Dagster."""

        def push(connections: Connections) -> str | None:
            report = push_open(connections, {}, due_only=True)
            return "\n".join(report.errors) or None

        return self._as_a_run("push", push)

    def _as_a_run(self, kind: Kind, steps: Callable[[Connections], str | None]) -> bool:
        ending = Ending("failed", "It broke off.")
        with (
            Connections(str(uuid4()), self.account.load, pace=PACE) as connections,
            recorded(connections, kind, lambda: ending),
        ):
            problem = steps(connections)
            ending = Ending("failed", problem) if problem else Ending("good")
        after_run(self.account.load, kind, ending)
        return ending.outcome == "good"

    def _tidy(self, *, as_job: bool) -> None:
        if not as_job:
            with Connections(str(uuid4()), self.account.load, pace=PACE) as connections:
                tidy(self.instance, connections)
        elif not self.run("housekeeping"):
            raise AssertionError("housekeeping failed")

    def measure(self) -> Measured:
        """Sizes as of now."""
        gc.collect()
        home, data = (
            {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
            for folder in (Path(self.instance.root_directory), self.account.folder)
        )
        files = sum(path.is_file() for path in Path(self.instance.root_directory).rglob("*"))
        work, outbox, published = (data.pop(name) for name in ("work.duckdb", "outbox.sqlite", "published.duckdb"))
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return Measured(sum(home.values()), files, work, outbox, published, sum(data.values()), resident)

    def wrong(self) -> list[str]:
        """What has grown since the first quarter, or is not as it should be at the end."""
        quarter = max(1, len(self.measured) // 4)
        then, now, found = self.measured[quarter - 1], self.measured[-1], []
        for name in (field.name for field in fields(Measured)):
            before, after = getattr(then, name), getattr(now, name)
            allowed = MEMORY_ALLOWED if name == "memory" else ALLOWED
            if after > max(AS_GOOD_AS_NOTHING.get(name, SMALL), allowed * before):
                found.append(f"{name} grew from {before:,} to {after:,}")
        if not self._command("status"):
            found.append("status is not OK at the end")
        if still_open := alerts_file(self.account.load()).read().open:
            found.append(f"alerts are still open: {', '.join(still_open)}")
        written, came = len(self.account.lp.all_notes()), len(range(0, self.ticks, A_MESSAGE))
        if written != came:
            found.append(f"{came} messages came, and {written} notes were written")
        states = [message["state"] for message in self.listener.messages]
        if not states or states.count("open") != states.count("over"):
            found.append(f"{states.count('open')} alerts came, and {states.count('over')} all-clears")
        return found


def said(measured: Measured) -> str:
    """For people."""
    return (
        f"DAGSTER_HOME {size(measured.home)} in {measured.files:,} files, work.duckdb {size(measured.work)}, "
        f"outbox.sqlite {size(measured.outbox)}, published.duckdb {size(measured.published)}, other files "
        f"{size(measured.others)}, memory {size(measured.memory)}"
    )


@contextmanager
def year(folder: Path, ticks: int, days: float, seed: int, **environ: str) -> Iterator[Year]:
    """A machine before its year, with these settings besides."""
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
    with ExitStack() as stack:
        opened = stack.enter_context(account(folder))
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
        listener = stack.enter_context(listening())
        opened.environ |= {"PUSH_SINCE": "2026-01-01T00:00:00Z", **listener.settings, **environ}
        yield Year(opened, instance, listener, ticks, days, seed)


def report(text: str) -> None:
    """Print a progress line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """A year; 0 if all stayed flat and well."""
    parser = argparse.ArgumentParser(prog="make year", description=__doc__)
    parser.add_argument("--ticks", type=int, default=3000)
    parser.add_argument("--days", type=float, default=DAYS)
    parser.add_argument("--job-every", type=int, default=10, help="ticks; the others do the same without Dagster")
    parser.add_argument("--process-every", type=int, default=500, help="ticks; such a one is a process of its own")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", type=int, default=30, help="KEEP_READINGS_DAYS")
    parser.add_argument("--folder", help="where it happens, such as /dev/shm")
    given = parser.parse_args()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(dir=given.folder) as folder,
        year(Path(folder), given.ticks, given.days, given.seed, KEEP_READINGS_DAYS=f"{given.keep}") as lived,
    ):
        lived.live(job_every=given.job_every, process_every=given.process_every, months=MONTHS, report=report)
        wrong = lived.wrong()
        report("\n  ".join([f"{lived.ticks} syncs, {lived.failed} of which failed", *wrong]))
    report(f"{'FAILED' if wrong else 'passed'} (seed {given.seed}, {time.monotonic() - began:.0f} s)")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
