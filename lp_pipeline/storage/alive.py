"""Files that show which runs are alive: each run holds one of its own locked, by the operating system, so that a run
whose process is gone is known by its unlocked file (SPEC R1). Which process may write what: `locks.py`.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def shown_alive(folder: Path, name: str, note: str = "") -> Iterator[None]:
    """Hold a file of this name locked, with the note in it. It is created locked and deleted before the lock is
    released, so the file of a living run is never unlocked."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, made = folder / name, folder / f".{name}"
    with made.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(note)
            file.flush()
            made.rename(path)
            yield
        finally:
            path.unlink(missing_ok=True)
            made.unlink(missing_ok=True)


def is_gone(path: Path) -> bool:
    """Whether the run of this file started and its process died. False if unsure: a missing file proves nothing."""
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return path.exists()  # otherwise it has just ended normally
    except (FileNotFoundError, BlockingIOError):
        return False
