"""SPEC Q1: the published file beside other people's databases, and moved into them."""

from pathlib import Path

import duckdb
import pytest

from lp_pipeline.storage.publish import publish
from lp_pipeline_tests.scenario import Scenario, lead, prospect

NAMES = ("pipeline", "raw", "internal", "work", "draft", "memory", "published", "opportunities", "lp_pipeline", "a b")
RELATIONS = """
select schema_name, table_name from duckdb_tables() where database_name = $database
union all
select schema_name, view_name from duckdb_views() where database_name = $database and not internal
order by all
"""


def relations(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    """Schema and name of each table and view in a database."""
    return connection.execute(RELATIONS, {"database": database}).fetchall()


def contents(connection: duckdb.DuckDBPyConnection, database: str) -> dict[tuple[str, str], list[str]]:
    """Every row of every table and view, as text."""
    return {
        (schema, name): sorted(
            map(str, connection.execute(f'from "{database}"."{schema}"."{name}"').fetchall())  # a full scan of each
        )
        for schema, name in relations(connection, database)
    }


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in which everything that comes from LeadPerfection has rows."""
    scenario = Scenario(tmp_path_factory.mktemp("published"))
    calls = [{"calldatetime": "2026-03-01T18:03:00", "phone": "5185550123", "resultcode": "NA"}]
    jobs = [{"id": "7001", "contractdate": "2026-03-01T00:00:00", "notes": 'a "quote",\nand a line'}]
    appointments = [{"id": "55501", "apptdate": "2026-03-05T14:00:00"}]
    one = lead("10", jobs=jobs, appointments=appointments, source="", city="NULL")
    scenario.sync(prospect("1", one, lead("11"), calls=calls), prospect("2"), prospect("3", email=...))
    scenario.later()
    scenario.sync(prospect("1", City="Troy"), feed="prospects")
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    return scenario.warehouse.published


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_the_same_attached_to_any_database(published: Path, tmp_path: Path, name: str) -> None:
    """Q1: whatever the user's own database and its schemas are called, and whichever tables of our names it has."""
    with duckdb.connect(str(published), read_only=True) as connection:
        expected = contents(connection, "published")
    assert expected["main", "current_opportunities"]
    own = tmp_path / "theirs" / f"{name}.duckdb"
    own.parent.mkdir()
    with duckdb.connect(":memory:" if name == "memory" else str(own)) as connection:
        for schema in ("pipeline", "raw", "internal", "lp"):
            connection.execute(f'create schema "{name}"."{schema}"')
        for schema, relation in expected:
            connection.execute(f'create table "{name}"."{schema}"."{relation}" as select 1 as external_contact_id')
        connection.execute(f"attach '{published}' as lp (read_only)")
        assert contents(connection, "lp") == expected
        for schema in (f'"{name}"."raw"', "lp.main", "lp.raw"):
            connection.execute(f"use {schema}")
            assert contents(connection, "lp") == expected


@pytest.mark.parametrize("options", ["", "(format parquet)"])
def test_it_can_be_exported_and_imported(published: Path, tmp_path: Path, options: str) -> None:
    """Q1: `export database`, then `import database` into an empty one: all tables, views, types and rows."""
    typed = (
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = $database order by all"
    )
    with duckdb.connect(str(published), read_only=True) as connection:
        expected = contents(connection, "published")
        columns = connection.execute(typed, {"database": "published"}).fetchall()
        connection.execute(f"export database '{tmp_path / 'exported'}' {options}")
    with duckdb.connect(str(tmp_path / "mine.duckdb")) as connection:
        connection.execute(f"import database '{tmp_path / 'exported'}'")
        assert contents(connection, "mine") == expected
        assert connection.execute(typed, {"database": "mine"}).fetchall() == columns
