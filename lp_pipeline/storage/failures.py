"""Turns disk, DuckDB and SQLite errors into one message that says what to do (SPEC R4: it contains no values)."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from lp_pipeline.errors import OutOfMemory, PipelineError, WarehouseError

MOVE_ASIDE = "Restore it from a backup, or move it aside."
MORE_MEMORY = (
    "DuckDB needs more memory than it had. Nothing is half-written. From now on it gets 2 GB with this data: run this "
    "again. If that fails, too, give the machine more memory."
)
DAMAGE = (
    *("not a valid duckdb", "not a database", "corrupt", "malformed", "checksum", "deserializ"),
    "could not read enough bytes",  # the file was cut off
)


@contextmanager
def readable_errors(purpose: str, *, if_damaged: str = MOVE_ASIDE) -> Iterator[None]:
    """Raise disk, DuckDB and SQLite errors as `WarehouseError`: "Could not `purpose`: …" (SPEC R4: no values in it)."""
    try:
        yield
    except PipelineError:
        raise
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise  # a bug in our SQL; its text contains no data
    except duckdb.OutOfMemoryException:
        raise OutOfMemory(f"Could not {purpose}: {MORE_MEMORY}") from None
    except (duckdb.Error, sqlite3.Error) as error:
        advice = _advice(str(error), type(error).__name__, if_damaged)
        raise WarehouseError(f"Could not {purpose}: {advice}") from None
    except OSError as error:
        advice = _advice(str(error.strerror), "OSError", if_damaged)
        raise WarehouseError(f"Could not {purpose}: {advice}") from None


def _advice(text: str, kind: str, if_damaged: str) -> str:
    lower = text.lower()
    if "no space left" in lower or "disk quota" in lower or "disk is full" in lower:
        return "the disk is full. Free some space. Nothing is half-written; the next sync continues."
    if "file too large" in lower:
        return (
            "the file may not grow any further (a limit of this user or the file system). Raise the limit. "
            "Nothing is half-written; the next sync continues."
        )
    if "disk i/o error" in lower:
        return "the disk failed or is full. Free some space or check the disk; the next sync continues."
    if "permission denied" in lower or "read-only" in lower:
        return "the folder cannot be written. Check the owner and permissions of LP_PIPELINE_DATA."
    if "file exists" in lower or "not a directory" in lower:
        return "there is a file where a folder is expected. Check LP_PIPELINE_DATA."
    if "wal file" in lower or "replaying wal" in lower:
        return (
            "the log next to it (the same name with .wal) belongs to another version of it. If the file was restored "
            "from a backup, move that log aside; if not, restore both."
        )
    if any(sign in lower for sign in DAMAGE):
        return f"the file is damaged. {if_damaged}"
    return f"{kind}. Nothing was committed; see the run's log for details."
