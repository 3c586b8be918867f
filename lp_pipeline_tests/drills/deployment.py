"""A deployment to kill: `dagster dev` over an account, with its own DAGSTER_HOME; and Dagster's record of its runs."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorTick

from lp_pipeline.cli.home import prepare_home
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.account import Account

DAGSTER = str(Path(sys.executable).parent / "dagster")
PATIENCE = 400.0  # seconds for anything to happen; a run killed before it began is ended after 300
Status = dg.DagsterRunStatus
ENDED = (Status.SUCCESS, Status.FAILURE, Status.CANCELED)


class Deployment:
    """Webserver, daemon and code server of an account, whose settings are in the environment or in a file."""

    def __init__(self, account: Account, home: Path, settings_file: Path | None = None) -> None:
        self.home = home
        home.mkdir()
        (home / "dagster.yaml").write_text((REPOSITORY / "dagster.yaml").read_text())
        prepare_home(home)
        ours = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_", "DAGSTER_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        given = {"LP_PIPELINE_SETTINGS": str(settings_file)} if settings_file else account.environ
        self.environ = {**inherited, **given, "DAGSTER_HOME": str(home)}
        self._dev: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """As `make dev` does, on a free port."""
        port = str(free_port())
        with (self.home / "dev.log").open("ab") as log:
            command = [DAGSTER, "dev", "--workspace", "workspace.yaml", "--host", "127.0.0.1", "--port", port]
            self._dev = subprocess.Popen(command, env=self.environ, cwd=REPOSITORY, stdout=log, stderr=log)

    def freeze_daemon(self) -> None:
        """Stop dequeuing runs."""
        assert self._dev
        (daemon,) = (pid for pid in below(self._dev.pid) if "dagster._daemon" in _command(pid))
        os.kill(daemon, signal.SIGSTOP)

    def kill(self) -> int:
        """SIGKILL it and all that it started, runs included; how many processes that were."""
        if "_instance" in vars(self):
            self._instance.dispose()
            del self._instance
        if self._dev is None:
            return 0
        found = below(self._dev.pid)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        self._dev.wait()
        self._dev = None
        until(lambda: not any(map(_lives, found)), "a killed process lives on")
        return len(found)

    def launch(self, job: str, **config: Any) -> str:
        """Put a run into the queue, as the launchpad does; its id."""
        before = self.runs()
        command = [DAGSTER, "job", "launch", "--workspace", "workspace.yaml", "-j", job]
        command += ["--config-json", json.dumps({"ops": config})] if config else []
        subprocess.run(command, env=self.environ, cwd=REPOSITORY, check=True, capture_output=True)
        (run_id,) = (found for found, (name, _) in self.runs().items() if found not in before and name == job)
        return run_id

    def runs(self) -> dict[str, tuple[str, Status]]:
        """Every run that Dagster knows, its job and its state."""
        return {run.run_id: (run.job_name, run.status) for run in self._instance.get_runs()}

    def states(self, run_ids: Iterable[str]) -> set[Status]:
        """The states of these runs."""
        found = self.runs()
        return {found[run_id][1] for run_id in run_ids}

    def under_way(self, *jobs: str) -> list[str]:
        """What has not ended of these jobs, or of all."""
        return [
            run_id for run_id, (job, status) in self.runs().items() if status not in ENDED and (not jobs or job in jobs)
        ]

    def ticks(self, name: str, after: float) -> list[InstigatorTick]:
        """What the daemon itself did about this schedule or sensor since then, oldest first."""
        (state,) = (each for each in self._instance.all_instigator_state() if each.name == name)
        return list(self._instance.get_ticks(state.instigator_origin_id, state.selector_id, after=after))[::-1]

    def slots_taken(self) -> list[str]:
        """Occupied pool slots."""
        storage = self._instance.event_log_storage
        infos = [storage.get_concurrency_info(key) for key in storage.get_concurrency_keys()]
        return [info.concurrency_key for info in infos if info.active_slot_count]

    @cached_property
    def _instance(self) -> dg.DagsterInstance:
        """Asked several times a second: opening it each time would keep the machine from what is waited for."""
        return dg.DagsterInstance.from_config(str(self.home))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], otherwise: str, patience: float = PATIENCE) -> None:
    """Wait for something to become true; raises `TimeoutError`."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.3)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def below(root: int) -> list[int]:
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
