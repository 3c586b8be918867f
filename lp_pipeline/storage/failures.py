"""The trouble of disks, DuckDB and SQLite, told as one message that says what to do (SPEC R4: no values in it)."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from lp_pipeline.errors import PipelineError, WarehouseError

MOVE_ASIDE = "Restore it from a backup, or move it aside."
DAMAGE = (
    *("not a valid duckdb", "not a database", "corrupt", "malformed", "checksum", "deserializ"),
    "could not read enough bytes",  # the file was cut off
)


@contextmanager
def plainly(purpose: str, *, if_damaged: str = MOVE_ASIDE) -> Iterator[None]:
    """Turn the trouble of disks, DuckDB and SQLite into one message that says what to do (SPEC R4: no values in it)."""
    try:
        yield
    except PipelineError:
        raise
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise  # a mistake of ours, with no data in its text
    except (duckdb.Error, sqlite3.Error) as error:
        told = _advice(str(error), type(error).__name__, if_damaged)
        raise WarehouseError(f"Could not {purpose}: {told}") from None
    except OSError as error:
        told = _advice(str(error.strerror), "OSError", if_damaged)
        raise WarehouseError(f"Could not {purpose}: {told}") from None


def is_damage(error: Exception) -> bool:
    """Whether an error of DuckDB or SQLite says that the file is not what it was."""
    return any(sign in str(error).lower() for sign in DAMAGE)


def _advice(text: str, kind: str, if_damaged: str) -> str:
    lower = text.lower()
    if "no space left" in lower or "disk quota" in lower or "disk is full" in lower:
        return "the disk is full. Free some space; nothing is half-written, and the next sync carries on."
    if "file too large" in lower:
        return (
            "the file may not grow any further (a limit of this user or of the file system). Raise the limit; "
            "nothing is half-written, and the next sync carries on."
        )
    if "disk i/o error" in lower:
        return "the disk failed or is full. Free some space or look at the disk; the next sync carries on."
    if "permission denied" in lower or "read-only" in lower:
        return "the folder cannot be written. Check the owner and permissions of LP_PIPELINE_DATA."
    if "file exists" in lower or "not a directory" in lower:
        return "there is a file where a folder is wanted. Check LP_PIPELINE_DATA."
    if any(sign in lower for sign in DAMAGE):
        return f"the file is damaged. {if_damaged}"
    return f"{kind}. Nothing was committed; see the run's log for where."
