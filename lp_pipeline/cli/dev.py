"""`lp-pipeline dev`: Dagster's web UI, daemon and code server, which start only if no others run on the same
DAGSTER_HOME, and which end together, however they end. What they do is in `orchestration/`.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import click

from lp_pipeline.cli.home import check_storage
from lp_pipeline.cli.services import Service, end, is_free, listener, services_of
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings.package_data import package_data

HOST = "127.0.0.1"
AGAIN = "make dev ARGS=--replace  (or lp-pipeline dev --replace)"
PR_SET_PDEATHSIG = 1


def serve(home: Path, port: int, *, replace: bool) -> int:
    """Serve until a signal comes or Dagster ends; the exit code.

    Raises `SettingsError` if the port is taken, or if a Dagster of this home is running: two would start every
    scheduled run twice. `replace` ends that one first; on a terminal, it is offered.
    """
    check_storage(home)
    _make_room(home, replace=replace)
    with _only_one(home):
        if not is_free(HOST, port):
            raise SettingsError(_taken(port))
        return _run(port)


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
    workspace = package_data("workspace.yaml")
    loaded = ["--workspace", str(workspace)] if workspace.exists() else ["-m", "lp_pipeline.definitions"]
    command = [sys.executable, "-m", "dagster", "dev", *loaded, "--host", HOST, "--port", str(port)]
    # in a group of its own, so that all of it can be ended, and Ctrl-C reaches it once
    with subprocess.Popen(command, process_group=0, preexec_fn=_end_with_parent) as dagster:  # noqa: S603
        asked: list[int] = []

        def stop(number: int, _frame: FrameType | None) -> None:
            asked.append(number)
            with suppress(ProcessLookupError):
                if len(asked) > 1:
                    os.killpg(dagster.pid, signal.SIGKILL)
                else:
                    dagster.send_signal(signal.SIGINT)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        code = dagster.wait()
        end(_group(dagster.pid))
    if asked:
        return 0
    how = f"was killed (signal {-code})" if code < 0 else f"ended (exit code {code})"
    ended = f"`dagster dev` {how}; its web server, daemon and runs were ended, too. Start it again:  make dev"
    click.echo(ended, err=True)
    return 1


def _group(group: int) -> list[int]:
    """What is left of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getpgid(int(path.name)) == group:
                found.append(int(path.name))
    return found


def _end_with_parent() -> None:
    """In the child, before it becomes `dagster dev`: should its parent be killed, it gets a Ctrl-C (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job of a shell inherits that it is ignored
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
