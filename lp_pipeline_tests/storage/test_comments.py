"""SPEC Q2: the descriptions in the published file fit what they describe."""

import re

import duckdb

from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.sql import statement
from lp_pipeline_tests.scenario import Scenario, lead, prospect

OF_OPPORTUNITIES = {"ranked_opportunities", "current_opportunities", "opportunity_details"}
SOURCES = ("opportunities", "internal.opportunity_objects")
COLUMN = re.compile(r"^comment on column ((?:\w+\.)?\w+)\.(\w+) is '((?:[^']|'')*)';$", re.MULTILINE)
COLUMNS = """
select if(schema_name = 'main', '', schema_name || '.') || table_name, column_name, comment
from duckdb_columns()
where database_name = current_database() and not internal
"""


def test_every_column_has_a_description_of_its_own(scenario: Scenario) -> None:
    """Q2: only views of opportunities take over a table's descriptions; no other column shows that of a namesake."""
    scenario.sync(prospect("1", lead("10")))
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    with duckdb.connect(str(scenario.warehouse.published), read_only=True) as connection:
        shown = connection.execute(COLUMNS).fetchall()
    own = {
        (table, column): text.replace("''", "'")
        for table, column, text in COLUMN.findall(statement("publish/comments"))
    }
    expected = []
    for table, column, _ in shown:
        tables = [table, *(SOURCES if table in OF_OPPORTUNITIES else ())]
        expected.append((table, column, next((own[each, column] for each in tables if (each, column) in own), None)))
    assert [row for row in shown if row not in expected] == []
    assert [row for row in expected if row[2] is None] == []


def test_descriptions_are_for_users() -> None:
    """Q2: no rule numbers, no dialect."""
    texts = re.findall(r" is '((?:[^']|'')*)';", statement("publish/comments"))
    assert len(texts) > 200
    dialect = re.compile(r"\b(SPEC|[A-Z]\d{1,2}|told|stands|be it|a person's word)\b")
    assert [text for text in texts if dialect.search(text)] == []
