"""What a backup consists of, and whether it is whole: its files, read to their ends, beside what its manifest says.

Making one: `backup.py`; putting it back: `restore.py`.
"""

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from lp_pipeline.errors import SettingsError, WarehouseError
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.forgotten import FILE as FORGOTTEN
from lp_pipeline.storage.forgotten import Forgotten
from lp_pipeline.storage.sql import statement

FORMAT = 1
NAME = "manifest.json"
STAGING = ".restore"  # where a restore puts its copies together
WORK, OUTBOX = "work.duckdb", "outbox.sqlite"
STAGING = ".restore"  # in the data folder, where a restore prepares its files
DAMAGED = "This copy is no good: make another one."


class CopiedFile(msgspec.Struct):
    """One file: its size in bytes, its digest, the version of its schema, and how many rows each table has."""

    name: str
    bytes: int
    sha256: str
    schema: int
    rows: dict[str, int]


class Manifest(msgspec.Struct):
    """`made_at` is when the outbox was copied: what was sent after it is unknown to this copy (SPEC R5). `account` is
    LeadPerfection's address and client id, and the time zone (J5)."""

    made_at: datetime
    program: str
    account: list[str]
    files: list[CopiedFile]
    format: int = FORMAT

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises `SettingsError` if the folder is none, or one of a newer program."""
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        raise SettingsError(
            f"{folder} is not a backup: it has no valid {NAME}. Give a folder that `lp-pipeline backup` made."
        ) from None
    if found.format > FORMAT:
        raise SettingsError(f"{folder} was made by a newer lp_pipeline ({found.program}). Upgrade the program.")
    return found


def check(folder: Path, manifest: Manifest) -> None:
    """Raise `WarehouseError` if a file of a backup is not as it was when the backup was made."""
    for file in manifest.files:
        with readable_errors(f"read {folder / file.name}"):
            digest = sha256(folder / file.name) if (folder / file.name).exists() else ""
        if digest != file.sha256:
            state = "damaged" if digest else "missing"
            raise WarehouseError(f"{folder / file.name} is {state}, so nothing was changed. Take another backup.")


def described(path: Path) -> CopiedFile:
    """Read a copied file to its end, and describe it. Raises `WarehouseError` if it is damaged."""
    with readable_errors(f"check the copy {path}", if_damaged=DAMAGED):
        schema, rows = READERS[path.name](path)
        return CopiedFile(path.name, path.stat().st_size, sha256(path), schema, rows)


def sha256(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _duckdb(path: Path) -> tuple[int, dict[str, int]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        ((name,),) = connection.execute("select current_database()").fetchall()
        tables = connection.execute(statement("upkeep/tables"), {"database": name}).fetchall()
        rows = {f"{schema}.{table}": _read_through(connection, schema, table) for schema, table in tables}
        ((version,),) = connection.execute("select max(version) from pipeline.version").fetchall()
        return version, rows


def _read_through(connection: Any, schema: str, table: str) -> int:
    """How many rows a table has; computing a hash of all of them reads every block, whose checksums DuckDB compares."""
    ((number, _),) = connection.execute(f'select count(*), max(hash(t)) from "{schema}"."{table}" as t').fetchall()  # noqa: S608
    return int(number)


def _sqlite(path: Path) -> tuple[int, dict[str, int]]:
    """Nobody else has the copy open: `immutable` leaves no file beside it."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        if connection.execute("pragma integrity_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("malformed")
        tables = [name for (name,) in connection.execute(statement("outbox/tables"))]
        rows = {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables}  # noqa: S608
        return connection.execute("pragma user_version").fetchone()[0], rows


def _forgotten(path: Path) -> tuple[int, dict[str, int]]:
    Forgotten(path.parent)  # raises if it is damaged
    return 1, {}


READERS: dict[str, Callable[[Path], tuple[int, dict[str, int]]]] = {
    WORK: _duckdb,
    OUTBOX: _sqlite,
    FORGOTTEN: _forgotten,
}
