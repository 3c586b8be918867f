"""Runs a command as a whole process and measures it: time, CPU, memory and disk, its children included."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[1]
EVERY = 0.02  # seconds between two looks at the memory
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
OURS = ("LP_", "HATCH_", "PUSH_", "INBOX_", "COMMUNICATIONS_", "DAGSTER_")


class Measured(msgspec.Struct):
    """One run of a command. `peak_mb` is the most that its processes had resident at once (shared pages count once for
    each), `disk_mb` the size of `folder` afterwards, `output` the JSON object on its last line, `began_at` a Unix time.
    """

    began_at: float
    seconds: float
    cpu_seconds: float
    peak_mb: float
    disk_mb: float
    output: dict[str, Any] = {}


class Failed(Exception):
    """The command ended with an error; the message is the end of what it wrote."""


def measured(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> Measured:
    """Run it to its end. Raises `Failed`."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began_at, began = time.time(), time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=clean_environ(environ), stdout=out, stderr=err)
        with Peak(process.pid) as peak:
            _, status, usage = _waited(process)
            seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        printed = out.read()
        if process.returncode:
            raise Failed((printed + err.read()).strip()[-1500:])
    last = printed.strip().splitlines()[-1:] or [""]
    return Measured(
        began_at,
        seconds,
        usage.ru_utime + usage.ru_stime,
        peak.megabytes,
        megabytes(folder),
        json.loads(last[0]) if last[0].startswith("{") else {},
    )


def _waited(process: subprocess.Popen[bytes]) -> tuple[int, int, resource.struct_rusage]:
    try:
        return os.wait4(process.pid, 0)
    except BaseException:  # Ctrl-C: it must not outlive us
        process.kill()
        raise


def python(module: str, *arguments: object, interpreter: str = sys.executable) -> list[str]:
    """The command that runs a module."""
    return [interpreter, "-m", module, *map(str, arguments)]


def clean_environ(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without anybody's settings, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, **(more or {})}


class Peak:
    """Inside the block: the most memory that a process and its descendants had resident together."""

    def __init__(self, pid: int) -> None:
        self.megabytes = 0.0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            resident = sum(map(_resident, tree(self._pid))) / 1e6
            self.megabytes = max(self.megabytes, resident, _most_resident(self._pid))


def tree(root: int) -> list[int]:
    """A process and all that descend from it; on Linux only, elsewhere the process alone."""
    found = [root]
    for pid in found:
        try:
            threads = list(Path(f"/proc/{pid}/task").iterdir())
        except OSError:  # it has ended
            continue
        for thread in threads:
            found += map(int, _text(thread / "children").split())
    return found


def proportional_mb(pid: int) -> float:
    """A process's memory, with what it shares divided among those who share it (PSS)."""
    lines = _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu_seconds(pid: int, *, with_ended: bool = False) -> float:
    """What a process has computed so far; also what those that it started and that have ended had."""
    fields = _text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_ended else 13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def command_line(pid: int) -> str:
    """How a process was started."""
    return _text(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")


def megabytes(folder: Path) -> float:
    """How large the files of a folder are, though some may go meanwhile."""
    sizes = []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size if path.is_file() else 0)
    return sum(sizes) / 1e6


def _resident(pid: int) -> int:
    fields = _text(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * PAGE_BYTES if fields else 0


def _most_resident(pid: int) -> float:
    """The most that the process itself ever had, in MB. (`ru_maxrss` counts its parent's, before it became itself.)"""
    lines = _text(Path(f"/proc/{pid}/status")).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1000


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # it has ended
        return ""
