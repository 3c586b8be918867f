"""A small file of JSON in a data folder, such as how the last runs ended: written whole or not at all, also on a full
disk. What is in it is up to those who use it.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from filelock import FileLock, Timeout

from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings.files import write_file
from lp_pipeline.storage.failures import readable_errors

BYTES = 16 * 1024  # blanks fill it up, so that a full disk has room for what comes next
JOURNAL, ALERTS = "journal.json", "alerts.json"
PATIENCE_SECONDS = 10.0

T = TypeVar("T", bound=msgspec.Struct)


def reserve(folder: Path) -> None:
    """Give these files of a data folder their room, before its other files need it: a disk that is full at the first
    sync is to be known and announced, too (SPEC E7, N1). Raises `WarehouseError`."""
    with readable_errors(f"write to {folder}"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in (folder / JOURNAL, folder / ALERTS):
            if not path.exists():
                write_file(path, b"".ljust(BYTES))


class StateFile(Generic[T]):
    """One such file; `kind` is what is in it, and without arguments what is known if there is no file."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        self._path = path
        self._kind = kind

    def read(self) -> T:
        """What is known. A file that holds something else counts as none. Raises `WarehouseError` if it can't be
        read."""
        with readable_errors(f"read {self._path}"):
            try:
                return msgspec.json.decode(self._path.read_bytes(), type=self._kind)
            except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
                return self._kind()

    def update(self, change: Callable[[T], T]) -> T:
        """Replace what is known by what `change` makes of it, one process at a time. Raises `WarehouseError`."""
        with readable_errors(f"write {self._path}"):
            try:
                with FileLock(self._path.with_name(f"{self._path.name}.lock"), mode=0o600, timeout=PATIENCE_SECONDS):
                    known = self.read()
                    changed = change(known)
                    if changed != known or not self._path.exists():
                        self._write(msgspec.json.encode(changed).ljust(BYTES))
            except Timeout:
                raise WarehouseError(f"Could not write {self._path}: another process holds its lock.") from None
        return changed

    def _write(self, text: bytes) -> None:
        try:
            write_file(self._path, text)
        except OSError:
            if not self._path.exists():
                raise
            # the disk is full: the blocks that the file has already are enough
            with self._path.open("r+b", buffering=0) as file:
                if file.write(text) < len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None
                os.fsync(file.fileno())
