"""Searching a whole data folder for a person: every file as bytes, and every value of every table of every database."""

import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb

Found = dict[str, set[str]]  # what was found, by file


def found_in(folder: Path, needles: Iterable[str]) -> Found:
    """Which of the needles are in which files, in whatever form; file names count too."""
    found: Found = defaultdict(set)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        texts = texts_of(path)
        for needle in needles:
            if any(needle.lower().encode() in text.lower() for text in texts):
                found[str(path.relative_to(folder))].add(needle)
    return dict(found)


def texts_of(path: Path) -> list[bytes]:
    """All that can be read in a file: its name, its bytes, and all values of a database."""
    return [path.name.encode(), path.read_bytes(), *_values(path)]


def _values(path: Path) -> Iterator[bytes]:
    """All values of a database, as text: those in it are compressed, or stand in its log."""
    with tempfile.TemporaryDirectory() as aside:
        copy = Path(aside) / "copy.db"
        shutil.copyfile(path, copy)
        log = path.with_name(f"{path.name}.wal")
        if log.is_file() and not log.is_symlink():
            shutil.copyfile(log, copy.with_name(f"{copy.name}.wal"))
        head = path.read_bytes()[:16]
        if head.startswith(b"SQLite format 3"):
            for end in ("-wal", "-shm"):
                if path.with_name(path.name + end).exists():
                    shutil.copyfile(path.with_name(path.name + end), copy.with_name(copy.name + end))
            with closing(sqlite3.connect(copy)) as connection:
                yield "\n".join(connection.iterdump()).encode("utf-8", "replace")
        elif head[8:12] == b"DUCK":
            with duckdb.connect(str(copy)) as connection:
                tables = connection.execute(
                    "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
                ).fetchall()
                for schema, table in tables:
                    rows = connection.execute(
                        f'select row_to_json(t)::varchar from "{schema}"."{table}" as t'
                    ).fetchall()
                    yield "\n".join(row[0] for row in rows).encode("utf-8", "replace")
