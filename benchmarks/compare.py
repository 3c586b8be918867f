"""Side by side in one run: the limits, the straight line, dlt, and ours; a first load, then 1 % changed.

Each does its work once in each round, so that a busy minute of the machine meets all of them.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from benchmarks.account import at, write_settings
from benchmarks.measure import ROOT, Failed, Measured, measured, python
from benchmarks.records import write_pages
from benchmarks.results import Results
from benchmarks.server import server, show
from lp_pipeline.cli.home import prepare_home

DAGSTER, LP_PIPELINE = (str(Path(sys.executable).parent / name) for name in ("dagster", "lp-pipeline"))
SYNC_JOB = [DAGSTER, "job", "execute", "-m", "lp_pipeline.definitions", "-j", "sync"]
PARTS = {"full": "first load", "changed": "1 % changed", "none": "nothing changed"}
SCENARIO = "compare"
STRAIGHT = "the straight line"
LIMITS = ("fetch", "parse", "read")
MOST_IN_MEMORY = 100_000  # for these dlt's ordinary set-up takes 12 GB
Run = Callable[[str], Measured]


class Comparison:
    """The contestants at one size. `dlt` is the Python of dlt's environment; without one dlt is left out."""

    def __init__(self, results: Results, size: int, work: Path, pages: Path, dlt: Path | None) -> None:
        self._results, self._size, self._work = results, size, work
        self._pages = write_pages(pages, size)
        self._dlt = dlt
        self._opportunities: dict[str, int] = {}

    def run(self, rounds: int) -> None:
        """Measure so many times. Raises `AssertionError` if the contestants don't come to the same opportunities."""
        with server(self._pages) as address:
            for _ in range(rounds):
                self._round(address)

    def _round(self, address: str) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        contestants: dict[str, Run] = {
            "fetch": self._script(address, "limits", "fetch"),
            "parse": self._script(address, "limits", "parse"),
            "read": self._script(address, "limits", "read"),
            STRAIGHT: self._script(address, "straight_line"),
        }
        if self._dlt:
            contestants["dlt, Arrow"] = self._script(address, "dlt_fastest", interpreter=str(self._dlt))
        if self._dlt and self._size <= MOST_IN_MEMORY:
            contestants["dlt, REST source"] = self._script(address, "dlt_ordinary", interpreter=str(self._dlt))
        contestants["ours, without Dagster"] = self._ours(address)
        contestants["ours, dagster job execute"] = self._job(address)
        for what, run in contestants.items():
            parts = ["full"] if what in LIMITS else list(PARTS) if what.startswith("ours") else ["full", "changed"]
            for part in parts:
                show(address, part)
                if not self._measure(what, part, run):
                    break
            shutil.rmtree(self._work, ignore_errors=True)

    def _measure(self, what: str, part: str, run: Run) -> bool:
        try:
            found = run(part)
        except Failed as error:
            self._results.failed(SCENARIO, self._size, what, PARTS[part], error)
            return False
        if what == "read":  # its own time, without the writing of what it reads
            found.seconds, found.cpu_seconds = found.output["seconds"], found.output["cpu_seconds"]
        self._results.add_process(SCENARIO, self._size, what, PARTS[part], found)
        if (number := found.output.get("opportunities")) is not None:
            expected = self._opportunities.setdefault(part, number)
            assert number == expected, f"{what} has {number} opportunities, {STRAIGHT} {expected}"
        return True

    def _script(self, address: str, name: str, *more: str, interpreter: str = sys.executable) -> Run:
        folder = self._work / name
        command = python(f"benchmarks.{name}", *more, address, folder, interpreter=interpreter)
        return lambda _part: measured(command, folder)

    def _ours(self, address: str) -> Run:
        folder = self._work / "ours"

        def run(part: str) -> Measured:
            environ = write_settings(folder, address) | at(list(PARTS).index(part))
            found = measured(python("benchmarks.ours", "sync"), folder / "data", environ)
            self._results.add_stages(SCENARIO, self._size, PARTS[part], found)
            return found

        return run

    def _job(self, address: str) -> Run:
        folder = self._work / "job"
        home = folder / "dagster"

        def run(part: str) -> Measured:
            environ = write_settings(folder, address) | at(list(PARTS).index(part))
            if not home.exists():
                prepare(home)
            found = measured(SYNC_JOB, folder / "data", environ)
            began, ended = last_run(home)
            self._results.add(SCENARIO, self._size, "job: start-up", PARTS[part], seconds=began - found.began_at)
            self._results.add(SCENARIO, self._size, "job: the run itself", PARTS[part], seconds=ended - began)
            return found

        return run


def prepare(home: Path) -> None:
    """Make a DAGSTER_HOME with the project's configuration and empty databases."""
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    prepare_home(home)


def last_run(home: Path) -> tuple[float, float]:
    """When Dagster's last run began its steps, and when it ended: Unix times."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        (record,) = instance.get_run_records(limit=1)
    assert record.start_time
    assert record.end_time
    return record.start_time, record.end_time
