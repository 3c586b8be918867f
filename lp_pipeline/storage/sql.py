"""Loads named SQL. Every statement that decides something is a file under `sql/`, one purpose per file."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from lp_pipeline.settings.package_data import package_data

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


def statement(name: str) -> str:
    """The text of `sql/<name>.sql`; `name` may include a folder, as in `merge/outcomes`."""
    return _read(_folder.get() or package_data("sql"), name)


@contextmanager
def statements_from(folder: Path) -> Iterator[None]:
    """Inside the block, load statements from this folder instead of `sql/`, to try out changed rules."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


@cache
def _read(folder: Path, name: str) -> str:
    return (folder / f"{name}.sql").read_text(encoding="utf-8")
