"""Whose turn it is: one run at a time works on a data folder, one at a time pushes, the others wait (SPEC R2).

Locks of the operating system, so that each ends with its process, however that ends (R1).
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.failures import readable_errors

PATIENCE_SECONDS = 12 * 60.0
WORK = "turn"
NEXT = "next"  # held while waiting for the turn: a backfill lets that run go first
BRIEF = "brief"  # held besides the turn by a run that soon gives it back: a sync waits, its tick is not skipped
PUSH_TURN = "push"
PUBLISH_TURN = "publish"
PAST = "past"  # held by a backfill or sweep from its beginning to its end, whoever has the turn meanwhile
MARK_SECONDS = 1.0
ANOTHER = "another run"


class Turn:
    """The right to work on a data folder, or by another `name` to push, to publish what was pushed, and so on.

    `with Turn(folder):` waits for it; raises `WarehouseError` after `patience_seconds`. `who` is what others read.
    """

    # Looking must not take, or a run that asks at that instant would find the turn taken by a mere look. The operating
    # system can't tell whether a file is locked without trying to lock it, so whoever has the turn locks a second file
    # too, its mark, and looking tries that one alone, together with all who look (a shared lock). A look in progress
    # can delay the mark, by a second at most, and never the turn.

    def __init__(
        self, folder: Path, name: str = WORK, *, who: str = ANOTHER, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._folder = folder
        self._who = who
        self._patience = patience_seconds
        self._mark_path = folder / f"{name}.taken.lock"
        self._lock = FileLock(folder / f"{name}.lock", mode=0o600, thread_local=False)
        self._mark = FileLock(self._mark_path, mode=0o600, thread_local=False)

    def __enter__(self) -> Self:
        if not self._acquire(self._patience):
            who = self.holder() or ANOTHER
            raise WarehouseError(
                f"{who[:1].upper()}{who[1:]} has been working on {self._folder} for more than "
                f"{self._patience / 60:.0f} minutes. Look at it in the Dagster UI and end it if it is stuck. "
                "Nothing is lost: the next sync catches up."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mark.release()
        self._lock.release()

    @contextmanager
    def if_free(self) -> Iterator[bool]:
        """Take the turn for the block if it is free just now; whether it was."""
        taken = self._acquire(0.0)
        try:
            yield taken
        finally:
            if taken:
                self.__exit__(None, None, None)

    def is_taken(self) -> bool:
        """Whether a living process has the turn just now; looking takes nothing."""
        try:
            with self._mark_path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def holder(self) -> str | None:
        """Who has the turn just now, such as "another sync"; None if nobody has."""
        return self._mark_path.read_text(encoding="utf-8") or ANOTHER if self.is_taken() else None

    def _acquire(self, seconds: float) -> bool:
        with readable_errors(f"use the data folder {self._folder}"):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._lock.acquire(timeout=seconds, poll_interval=0.2)
            except Timeout:
                return False
            try:
                with suppress(Timeout):
                    self._mark.acquire(timeout=MARK_SECONDS, poll_interval=0.01)
                with suppress(OSError):  # a full disk: then it is another run
                    self._mark_path.write_text(self._who, encoding="utf-8")
            except BaseException:
                self._lock.release()
                raise
        return True


@contextmanager
def push_turn(settings: Settings) -> Iterator[None]:
    """One push at a time works on a data folder, and nobody else on the ledger's open rows."""
    with Turn(settings.data, PUSH_TURN):
        yield


@contextmanager
def briefly(folder: Path, who: str = ANOTHER) -> Iterator[None]:
    """The turn for a moment, for work that lets syncs go first, however long they take (SPEC W2)."""
    waiting, turn = Turn(folder, NEXT), Turn(folder, who=who)
    while True:
        if not waiting.is_taken():
            with turn.if_free() as is_ours:
                if is_ours and not waiting.is_taken():  # looked at again: one may have come to wait meanwhile
                    with Turn(folder, BRIEF):
                        yield
                    return
        time.sleep(0.2)
