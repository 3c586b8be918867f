"""Named SQL: every statement that matters stands in a file under `sql/`, one purpose to a file."""

from functools import cache

from lp_pipeline.settings import REPOSITORY


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    return (REPOSITORY / "sql" / f"{name}.sql").read_text(encoding="utf-8")
