"""`work.duckdb`: opened for short transactions, always closed, with readable errors.

DuckDB locks the whole file, so nothing is fetched and nobody is waited for while it is open. Opening and closing it
costs more than most transactions, so a run keeps it open from one to the next, until it is about to wait.
"""

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from lp_pipeline.errors import OutOfMemory, WarehouseError
from lp_pipeline.storage.engine import MEMORY, ROOM, give_back, start
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.migration import migrate
from lp_pipeline.storage.sql import statement

SCHEMA_VERSION = 7
STORAGE_VERSION = "v1.5.0"  # the newest command-line client is 1.5
# a whole row group leaves memory before the transaction ends; DuckDB's own size is six times as large
STORAGE = f"storage_version '{STORAGE_VERSION}', row_group_size 20480"
LONG_LOG = 4_000_000  # bytes; to read a shorter one takes less than a checkpoint
LARGE = ".large_records"  # an empty file: what is stored here needs more memory than usual
LOCK_PATIENCE_SECONDS = 20.0
IF_DAMAGED = (
    "Restore it from a backup, or move it aside: the next sync then starts afresh, and `lp-pipeline backfill` reads "
    "the past again."
)
Answer = TypeVar("Answer")
HOLDER = re.compile(r"PID (\d+)")


class Warehouse:
    """The files of one account's data folder.

    `work` is written by the pipeline alone; `published` is for people (SPEC Q1). With `keeps_open`, the work file stays
    open after a transaction, for the next one: whoever waits for anything, or ends, calls `let_go` before.
    """

    def __init__(
        self, folder: Path, *, patience_seconds: float = LOCK_PATIENCE_SECONDS, keeps_open: bool = False
    ) -> None:
        self.folder = folder
        self._spill = folder / "spill"
        self._keeps_open = keeps_open
        self._open: duckdb.DuckDBPyConnection | None = None
        self._closing = threading.Lock()
        self.work = folder / "work.duckdb"
        self.published = folder / "published.duckdb"
        self._patience = patience_seconds

    @contextmanager
    def transaction(self, variables: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """One connection and one transaction: committed at the end of the block, rolled back if it raises.

        `variables` are what the statements read with `getvariable()`. Raises `WarehouseError`.
        """
        with self.connection(variables) as connection:
            connection.execute("begin")
            try:
                yield connection
            except BaseException:
                with _quiet():
                    connection.execute("rollback")
                raise
            connection.execute("commit")

    @contextmanager
    def connection(self, variables: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """An open connection to the work file, outside any transaction."""
        with readable_errors(f"work with {self.work}", if_damaged=IF_DAMAGED):
            if self._open is None:
                self._open = self._opened()
            try:
                with self._open.cursor() as connection:
                    connection.execute("use work")
                    set_variables(connection, variables or {})
                    yield connection
            except BaseException as error:
                self._close()
                if isinstance(error, duckdb.OutOfMemoryException):
                    with suppress(OSError):
                        (self.folder / LARGE).touch(mode=0o600)
                raise
            if not self._keeps_open:
                self.let_go()

    def let_go(self, *, at_rest: bool = True) -> None:
        """Close the work file, if it was kept open, so that others may open it. Any thread may ask.

        Unless it is left `at_rest`, what was last written may stay in its log: the next one to open it reads that.
        """
        with self._closing:
            started, self._open = self._open, None
            if started is None:
                return
            try:
                if at_rest or self._log_bytes() > LONG_LOG:
                    started.execute("checkpoint work")
                started.execute("detach work")
            except duckdb.Error:  # on a full disk, say: what was committed is safe, and closing tries once more
                started.close()
            else:
                give_back(started, self._spill)

    @property
    def is_open(self) -> bool:
        """Whether this program holds the work file just now."""
        return self._open is not None

    def copy(self, to: Path) -> None:
        """Copy the work file, whole and at rest; for whoever has the turn."""
        with self.connection() as connection:
            connection.execute("checkpoint work")
        self.let_go()
        with readable_errors(f"copy {self.work} to {to}"):
            shutil.copyfile(self.work, to)
            to.chmod(0o600)

    def _log_bytes(self) -> int:
        try:
            return self.work.with_name(f"{self.work.name}.wal").stat().st_size
        except FileNotFoundError:
            return 0

    def _close(self) -> None:
        """After an error: whatever it left open is closed with it."""
        with self._closing:
            started, self._open = self._open, None
            if started is not None:
                started.close()

    def _memory_needed(self) -> int:
        """For DuckDB, in MB. A large file gets more, for not all that DuckDB does can go through a file."""
        # whether that was ever too little here, or, for a replay's folder, in the one around it
        if any((folder / LARGE).exists() for folder in (self.folder, self.folder.parent)):
            return ROOM
        size = self.work.stat().st_size if self.work.exists() else 0
        return min(ROOM, MEMORY + size // 2_000_000)

    def _opened(self) -> duckdb.DuckDBPyConnection:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        started = start(self._spill, self._memory_needed())
        try:
            self._make_file(started)
            attach(
                started,
                self.work,
                f"as work ({STORAGE})",
                patience_seconds=self._patience,
                if_held=f"Close that program: people query {self.published.name}, only the pipeline opens this file.",
            )
            self.work.chmod(0o600)
            with started.cursor() as connection:
                connection.execute("use work")
                _ensure_schema(connection)
        except BaseException:
            started.close()
            raise
        return started

    def _make_file(self, started: duckdb.DuckDBPyConnection) -> None:
        """A new work file takes its name when it is whole. Where DuckDB makes one, a full disk or a kill can leave an
        empty one, which it then takes for a damaged one forever (SPEC R1)."""
        with suppress(FileNotFoundError):
            if self.work.stat().st_size > 0 or self._log_bytes():  # with a log beside it, it is damaged
                return
            self.work.unlink()
        new = self.work.with_name(f".{self.work.name}.new")
        try:
            new.unlink(missing_ok=True)
            attach(started, new, f"as new ({STORAGE})", patience_seconds=self._patience, if_held="Wait for it.")
            started.execute("detach new")
            try:
                os.link(new, self.work)  # never over one that was made meanwhile
            except FileExistsError:
                return
            except OSError:  # a file system without links
                new.replace(self.work)
        finally:
            new.unlink(missing_ok=True)


def with_room(work: Callable[[], Answer]) -> Answer:
    """What `work`, a whole transaction, gives. If it needs more memory than usual, nothing is left of it, and it is
    done once more with enough, which its data has from now on."""
    try:
        return work()
    except OutOfMemory:
        return work()


def attach(
    connection: duckdb.DuckDBPyConnection, path: Path, clause: str, *, patience_seconds: float, if_held: str
) -> None:
    """Attach a file; `clause` is what follows its path in `attach` (ours, never a user's).

    Waits for whoever holds the file, at most `patience_seconds`. Raises `WarehouseError` with the holder's process id
    and the advice `if_held`; `duckdb.Error` for anything else, at once.
    """
    literal = str(path).replace("'", "''")
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute(f"attach '{literal}' {clause}")
        except duckdb.IOException as error:
            holder = HOLDER.search(str(error))
            if "lock" not in str(error).lower() or not holder:
                raise
            if time.monotonic() > deadline:
                raise WarehouseError(f"{path} is held open by process {holder.group(1)}. {if_held}") from None
            time.sleep(0.1)
        else:
            return


def set_variables(connection: duckdb.DuckDBPyConnection, variables: Mapping[str, Any]) -> None:
    """Make values readable by `getvariable(name)`; names are ours, values are bound."""
    for name, value in variables.items():
        connection.execute(f"set variable {name} = $value", {"value": value})


def run(connection: duckdb.DuckDBPyConnection, name: str, variables: Mapping[str, Any] | None = None) -> list[Any]:
    """Run every statement of `sql/<name>.sql`; the rows of the last one."""
    set_variables(connection, variables or {})
    return connection.execute(statement(name)).fetchall()


def bound(connection: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, Any] | None = None) -> list[Any]:
    """Run the one statement of `sql/<name>.sql` with its parameters bound; its rows."""
    return connection.execute(statement(name), values or {}).fetchall()


def rows_of(
    connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The rows that a query brings, each by column name; `values` are its parameters."""
    result = connection.execute(query, values or {})
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def first_row(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    """The first row that a query brings, by column name."""
    return rows_of(connection, query)[0]


def _ensure_schema(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        (version,) = connection.execute("select max(version) from pipeline.version").fetchall()[0]
    except duckdb.CatalogException:  # a new file; asking DuckDB which tables there are takes ten times as long
        version = None
    if version == SCHEMA_VERSION:
        return
    if version is not None and version > SCHEMA_VERSION:
        raise WarehouseError(
            f"The data folder was written by a newer lp_pipeline (schema {version}, this one knows {SCHEMA_VERSION}). "
            "Upgrade the program; nothing was changed."
        )
    connection.execute("begin")
    connection.execute(statement("schema/work"))
    connection.execute(statement("schema/macros"))
    if version is not None:
        migrate(connection, version)
        connection.execute(statement("schema/work"))  # what was staged in an older form is dropped
    connection.execute(statement("schema/ranked_opportunities"))
    connection.execute("delete from pipeline.version")
    connection.execute("insert into pipeline.version values ($version)", {"version": SCHEMA_VERSION})
    connection.execute("commit")


@contextmanager
def _quiet() -> Iterator[None]:
    """A rollback or letting go that fails changes nothing: the connection is closed next, and the first error is the
    one to report."""
    try:
        yield
    except duckdb.Error:
        return
