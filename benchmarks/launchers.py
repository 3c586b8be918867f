"""What one account's sync costs under each launcher, with all that Dagster does for it: a real daemon starts the syncs
of some accounts, whose LeadPerfection takes its time, and all processes but that LeadPerfection are measured.
"""

import os
import shutil
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dagster as dg

from benchmarks.fleet import SCENARIO, deployment
from benchmarks.measure import ROOT, command_line, cpu_seconds, megabytes, proportional_mb, tree
from benchmarks.results import Results
from benchmarks.server import server, show
from lp_pipeline_tests.drills.deployment import until
from lp_pipeline_tests.drills.often import MINUTES, start_code_server, start_daemon
from lp_pipeline_tests.fleet.deployment import Fleet, fleet

PROSPECTS, CHANGES = 1000, 5
DELAY_MS = 200.0  # of each answer of LeadPerfection


def under_default_launcher(results: Results, work: Path, accounts: int, rounds: int, minutes: int) -> None:
    """`dagster.yaml`, as on one machine: a process for each run, SQLite."""
    with _accounts(work, accounts, minutes) as address:
        home = work / "home"
        home.mkdir()
        shutil.copy(ROOT / "dagster.yaml", home)
        os.environ["DAGSTER_HOME"] = str(home)
        with _daemon(work):
            Syncs(results, "default launcher", address, accounts).measure(rounds, home, home)


def under_celery(results: Results, work: Path, accounts: int, rounds: int, minutes: int) -> float:
    """`deploy/fleet/dagster.yaml`: warm workers, two for each of two shards; PostgreSQL behind PgBouncer, Redis. The
    CPU seconds of a sync."""
    with ExitStack() as stack:
        address = stack.enter_context(_accounts(work, accounts, minutes))
        (work / "fleet").mkdir()
        opened = stack.enter_context(fleet(work / "fleet", Fleet))
        for shard in ("east", "west"):
            opened.start_worker(shard, slots=2)
        stack.enter_context(_daemon(work))
        storage = opened.database.folder / "data" / "base"
        return Syncs(results, "Celery", address, accounts).measure(rounds, opened.home, storage)


class Syncs:
    """The syncs of so many accounts under one launcher, in a deployment that runs below this process."""

    def __init__(self, results: Results, launcher: str, address: str, accounts: int) -> None:
        self._results, self._launcher, self._address, self._accounts = results, launcher, address, accounts

    def measure(self, rounds: int, home: Path, storage: Path) -> float:
        """A first load of each account, then `rounds` syncs with some changes; `storage` is where Dagster keeps runs.
        The CPU seconds of a sync."""
        show(self._address, "range", first=0, last=PROSPECTS)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            self._wait(instance, self._accounts)
            show(self._address, "changed", size=PROSPECTS, revision=1, number=CHANGES)
            volume, known = Path(os.environ["LP_PIPELINE_DATA"]), len(_ended(instance))
            disk, data, cpu, began = megabytes(storage), megabytes(volume), _cpu(), time.monotonic()
            peak = self._wait(instance, known + self._accounts * rounds)
            seconds, done = time.monotonic() - began, len(_ended(instance)) - known
            each = (_cpu() - cpu) / done
            self._add(f"all processes, {done} syncs in {seconds:.0f} s", cpu_seconds=each)
            self._add("the most memory of all processes together", peak_mb=peak)
            self._add("from its start to its end", seconds=statistics.median(_ended(instance)[:done]))
            self._add("Dagster's record of it", disk_mb=(megabytes(storage) - disk) / done)
            self._add("its data folder grew by", disk_mb=(megabytes(volume) - data) / done)
            return each

    def _wait(self, instance: dg.DagsterInstance, number: int) -> float:
        """Wait for so many syncs; the most memory (PSS) that all processes had meanwhile."""
        peak = 0.0

        def enough() -> bool:
            nonlocal peak
            peak = max(peak, sum(map(proportional_mb, _processes())))
            time.sleep(1)
            return len(_ended(instance)) >= number

        until(enough, f"there are not {number} syncs", patience=3600)
        return peak

    def _add(self, part: str, **values: float) -> None:
        self._results.add(SCENARIO, self._accounts, f"{self._launcher}: a sync", part, **values)


@contextmanager
def _accounts(work: Path, number: int, minutes: int) -> Iterator[str]:
    """So many accounts that are synced so often; the address of their LeadPerfection."""
    with server(delay_ms=DELAY_MS) as address, deployment(work, number, address, LP_PROSPECT_ACTION="off"):
        os.environ[MINUTES] = str(minutes)
        yield address


@contextmanager
def _daemon(work: Path) -> Iterator[None]:
    processes = [start_code_server(work), start_daemon(work)]
    try:
        yield
    finally:
        for process in processes:
            for pid in tree(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def _ended(instance: dg.DagsterInstance) -> list[float]:
    """How many seconds each good sync took, the newest first."""
    good = dg.RunsFilter(job_name="sync", statuses=[dg.DagsterRunStatus.SUCCESS])
    return [(each.end_time or 0) - (each.start_time or 0) for each in instance.get_run_records(good)]


def _processes() -> list[int]:
    """All of the deployment: what this process started, but for the LeadPerfection."""
    return [pid for pid in tree(os.getpid())[1:] if "benchmarks.server" not in command_line(pid)]


def _cpu() -> float:
    """What they have computed so far, those that have ended included."""
    return sum(cpu_seconds(pid, with_ended=True) for pid in _processes())
