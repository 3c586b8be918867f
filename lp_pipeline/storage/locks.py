"""Whose turn it is: one run at a time works on a data folder, one at a time pushes, the others wait (SPEC R2).

A lock of the operating system, so that it ends with its process, however that ends (R1).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.failures import plainly

PATIENCE_SECONDS = 12 * 60.0
NEXT = "next"  # who waits for the turn holds this one: a backfill lets it go first
BRIEF = "brief"  # who has the turn for a moment only holds this one: a sync need not be put off for that
PUSH_TURN = "push"
PAST = "past"  # a backfill or sweep at work holds this one, whoever has the turn


class Turn:
    """The right to work on a data folder, or by another `name` to push, or to publish what was pushed."""

    def __init__(self, folder: Path, name: str = "turn", *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._folder = folder
        self._path = folder / f"{name}.lock"
        self._patience = patience_seconds
        self._lock: FileLock | None = None

    def take(self) -> None:
        """Wait for the turn; raises `WarehouseError` after 12 minutes."""
        if not self._acquire(self._patience):
            raise WarehouseError(
                f"Another run has been working on {self._folder} for more than {self._patience / 60:.0f} minutes. "
                "Look at it in the Dagster UI and end it if it is stuck; nothing is lost, the next sync goes on."
            )

    def take_at_once(self) -> bool:
        """Take the turn if it is free; whether it was."""
        return self._acquire(0.0)

    def _acquire(self, seconds: float) -> bool:
        if self._lock is not None:
            return True
        with plainly(f"use the data folder {self._folder}"):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self._path, mode=0o600, thread_local=False)
            try:
                lock.acquire(timeout=seconds, poll_interval=0.2)
            except Timeout:
                return False
        self._lock = lock
        return True

    def give_back(self) -> None:
        """Let the next one go on; does nothing if the turn was never taken."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def is_taken(self) -> bool:
        """Whether a living process has the turn just now."""
        if not self._path.exists():
            return False
        try:
            with FileLock(self._path, mode=0o600, thread_local=False).acquire(timeout=0):
                return False
        except Timeout:
            return True


@contextmanager
def push_turn(settings: Settings) -> Iterator[None]:
    """One push at a time works on a data folder, and nobody else on the ledger's open rows."""
    turn = Turn(settings.data, PUSH_TURN)
    turn.take()
    try:
        yield
    finally:
        turn.give_back()


@contextmanager
def briefly(folder: Path) -> Iterator[None]:
    """The turn for a moment, for work that lets syncs go first, however long they take (SPEC W2)."""
    waiting, turn, brief = (Turn(folder, name) for name in (NEXT, "turn", BRIEF))
    while waiting.is_taken() or not turn.take_at_once():
        time.sleep(0.2)
    try:
        brief.take()
        yield
    finally:
        brief.give_back()
        turn.give_back()
