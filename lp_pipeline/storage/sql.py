"""Named SQL: every statement that matters stands in a file under `sql/`, one purpose to a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from lp_pipeline.package_data import package_data

_folder: ContextVar[Path | None] = ContextVar("folder", default=None)


def statement(name: str) -> str:
    """The text of `<name>.sql`."""
    return _read(_folder.get() or package_data("sql"), name)


@contextmanager
def statements_from(folder: Path) -> Iterator[None]:
    """Within the block statements come from this folder instead of `sql/`, to see what other rules would do."""
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


@cache
def _read(folder: Path, name: str) -> str:
    return (folder / f"{name}.sql").read_text(encoding="utf-8")
