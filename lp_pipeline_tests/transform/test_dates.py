"""SPEC J4: one set of date forms. Texts in; the dates that Python reads and those that SQL reads come out the same."""

from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.lp_dates import read_date
from lp_pipeline.storage.sql import statement

FORMS = st.from_regex(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]"
    r"([T ][0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{0,6})?(Z|[+-][0-9][0-9](:?[0-9][0-9])?)?)?",
    fullmatch=True,
)
NEARLY = st.from_regex(
    r"(19|20|21|22|99)[0-9]{2}-0[1-9]-[0-2][0-9]([T ]1[0-9]:[0-5][0-9]:[0-5][0-9])?.?", fullmatch=True
)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute("create schema pipeline")
    connection.execute(statement("schema/macros"))
    return connection


def in_sql(database: duckdb.DuckDBPyConnection, texts: list[str]) -> list[datetime | None]:
    query = "select pipeline.lp_wall(text, 'UTC') from (select unnest($texts::varchar[]) as text)"
    return [found for (found,) in database.execute(query, {"texts": texts}).fetchall()]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-08-06T18:14:08.96", datetime(2026, 8, 6, 18, 14, 8, 960_000)),
        ("2026-08-06 18:14:08.9612345", datetime(2026, 8, 6, 18, 14, 8, 961_234)),
        ("2026-08-06", datetime(2026, 8, 6)),
        ("2026-08-06T18:14:08-04:00", datetime(2026, 8, 6, 22, 14, 8)),
        ("2026-08-06T18:14:08-0400", datetime(2026, 8, 6, 22, 14, 8)),
        ("2026-08-06T18:14:08Z", datetime(2026, 8, 6, 18, 14, 8)),
        ("2199-12-31T23:59:59", datetime(2199, 12, 31, 23, 59, 59)),
        *((text, None) for text in ("9999-12-31T23:59:59.9999999", "2200-01-01", "1969-12-31", "0001-01-01T00:00:00")),
        ("2026-08-06T18:14:08+23:59", datetime(2026, 8, 5, 18, 15, 8)),
        *(
            (text, None)
            for text in ("2026-08-06T18:14:08+24:00", "2026-08-06T18:14:08-99:99", "2026-08-06T18:14:08+01:60")
        ),
        *((text, None) for text in ("", "08/06/2026", "2026-02-30", "2026-08-06T24:00:00", "2026-08-06T18:14", "x")),
    ],
)
def test_a_date_is_read_in_the_contracts_forms_only(
    database: duckdb.DuckDBPyConnection, text: str, date: datetime | None
) -> None:
    """J4: a sentinel is any year before 1970 or after 2199; other formats count as missing; an offset is applied."""
    found = read_date(text)
    assert (found.astimezone(UTC).replace(tzinfo=None) if found and found.tzinfo else found) == date
    assert in_sql(database, [text]) == [date]


@given(st.lists(FORMS | NEARLY, max_size=20))
def test_sql_and_python_read_the_same_dates(database: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    """J4: the sync that looks for shifted pages and the merge must not disagree on what a stamp means."""
    found = [read_date(text) for text in texts]
    assert [each.replace(tzinfo=None) if each else None for each in found] == in_sql(database, texts)
