"""A small disk of its own for a data folder, that can be filled and made read-only; tests of it are skipped where this
user may not mount one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTES = 24


class Disk:
    """A disk in memory, mounted on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave: int = 0) -> None:
        """Let it have so many bytes of room."""
        self.free()
        with self._ballast.open("wb") as ballast:
            ballast.write(b"\0" * max(0, shutil.disk_usage(self.folder).free - leave))

    def free(self) -> None:
        """Let it have all its room again."""
        self._ballast.unlink(missing_ok=True)

    def writable(self, yes: bool) -> None:
        """Make it read-only, or writable again."""
        _run("mount", "-o", f"remount,{'rw' if yes else 'ro'}", str(self.folder))


@contextmanager
def disk_if_allowed(folder: Path) -> Iterator[Disk | None]:
    """A disk on this folder until the block ends; None, and just a folder, where this user may not mount one."""
    folder.mkdir(mode=0o700, parents=True)
    options = f"size={MEGABYTES}m,mode=0700"
    if not shutil.which("mount") or not _run("mount", "-t", "tmpfs", "-o", options, "lp_pipeline_tests", str(folder)):
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """The same for a test that has to have one."""
    with disk_if_allowed(folder) as disk:
        if disk is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)("only root can mount a disk to be filled")
        yield disk


def _run(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
