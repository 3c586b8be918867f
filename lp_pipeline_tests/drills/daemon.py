"""`dagster dev` with everything below it, killed in the middle of a sync, started again: nothing stands still (R1)."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from lp_pipeline.sandbox import Sandbox
from lp_pipeline.schedules import sync_schedule
from lp_pipeline.settings import REPOSITORY, Settings, load_settings
from lp_pipeline.terminal import prepare_home
from lp_pipeline.warehouse.turn import Turn

DAGSTER = str(Path(sys.executable).parent / "dagster")
PATIENCE = 180.0  # seconds for anything to happen
SLOW = 15.0  # seconds that LeadPerfection takes for an answer, so that the kill comes in the middle
DEAD_RUNS = (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


class Deployment:
    """A home, a data folder (the sandbox's) and a `dagster dev` of their own."""

    def __init__(self, folder: Path) -> None:
        self.data, self.home = folder / "data", folder / "home"
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
        prepare_home(self.home)
        ours = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_", "DAGSTER_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environ = {**inherited, "DAGSTER_HOME": str(self.home), "LP_PIPELINE_DATA": str(self.data)}
        self._dev: subprocess.Popen[bytes] | None = None

    def load(self) -> Settings:
        return load_settings({"LP_PIPELINE_DATA": str(self.data)})

    def start(self) -> None:
        """Start webserver, daemon and code server."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        with (self.home / "dev.log").open("ab") as log:
            self._dev = subprocess.Popen(
                [DAGSTER, "dev", "--workspace", "workspace.yaml", "--host", "127.0.0.1", "--port", port],
                env=self.environ,
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> int:
        """SIGKILL it and all that it started, runs included; how many processes that were."""
        if self._dev is None:
            return 0
        found = _below(self._dev.pid)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        self._dev.wait()
        self._dev = None
        _until(lambda: not any(map(_lives, found)), "a killed process lives on")
        return len(found)

    def launch(self) -> str:
        """Put a sync into the queue, as the launchpad does; its id."""
        before = self.runs()
        command = [DAGSTER, "job", "launch", "--workspace", "workspace.yaml", "-j", "sync"]
        subprocess.run(command, env=self.environ, cwd=REPOSITORY, check=True, capture_output=True)
        (run_id,) = set(self.runs()) - set(before)
        return run_id

    def runs(self) -> dict[str, dg.DagsterRunStatus]:
        """Every sync that Dagster knows, and its state."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return {run.run_id: run.status for run in instance.get_runs(dg.RunsFilter(job_name="sync"))}

    def tick(self) -> dg.RunRequest | dg.SkipReason:
        """What the schedule would do now."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            found = sync_schedule(self.load)(dg.build_schedule_context(instance=instance))
        assert isinstance(found, dg.RunRequest | dg.SkipReason)
        return found

    def slots_taken(self) -> list[str]:
        """Pool slots that somebody holds."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            storage = instance.event_log_storage
            infos = [storage.get_concurrency_info(key) for key in storage.get_concurrency_keys()]
            return [info.concurrency_key for info in infos if info.active_slot_count]


def killed_and_started_again(folder: Path) -> tuple[str, list[str]]:
    """The drill: what happened, in a line, and what was wrong."""
    deployment = Deployment(folder)
    deployment.data.mkdir()
    Sandbox(deployment.data, clock=deployment.load().now).fault("slow", path="GetLead", seconds=SLOW)
    wrong: list[str] = []
    told = ""
    try:
        deployment.start()
        at_work = deployment.launch()
        waiting = deployment.launch()
        turn = Turn(deployment.data)
        _until(turn.is_taken, "the first sync never began")
        time.sleep(SLOW / 5)
        killed = deployment.kill()
        if turn.is_taken():
            wrong.append("the turn is still taken although its process is gone")
        states = deployment.runs()
        told = f"{killed} processes killed; runs then: {states[at_work].value}, {states[waiting].value}"
        began = time.monotonic()
        deployment.start()
        queued = deployment.launch()
        success = dg.DagsterRunStatus.SUCCESS
        _until(lambda: deployment.runs()[queued] == success, "a sync that was queued afterwards never ended well")
        told += f"; a sync queued afterwards ended well {time.monotonic() - began:.0f} s after the start"
        _until(
            lambda: deployment.runs()[waiting] in (success, *DEAD_RUNS), "the sync that waited in the queue still does"
        )
        told += f"; the one that waited: {deployment.runs()[waiting].value}"
        _until(lambda: not turn.is_taken(), "a sync is at work and never ends")
        tick = deployment.tick()
        if not isinstance(tick, dg.RunRequest):
            wrong.append(f"the next tick is skipped: {tick.skip_message}")
        if taken := deployment.slots_taken():
            wrong.append(f"pool slots are still taken: {taken}")
        told += f"; the killed one: {deployment.runs()[at_work].value}"
    except TimeoutError as error:
        wrong.append(str(error))
    finally:
        deployment.kill()
    return told, wrong


def _until(condition: Callable[[], bool], otherwise: str) -> None:
    """Wait for something to become true; raises `TimeoutError`."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.5)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _below(root: int) -> list[int]:
    """A process and all that descend from it, by their ids."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found
