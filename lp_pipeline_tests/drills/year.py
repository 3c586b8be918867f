"""A machine that is left alone for a year (SPEC K1): its clock is moved on from tick to tick, LeadPerfection changes
and fails now and then, messages come, housekeeping runs every night. `make year`: what is measured, and what is wrong.
"""

import argparse
import gc
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from lp_pipeline.insight.health import health
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline.upkeep.compaction import SMALL
from lp_pipeline.upkeep.compaction import compact as compact_file
from lp_pipeline.upkeep.tidied import size
from lp_pipeline_tests.account import PACE, Account, account
from lp_pipeline_tests.runs.past import person

PEOPLE = 40
DAYS = 365
FAULTS = ("500", "string")  # of which LeadPerfection gives one in so many ticks
ONE_IN = 25
A_MESSAGE = 4  # ticks
QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Measured:
    """What there is at the end of a simulated day, in bytes, but for the number of files."""

    home: int
    files: int
    work: int
    outbox: int
    published: int
    memory: int


class Year:
    """An account and Dagster's instance on disk, whose clock goes where the test says."""

    def __init__(self, account: Account, instance: dg.DagsterInstance, ticks: int, days: float, seed: int) -> None:
        self.account, self.instance, self.ticks = account, instance, ticks
        self.step = timedelta(days=days) / ticks
        self.measured: list[Measured] = []
        self.failed = 0
        self._rng = random.Random(seed)
        self._definitions = build_definitions(account.load, pace=PACE)
        self._tidied_at = account.now

    def live(self, report: Any) -> None:
        """All ticks, one after the other; faults end in time for the last ones to be good."""
        for number in range(PEOPLE):
            self.account.lp.put({**person(self.account, str(number)), "notes": [], "calls": []})
        for tick in range(self.ticks):
            self.account.now += self.step
            self._world(tick)
            self.failed += not self.run("sync")
            self.run("push_communications", {"ops": {"push": {"config": {"only_due": True}}}})
            if self.account.now - self._tidied_at >= timedelta(days=1):
                self._tidied_at = self.account.now
                if not self.run("housekeeping"):
                    raise AssertionError("housekeeping failed")
                self.measured.append(self.measure())
                if len(self.measured) % max(1, self.ticks // 40) == 0:
                    report(f"tick {tick + 1} of {self.ticks}, {self.account.now:%B %d}: {said(self.measured[-1])}")

    def _world(self, tick: int) -> None:
        somebody = str(self._rng.randrange(PEOPLE))
        stamp = self.account.wall(minutes=1)
        self.account.lp.edit(somebody, lambda record: record.update(address1=f"{tick} Main St", lastchanged=stamp))
        if tick % A_MESSAGE == 0:
            at = (self.account.now - timedelta(minutes=2)).isoformat()
            said = {"category": "sms", "direction": "inbound", "body": f"Message {tick}", "occurred_at": at}
            self.account.land({"id": f"m{tick}", "external_contact_id": somebody, **said})
        if tick % ONE_IN == ONE_IN - 1 and tick < self.ticks - 4:
            self.account.lp.fault(self._rng.choice(FAULTS), message="Not now.", times=self._rng.choice((1, 12)))

    def run(self, job: str, config: dict[str, Any] | None = None) -> bool:
        """One run, as of the simulated time; whether it succeeded."""
        resolved = self._definitions.resolve_job_def(job)
        result = resolved.execute_in_process(
            instance=self.instance, raise_on_error=False, run_config={**QUIET, **(config or {})}
        )
        storage = self.instance.run_storage
        assert isinstance(storage, SqlRunStorage)
        table, created = RunsTable, self.account.now.replace(tzinfo=None)
        with storage.connect() as connection:
            connection.execute(db.update(table).where(table.c.run_id == result.run_id).values(create_timestamp=created))
        return result.success

    def measure(self) -> Measured:
        """Sizes as of now."""
        gc.collect()
        home = [path.stat().st_size for path in Path(self.instance.root_directory).rglob("*") if path.is_file()]
        names = ("work.duckdb", "outbox.sqlite", "published.duckdb")
        work, outbox, published = ((self.account.folder / name).stat().st_size for name in names)
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return Measured(sum(home), len(home), work, outbox, published, resident)

    def wrong(self) -> list[str]:
        """What has grown, between the second quarter and the last one, or is not as it should be at the end."""
        quarter = max(1, len(self.measured) // 4)
        then, now = self.measured[quarter : 2 * quarter], self.measured[-quarter:]
        found = []
        for name, allowed in (("home", 1.15), ("files", 1.15), ("memory", 1.25)):
            before, after = (max(getattr(each, name) for each in some) for some in (then, now))
            if after > allowed * before:
                found.append(f"{name} grew from {before:,} to {after:,}")
        verdict = health(self.account.load()).verdict
        if verdict.state != "OK":
            found.append(f"status says {verdict.state}: {verdict.why}")
        before = self.measured[-1].work
        compact_file(Warehouse(self.account.folder), self.account.outbox)
        compact = (self.account.folder / "work.duckdb").stat().st_size
        if before > max(SMALL, 2.5 * compact):
            found.append(f"work.duckdb has {size(before)}, compact it has {size(compact)}")
        written, came = len(self.account.lp.all_notes()), len(range(0, self.ticks, A_MESSAGE))
        if written != came:
            found.append(f"{came} messages came, and {written} notes were written")
        return found


def said(measured: Measured) -> str:
    """For people."""
    return (
        f"DAGSTER_HOME {size(measured.home)} in {measured.files:,} files, work.duckdb {size(measured.work)}, "
        f"outbox.sqlite {size(measured.outbox)}, published.duckdb {size(measured.published)}, "
        f"memory {size(measured.memory)}"
    )


@contextmanager
def year(folder: Path, ticks: int, days: float, seed: int) -> Iterator[Year]:
    """A machine before its year."""
    home = folder / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
    with account(folder) as opened, dg.DagsterInstance.from_config(str(home)) as instance:
        opened.environ["PUSH_SINCE"] = "2026-01-01T00:00:00Z"
        yield Year(opened, instance, ticks, days, seed)


def report(text: str) -> None:
    """Print a progress line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """A year; 0 if all stayed flat and well."""
    parser = argparse.ArgumentParser(prog="make year", description=__doc__)
    parser.add_argument("--ticks", type=int, default=3000)
    parser.add_argument("--days", type=float, default=DAYS)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, year(Path(folder), given.ticks, given.days, given.seed) as lived:
        lived.live(report)
        wrong = lived.wrong()
        report("\n  ".join([f"{lived.ticks} syncs, {lived.failed} of which failed", *wrong]))
    report(f"{'FAILED' if wrong else 'passed'} (seed {given.seed}, {time.monotonic() - began:.0f} s)")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
