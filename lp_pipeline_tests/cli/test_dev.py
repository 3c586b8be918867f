"""`lp-pipeline dev` and what keeps it from starting (SPEC R1, R2)."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from lp_pipeline.cli.dev import workspace
from lp_pipeline.cli.services import Service, end, is_free, listener, services_of
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.settings.package_data import LOCATION
from lp_pipeline_tests.drills.deployment import free_port, until

LP_PIPELINE = str(Path(sys.executable).parent / "lp-pipeline")
SLEEP = "import time; time.sleep(600)"
RELOAD = (
    f'mutation {{ reloadRepositoryLocation(repositoryLocationName: "{LOCATION}") '
    "{ ... on WorkspaceLocationEntry { locationOrLoadError { __typename } } } }"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def environ(home: Path) -> dict[str, str]:
    ours = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_", "DAGSTER_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    given = {"DAGSTER_HOME": str(home), "LP_PIPELINE_DATA": str(home.parent / "data")}
    return {**inherited, **given, "PYTHONPATH": str(REPOSITORY)}


def dev(home: Path, port: int, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`lp-pipeline dev`, which is to be refused."""
    command = [LP_PIPELINE, "dev", "--port", str(port), *options]
    return subprocess.run(
        command,
        env={**environ(home), **variables},
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[int]:
    """A process that looks like one of Dagster's; its id."""
    with subprocess.Popen([sys.executable, "-c", SLEEP, *arguments], env=environ(home)) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("dagster._daemon", "run"), "daemon"),
        (("/x/bin/dagster-daemon", "run"), "daemon"),
        (("dagster_webserver", "--port", "1"), "web server"),
        (("dagster", "code-server", "start"), "code server"),
        (("dagster", "api", "grpc"), "code server"),
        (("/x/bin/dagster", "dev"), "dagster dev"),
        (("/x/bin/lp-pipeline", "dev"), "lp-pipeline dev"),
        (("/x/bin/dagster", "job", "execute", "-j", "sync"), None),
        (("/x/bin/lp-pipeline", "sync"), None),
    ],
)
def test_dagsters_processes_of_a_home_are_found(home: Path, arguments: tuple[str, ...], what: str | None) -> None:
    """R2: its servers, however they were started; nothing that runs on another home."""
    other = home.parent / "other"
    with running(home, *arguments) as pid, running(other, *arguments):
        time.sleep(0.2)
        assert services_of(home) == ([Service(pid, what)] if what else [])


def test_who_listens_on_a_port_is_found() -> None:
    """By its number, whichever process it is."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        found = listener(port)
        assert found is not None
        assert found.pid == os.getpid()
    assert is_free("127.0.0.1", port)
    assert listener(port) is None


@pytest.mark.slow
def test_a_process_that_does_not_want_to_end_is_killed(home: Path) -> None:
    """With all that it started."""
    ready = home / "ready"
    below = [sys.executable, "-c", f"import pathlib, time; pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"]
    stubborn = f"import signal, subprocess; signal.signal(15, signal.SIG_IGN); subprocess.run({below!r})"
    with subprocess.Popen([sys.executable, "-c", stubborn, "dagster._daemon"], env=environ(home)) as process:
        until(ready.exists, "it never started")
        end([process.pid])
        assert process.wait(timeout=10) == -signal.SIGKILL


@pytest.mark.slow
def test_a_folder_that_no_socket_can_be_in_is_named_and_nothing_is_started(home: Path) -> None:
    """The operating system takes no socket whose path is longer than some hundred bytes."""
    folder = home.parent / ("x" * 80)
    folder.mkdir()
    refused = dev(home, free_port(), TMPDIR=str(folder))
    assert refused.returncode == 1
    assert "TMPDIR=/tmp make dev" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert services_of(home) == []


@pytest.mark.slow
def test_a_living_daemon_of_this_home_is_named_and_nothing_is_started(home: Path) -> None:
    """R2: two daemons start two runs a tick. The message says how to end it."""
    with running(home, "dagster._daemon", "run") as pid:
        refused = dev(home, free_port())
    assert refused.returncode == 1
    assert f"daemon (process {pid})" in refused.stderr
    assert "make dev ARGS=--replace" in refused.stderr
    assert f"kill {pid}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_that_is_taken_is_named_and_nothing_is_started(home: Path) -> None:
    """With the process that has it, and another port to choose."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        refused = dev(home, port)
    assert refused.returncode == 1
    assert f"Port {port} is taken by process {os.getpid()}" in refused.stderr
    assert f"PORT={port + 1}" in refused.stderr
    assert services_of(home) == []


class Dev:
    """A `lp-pipeline dev` that serves."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home, self.port = home, free_port()
        self.log = home.parent / f"dev-{self.port}.log"
        command = [LP_PIPELINE, "dev", "--port", str(self.port), *options]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, env=environ(home), cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(self.serves, "it never serves")

    def serves(self) -> bool:
        """Whether the UI answers and all servers are there."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            httpx.get(f"http://127.0.0.1:{self.port}/server_info")
        except httpx.TransportError:
            return False
        return {"daemon", "web server", "code server"} <= {service.what for service in services_of(self.home)}

    def reloads(self) -> bool:
        """Whether "Reload definitions" in the UI works."""
        answer = httpx.post(f"http://127.0.0.1:{self.port}/graphql", json={"query": RELOAD}, timeout=60).json()
        found = answer["data"]["reloadRepositoryLocation"]
        return bool(found.get("locationOrLoadError", {}).get("__typename") == "RepositoryLocation")

    def server(self, what: str) -> int:
        """The process id of the one that `lp-pipeline dev` started itself."""
        (found,) = (
            each.pid for each in services_of(self.home) if each.what == what and _parent(each.pid) == self.process.pid
        )
        return found


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.slow
def test_whoever_is_killed_the_others_end_and_the_next_start_can_end_what_is_left(home: Path) -> None:
    """R1: kill -9 of a server; what an older one has left; kill -9 of what watches them."""
    try:
        first = Dev(home)
        os.kill(first.server("daemon"), signal.SIGKILL)
        assert first.process.wait(timeout=60) == 1
        assert "Dagster's daemon was killed (signal 9); everything else was ended, too." in first.log.read_text()
        assert services_of(home) == []

        with running(home, "dagster._daemon", "run") as pid:
            second = Dev(home, "--replace")
        daemons = [each.pid for each in services_of(home) if each.what == "daemon"]
        assert daemons == [second.server("daemon")]
        assert f"Ending daemon (process {pid})" in second.log.read_text()
        second.process.kill()
        second.process.wait()
        until(lambda: not services_of(home), "something outlives its parent", patience=90)
    finally:
        end(service.pid for service in services_of(home))


@pytest.mark.slow
def test_a_code_server_that_is_killed_is_started_again(home: Path) -> None:
    """R1: the UI and the daemon go on with the new one, by themselves."""
    started = Dev(home)
    try:
        until(started.reloads, "the code is never loaded")
        before = started.server("code server")
        os.kill(before, signal.SIGKILL)
        until(lambda: "Starting it again" in started.log.read_text(), "it is not started again")
        until(started.reloads, "the code is never loaded again")
        assert started.server("code server") != before
        assert started.process.poll() is None
    finally:
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=90) == 0
        assert services_of(home) == []
        end(service.pid for service in services_of(home))


def test_other_code_locations_are_served_too(tmp_path: Path) -> None:
    """What a person adds to `workspace.yaml`; a Python file's path is relative to that."""
    given = tmp_path / "workspace.yaml"
    given.write_text(
        """
        load_from:
          - python_module: lp_pipeline.definitions
          - python_module: {module_name: mine, working_directory: /srv}
          - python_file: more.py
          - python_file: {relative_path: sub/own.py, attribute: defs}
        """
    )
    (tmp_path / "own").mkdir()
    for listed, others in ((given, 3), (tmp_path / "none.yaml", 0)):
        written = workspace(tmp_path / "own", tmp_path / "code", listed)
        ours, *found = yaml.safe_load(written.read_text())["load_from"]
        assert ours == {"grpc_server": {"socket": str(tmp_path / "code"), "location_name": LOCATION}}
        assert len(found) == others
        if found:
            assert found[0] == {"python_module": {"module_name": "mine", "working_directory": "/srv"}}
            assert found[1] == {"python_file": str(tmp_path / "more.py")}
            assert found[2]["python_file"]["relative_path"] == str(tmp_path / "sub" / "own.py")
