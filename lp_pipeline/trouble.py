"""The trouble of disks, DuckDB and SQLite, told as one message that says what to do (SPEC R4: no values in it)."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from lp_pipeline.errors import PipelineError, WarehouseError


@contextmanager
def plainly(purpose: str) -> Iterator[None]:
    """Turn the trouble of disks, DuckDB and SQLite into one message that says what to do (SPEC R4: no values in it)."""
    try:
        yield
    except PipelineError:
        raise
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        raise  # a mistake of ours, with no data in its text
    except (duckdb.Error, sqlite3.Error) as error:
        raise WarehouseError(f"Could not {purpose}: {_advice(str(error), type(error).__name__)}") from None
    except OSError as error:
        raise WarehouseError(f"Could not {purpose}: {_advice(str(error.strerror), 'OSError')}") from None


def _advice(text: str, kind: str) -> str:
    lower = text.lower()
    if "no space left" in lower or "disk quota" in lower or "disk is full" in lower:
        return "the disk is full. Free some space; nothing is half-written, and the next sync carries on."
    if "disk i/o error" in lower:
        return "the disk failed or is full. Free some space or look at the disk; the next sync carries on."
    if "permission denied" in lower or "read-only" in lower:
        return "the folder cannot be written. Check the owner and permissions of LP_PIPELINE_DATA."
    if "file exists" in lower or "not a directory" in lower:
        return "there is a file where a folder is wanted. Check LP_PIPELINE_DATA."
    if (
        "not a valid duckdb" in lower
        or "corrupt" in lower
        or "malformed" in lower
        or "checksum" in lower
        or "deserializ" in lower
    ):
        return (
            "the file is damaged. Restore it from a backup, or move it aside: the next sync then starts afresh "
            "and reads LeadPerfection again."
        )
    return f"{kind}. Nothing was committed; see the run's log for where."
