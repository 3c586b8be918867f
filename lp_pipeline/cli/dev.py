"""`lp-pipeline dev`: Dagster's web UI, daemon and code server, which start only if no others run on the same
DAGSTER_HOME, and which end together, however they end. What they do is in `orchestration/`.
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import FrameType
from typing import Any

import click
import yaml

from lp_pipeline.cli.home import check_storage
from lp_pipeline.cli.services import Service, end, is_free, listener, services_of
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings.package_data import LOCATION, package_data

HOST = "127.0.0.1"
AGAIN = "make dev ARGS=--replace  (or lp-pipeline dev --replace)"
PR_SET_PDEATHSIG = 1
CODE, WEB, DAEMON = "code server", "web server", "daemon"
SECONDS = 0.5  # between two looks at what runs
LONGEST = 77  # bytes of the path of a folder for sockets; with a socket's own name, Linux takes 107, macOS 103


def serve(home: Path, port: int, *, replace: bool) -> int:
    """Serve until a signal comes or Dagster ends; the exit code.

    Raises `SettingsError` if the port is taken, if TMPDIR has too long a path, or if a Dagster of this home is running:
    two would start every scheduled run twice. `replace` ends that one first; on a terminal, it is offered.
    """
    if "dagster" in sys.modules:  # it was needed to make a new home; here it would stay in memory
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606
    check_storage(home)
    _check_folder_for_sockets()
    _make_room(home, replace=replace)
    with _only_one(home):
        if not is_free(HOST, port):
            raise SettingsError(_taken(port))
        return _run(port)


def _check_folder_for_sockets() -> None:
    if len(os.fsencode(folder := gettempdir())) > LONGEST:
        raise SettingsError(
            f"The folder for temporary files has too long a path for Dagster's sockets: {folder}. Nothing was started. "
            "Choose a shorter one:  TMPDIR=/tmp make dev  (or TMPDIR=/tmp lp-pipeline dev)"
        )


def _make_room(home: Path, *, replace: bool) -> None:
    running = services_of(home)
    if not running:
        return
    listed = ", ".join(f"{service.what} (process {service.pid})" for service in running)
    found = f"Dagster is already using {home}: {listed}."
    if not replace and not (sys.stdin.isatty() and click.confirm(f"{found}\nEnd it and start anew?")):
        kill = " ".join(str(service.pid) for service in running)
        raise SettingsError(
            f"{found} A second one would start every scheduled run twice. Nothing was started. To end what is running "
            f"and start anew:  {AGAIN}. To end it only:  kill {kill}"
        )
    click.echo(f"Ending {listed} ...", err=True)
    end(service.pid for service in running)
    if left := services_of(home):
        raise SettingsError(f"Process {left[0].pid} ({left[0].what}) does not end. Nothing was started.")


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """For two that are started at the same moment; the lock ends with its process."""
    with (home / "dev.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(f"Another `lp-pipeline dev` is starting for {home}. Nothing was started.") from None
        yield


def _taken(port: int) -> str:
    holder: Service | None = listener(port)
    by = f" by process {holder.pid} ({holder.what})" if holder else ""
    return (
        f"Port {port} is taken{by}. Nothing was started. End that program, or choose another port:  "
        f"make dev PORT={port + 1}  (or lp-pipeline dev --port {port + 1})"
    )


def _run(port: int) -> int:
    dagster = _Dagster()
    asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            dagster.kill()

    def serve_code(path: Path) -> None:
        """Until it has loaded the code and listens, or ends, or is not wanted any more."""
        path.unlink(missing_ok=True)
        given = ("--module-name", LOCATION, "--location-name", LOCATION, "--log-level", "warning")
        dagster.start(CODE, "dagster", "code-server", "start", "--socket", str(path), *given)
        while not (asked or dagster.how_ended(CODE) or _listens(path)):
            time.sleep(SECONDS)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    click.echo(f"Starting Dagster; its UI will be at http://{HOST}:{port} ...", err=True)
    ended = None
    with TemporaryDirectory(prefix="lp-pipeline-") as folder:  # nobody else may enter it (docs/decisions/0013)
        code = Path(folder) / "code"
        served = ("--workspace", str(workspace(Path(folder), code, package_data("workspace.yaml"))))
        try:
            serve_code(code)
            if not (asked or dagster.how_ended()):
                dagster.start(WEB, "dagster_webserver", *served, "--host", HOST, "--port", str(port))
                dagster.start(DAEMON, "dagster._daemon", "run", *served)
            while not (asked or ended):
                time.sleep(SECONDS)
                if how := dagster.how_ended(CODE):
                    click.echo(f"{how}. Starting it again ...", err=True)
                    serve_code(code)
                ended = dagster.how_ended()
        finally:
            dagster.end()
    if asked:
        return 0
    click.echo(f"{ended}; everything else was ended, too. Start it again:  make dev", err=True)
    return 1


class _Dagster:
    """Its servers; each in a process group of its own, so that Ctrl-C reaches it once and what it started is found."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._groups: set[int] = set()

    def start(self, what: str, *arguments: str) -> None:
        """Start this server."""
        environ = {**os.environ, "DAGSTER_IS_DEV_CLI": "1"}  # then it is brief about code that can't be loaded
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *arguments], env=environ, process_group=0, preexec_fn=_end_with_parent
        )
        self._running[what] = process
        self._groups.add(process.pid)

    def how_ended(self, what: str | None = None) -> str | None:
        """How this one, or any of them, ended; None if it did not."""
        for name, process in self._running.items():
            if what in (None, name) and (code := process.poll()) is not None:
                how = f"was killed (signal {-code})" if code < 0 else f"ended (exit code {code})"
                return f"Dagster's {name} {how}"
        return None

    def end(self) -> None:
        """End those that ask the code server first, then it, and its runs."""
        alive = {what: process.pid for what, process in self._running.items() if process.poll() is None}
        end(pid for what, pid in alive.items() if what != CODE)
        end({*alive.values(), *self._members()})

    def kill(self) -> None:
        """End all of it at once."""
        for group in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)

    def _members(self) -> list[int]:
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.getpgid(int(path.name)) in self._groups:
                    found.append(int(path.name))
        return found


def workspace(folder: Path, code: Path, given: Path) -> Path:
    """The workspace file for the web server and the daemon, which find our code at the socket `code`. What else the
    `given` one lists, if there is one, they serve themselves."""
    listed = yaml.safe_load(given.read_text(encoding="utf-8"))["load_from"] if given.exists() else []
    others = [_moved(each, given.parent) for each in listed if each != {"python_module": LOCATION}]
    ours = {"grpc_server": {"socket": str(code), "location_name": LOCATION}}
    written = folder / "workspace.yaml"
    written.write_text(yaml.safe_dump({"load_from": [ours, *others]}), encoding="utf-8")
    return written


def _moved(location: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same location for a workspace file elsewhere: a Python file's path is relative to it."""
    match location.get("python_file"):
        case str(name):
            return {"python_file": str(folder / name)}
        case dict(given):
            paths = {name: str(folder / given.get(name, "")) for name in ("relative_path", "working_directory")}
            return {"python_file": {**given, **paths}}
    return location


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _end_with_parent() -> None:
    """In the child, before it becomes Dagster's: should its parent be killed, it is asked to end (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job of a shell inherits that it is ignored
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
