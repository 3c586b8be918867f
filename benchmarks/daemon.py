"""Under the daemon: from the schedule's tick to the first asset and to the publication, and the memory of `make dev`.

Takes two minutes for each tick.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg

from benchmarks.account import write_settings
from benchmarks.compare import DAGSTER, LP_PIPELINE, prepare
from benchmarks.every_two_minutes import NAME
from benchmarks.growth import ONE_FEED
from benchmarks.measure import ROOT, clean_environ, command_line, cpu_seconds, proportional_mb, tree
from benchmarks.results import Results
from benchmarks.server import server, show

PATIENCE = 900.0  # seconds for a tick and its run
REST = 30.0  # seconds over which the processes at rest are measured
SETTLED = 60.0  # seconds after which nothing of their start is left
QUARTER, SYNCING = 15, (14, 0, 1, 2)  # the minutes of a quarter of an hour in which a sync may run
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
PROCESSES = {
    "dagster-webserver": "webserver",
    "dagster_webserver": "webserver",
    "dagster._daemon": "daemon",
    "daemon run": "daemon",
    "api grpc": "code server",
    "code-server": "code server",
    "lp-pipeline dev": "lp-pipeline dev",
}


def ticks(results: Results, work: Path, *, size: int, number: int, changes: int = 20) -> None:
    """So many ticks, each with so many changes among `size` opportunities; then the processes at rest."""
    shutil.rmtree(work, ignore_errors=True)
    with server() as address:
        environ = write_settings(work, address, **ONE_FEED)
        prepare(home := work / "dagster")
        show(address, "range", first=0, last=size)
        with _serving(work, environ, DAGSTER, "dev", "-m", "benchmarks.every_two_minutes", "--host", "127.0.0.1"):
            _next_run(home, known=0)  # loads everything
            for revision in range(1, number + 1):
                show(address, "changed", size=size, revision=revision, number=changes)
                for part, seconds in _next_run(home, known=revision).items():
                    results.add("daemon", size, part, f"{changes} changes", seconds=seconds)
        with _serving(work, environ, LP_PIPELINE, "dev") as pid:
            _at_rest(results, size, pid)
    shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _serving(work: Path, environ: dict[str, str], *command: str) -> Iterator[int]:
    """Dagster, started by this command on a free port; its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (work / "dev.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=ROOT, env=clean_environ(environ), stdout=log, stderr=log
        )
    try:
        yield process.pid
    finally:
        for how in (signal.SIGSTOP, signal.SIGKILL):  # stopped first, so that none starts another one meanwhile
            for pid in tree(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, how)
        process.wait()


def _next_run(home: Path, known: int) -> dict[str, float]:
    """Wait for the run after the first `known`, to its end; seconds from its tick to its first asset and on."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            runs = instance.get_runs()[::-1]
            if len(runs) > known and runs[known].status in ENDED:
                return _from_tick(instance, runs[known])
        time.sleep(1)
    raise TimeoutError(f"no tick and run within {PATIENCE:.0f} s; see dev.log in the work folder")


def _from_tick(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dict[str, float]:
    if run.status != dg.DagsterRunStatus.SUCCESS:
        raise AssertionError(f"the run {run.run_id} is {run.status.value}")
    (state,) = (each for each in instance.all_instigator_state() if each.name == NAME)
    found = instance.get_ticks(state.instigator_origin_id, state.selector_id)
    (tick,) = (each.timestamp for each in found if run.run_id in each.run_ids)
    events = instance.all_logs(run.run_id)
    started = [event.timestamp for event in events if event.dagster_event_type == dg.DagsterEventType.STEP_START]
    published = [
        event.timestamp
        for event in events
        if event.dagster_event
        and event.dagster_event.is_step_materialization
        and event.dagster_event.asset_key == dg.AssetKey("published")
    ]
    return {"tick to first asset": min(started) - tick, "tick to published": published[0] - tick}


def _at_rest(results: Results, size: int, root: int) -> None:
    """Memory (PSS) and CPU of each process, and of all."""
    time.sleep(SETTLED)
    while time.time() // 60 % QUARTER in SYNCING:
        time.sleep(1)
    pids = tree(root)
    before = {pid: cpu_seconds(pid) for pid in pids}
    time.sleep(REST)
    totals: dict[str, tuple[float, float]] = {}
    for pid in set(pids) & set(tree(root)):  # the others have ended meanwhile
        memory, cpu = totals.get(_name(pid), (0.0, 0.0))
        totals[_name(pid)] = (memory + proportional_mb(pid), cpu + cpu_seconds(pid) - before[pid])
    totals["all processes"] = (sum(each[0] for each in totals.values()), sum(each[1] for each in totals.values()))
    for name, (memory, cpu) in totals.items():
        part = f"at rest, in {REST:.0f} s"
        results.add("processes", size, name, part, peak_mb=memory, cpu_seconds=cpu)


def _name(pid: int) -> str:
    line = command_line(pid)
    return next((name for part, name in PROCESSES.items() if part in line), "other")
