"""Which of Dagster's processes are alive for a DAGSTER_HOME, who listens on a port, and ending processes. It reads
`/proc`; on systems without it, nothing is found.
"""

import os
import signal
import socket
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
PATIENCE = 5.0  # seconds in which a process may end by itself
LISTENING = "0A"


@dataclass(frozen=True)
class Service:
    """One process, and what it is."""

    pid: int
    what: str


def services_of(home: Path) -> list[Service]:
    """Dagster's daemons, web servers and code servers for this home, and what started them."""
    own = {os.getpid(), *_ancestors(os.getpid())}
    found = (Service(pid, _kind(_arguments(pid))) for pid in _pids() if pid not in own)
    return [service for service in found if service.what and _is_for(service.pid, home)]


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def listener(port: int) -> Service | None:
    """Who listens on this port, if that is one of this user's processes."""
    inodes = set()
    for name in ("tcp", "tcp6"):
        for line in _text(PROC / "net" / name).splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for pid in _pids() if inodes else ():
        with suppress(OSError):
            for link in (PROC / str(pid) / "fd").iterdir():
                with suppress(OSError):
                    if str(link.readlink()) in inodes:
                        return Service(pid, _text(PROC / str(pid) / "comm").strip())
    return None


def end(pids: Iterable[int]) -> None:
    """End these processes and all that they started: asked first, killed after 5 seconds."""
    all_of_them = _descendants(set(pids))
    for pid in all_of_them:
        _send(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while any(map(_lives, all_of_them)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in filter(_lives, _descendants(all_of_them)):
        _send(pid, signal.SIGKILL)
    while any(map(_lives, all_of_them)) and time.monotonic() < deadline + PATIENCE:
        time.sleep(0.1)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _pids() -> list[int]:
    return [int(path.name) for path in PROC.glob("[0-9]*")]


def _kind(arguments: Sequence[str]) -> str:
    """What a command line starts; empty if it is none of Dagster's servers."""
    names = [Path(each).name for each in arguments[:6]]
    if "dagster._daemon" in names or "dagster-daemon" in names:
        return "daemon"
    if "dagster_webserver" in names or "dagster-webserver" in names:
        return "web server"
    if "dagster" in names and ("code-server" in names or "grpc" in names):
        return "code server"
    if "dagster" in names and "dev" in names:
        return "dagster dev"
    return "lp-pipeline dev" if "lp-pipeline" in names and "dev" in names else ""


def _is_for(pid: int, home: Path) -> bool:
    """Whether its DAGSTER_HOME is this one; the environment of another user's process can't be read."""
    for each in _text(PROC / str(pid) / "environ").split("\0"):
        if each.startswith("DAGSTER_HOME="):
            return os.path.realpath(each.partition("=")[2]) == os.path.realpath(home)
    return False


def _arguments(pid: int) -> list[str]:
    return _text(PROC / str(pid) / "cmdline").split("\0")


def _state(pid: int) -> list[str]:
    """From the process's state on; empty if there is no such process."""
    return _text(PROC / str(pid) / "stat").rpartition(")")[2].split()


def _lives(pid: int) -> bool:
    return _state(pid)[:1] not in ([], ["Z"], ["X"])


def _ancestors(pid: int) -> list[int]:
    found = []
    while len(state := _state(pid)) > 1 and (pid := int(state[1])):
        found.append(pid)
    return found


def _descendants(roots: set[int]) -> set[int]:
    """These processes and all below them."""
    parents = {pid: int(state[1]) for pid in _pids() if len(state := _state(pid)) > 1}
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended, or is not ours
        return ""
