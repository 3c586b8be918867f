"""Brings `work.duckdb` of an earlier schema to today's (SPEC R6), inside the caller's transaction.

What an older program stored as several tables becomes readings, as received; nothing is read again from LeadPerfection.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lp_pipeline.storage.contact_points import keep_contact_points
from lp_pipeline.storage.record_keys import KeyBits, keep_older_keys_of
from lp_pipeline.storage.records import land
from lp_pipeline.storage.sql import statement

if TYPE_CHECKING:
    from rich.console import Console

WITH_READINGS = 5  # the first schema that stores each reading once
AT_ONCE = 20_000  # readings

_log = logging.getLogger(__name__)


def migrate(connection: Any, version: int) -> None:
    """Convert what an older program stored; today's tables are there already."""
    if version < WITH_READINGS and connection.execute(statement("migration/has_old_readings")).fetchall():
        _to_readings(connection)
    connection.execute(statement("migration/publish_all")).fetchall()
    connection.execute(statement("publish/note_unpublished")).fetchall()


def _to_readings(connection: Any) -> None:
    connection.execute(statement("migration/old_readings")).fetchall()
    ((number,),) = connection.execute("select count(*) from old_readings").fetchall()
    keys = KeyBits(connection)
    with progress(number) as show:
        _convert(connection, keys, number, show)
    keys.remember()
    connection.execute(statement("migration/typed_readings")).fetchall()
    keep_contact_points(connection)
    keep_older_keys_of(connection, connection.execute(statement("migration/thinner")).fetchall())
    connection.execute(statement("migration/opportunities")).fetchall()


def _convert(connection: Any, keys: KeyBits, number: int, show: Callable[[int], None]) -> None:
    done, last = 0, -1
    while done < number:
        rows = connection.execute(statement("migration/some_readings"), {"after": last, "most": AT_ONCE}).fetchall()
        landed = [land(record.encode()) for _, record in rows]
        values = {
            "no": [reading_no for reading_no, _ in rows],
            "record": [record for _, record in rows],
            "normal": [each.normal.decode() if each.normal else None for each in landed],
            "bits": [str(keys.of(each.names)) for each in landed],
        }
        connection.execute(statement("migration/keep_readings"), values).fetchall()
        done, last = done + len(rows), rows[-1][0]
        show(done)


@contextmanager
def progress(number: int, console: "Console | None" = None) -> Iterator[Callable[[int], None]]:
    """What shows how many of so many readings are converted: a bar on a terminal (standard error), else lines in the
    log. It may take minutes, and whatever opens the file first waits for it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield lambda done: _log.info("Upgrading work.duckdb: %s of %s readings", f"{done:,}", f"{number:,}")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Upgrading work.duckdb: readings", total=number)
        yield lambda done: bar.update(task, completed=done)
