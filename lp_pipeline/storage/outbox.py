"""`outbox.sqlite`: what came in from Hatch, and what went out to Hatch and LeadPerfection (SPEC Q1).

Opening it, durable transactions, named SQL. What the rows mean is decided by those who use it, and in `sql/outbox/`.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from lp_pipeline.errors import WarehouseError
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.sql import statement

OUTBOX_VERSION = 3
PATIENCE_SECONDS = 60.0
READER_PATIENCE_SECONDS = 5.0
IF_DAMAGED = (
    "Restore it from a backup: it alone knows what was sent already. Without it, communications could be sent again."
)
Row = sqlite3.Row


class Outbox:
    """One process's connection to the outbox of a data folder; opened at first need, safe for several threads.

    `read_only` neither makes nor upgrades the file; one of an older program seems empty, for the next run upgrades it.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / "outbox.sqlite"
        self._read_only = read_only
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def transaction(self, *, visible: bool = True) -> Iterator[sqlite3.Connection]:
        """One durable transaction: on disk at the end of the block, rolled back if it raises `WarehouseError` or else.

        `visible` changes are what people get to see at the next publication.
        """
        with self._lock, readable_errors(f"write {self.path}", if_damaged=IF_DAMAGED):
            connection = self._opened()
            connection.execute("begin immediate")
            before = connection.total_changes
            try:
                yield connection
                if visible and connection.total_changes > before:
                    run(connection, "bump_revision")
            except BaseException:
                if connection.in_transaction:  # on a full disk SQLite has rolled back by itself
                    connection.execute("rollback")
                raise
            connection.execute("commit")

    def compact(self) -> None:
        """Write the file anew, so that nothing of what was deleted is left in it or its log; `WarehouseError`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._lock, readable_errors(f"write {self.path} anew", if_damaged=IF_DAMAGED):
            connection = self._opened()
            connection.execute("vacuum")
            while connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]:  # somebody is reading it
                if time.monotonic() > deadline:
                    raise WarehouseError(f"Another program keeps reading {self.path}. End it, and run this again.")
                time.sleep(0.1)

    @contextmanager
    def dry_run(self) -> Iterator[sqlite3.Connection]:
        """A transaction of which nothing is kept; what is read within it sees it."""
        with self._lock, readable_errors(f"read {self.path}", if_damaged=IF_DAMAGED):
            connection = self._opened()
            connection.execute("begin immediate")
            try:
                yield connection
            finally:
                connection.execute("rollback")

    def rows(self, name: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of the query `sql/outbox/<name>.sql`; none, and no file, if there is no outbox yet."""
        if not self.path.exists():
            return []
        with self._lock, readable_errors(f"read {self.path}", if_damaged=IF_DAMAGED):
            connection = self._opened()
            if self._read_only and _version(connection) < OUTBOX_VERSION:
                return []
            return run(connection, name, values)

    @property
    def revision(self) -> int:
        """Counts the transactions that changed something people can see."""
        found = self.fact("revision")
        return int(found) if found else 0

    @property
    def is_busy(self) -> bool:
        """Whether another thread is using it, or waits until another process lets go of it."""
        if not self._lock.acquire(blocking=False):
            return True
        self._lock.release()
        return False

    def fact(self, name: str) -> str | None:
        """Something the outbox remembers."""
        found = self.rows("fact", {"name": name})
        return str(found[0]["value"]) if found else None

    def keep(self, name: str, value: str, *, once: bool = False) -> None:
        """Remember something; `once` keeps what is there already."""
        with self.transaction(visible=False) as connection:
            run(connection, "keep_fact_once" if once else "keep_fact", {"name": name, "value": value})

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if not self._read_only:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.path.touch(mode=0o600)
            connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",  # with mode=ro, two empty files would stay beside it
                uri=True,
                timeout=READER_PATIENCE_SECONDS if self._read_only else PATIENCE_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                connection.row_factory = sqlite3.Row
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if version > OUTBOX_VERSION:
            raise WarehouseError(
                f"The outbox was written by a newer lp_pipeline (version {version}, this one knows {OUTBOX_VERSION}). "
                "Upgrade the program; nothing was changed."
            )
        if self._read_only:
            connection.execute("pragma query_only = on")
            return
        connection.execute("pragma synchronous = full")
        if version < OUTBOX_VERSION:
            # by one process alone: SQLite does not wait while another one switches the journal (SPEC R2)
            with FileLock(self.path.with_suffix(".lock"), mode=0o600, thread_local=False):
                connection.execute("pragma journal_mode = wal").fetchall()
                schema = statement("outbox/schema")
                connection.executescript(
                    f"begin immediate;\n{schema}\npragma user_version = {OUTBOX_VERSION};\ncommit;"
                )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("pragma user_version").fetchone()[0])


def run(connection: sqlite3.Connection, name: str, values: Mapping[str, Any] | None = None) -> list[Row]:
    """Run the one statement of `sql/outbox/<name>.sql`; its rows."""
    return connection.execute(statement(f"outbox/{name}"), values or {}).fetchall()


def iso(instant: datetime) -> str:
    """An instant as the outbox keeps it: UTC, microseconds, sortable as text."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def instant_of(text: str) -> datetime:
    """The instant that `iso` wrote."""
    return datetime.fromisoformat(text)
