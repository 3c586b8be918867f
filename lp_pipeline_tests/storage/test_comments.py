"""SPEC Q2: the descriptions in the published file fit what they describe."""

import re

import duckdb

from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.sql import statement
from lp_pipeline_tests.scenario import Scenario, lead, prospect

LINE = re.compile(r"^comment on (column|table|view) ([\w.]+) is '((?:[^']|'')*)';$", re.MULTILINE)
SHOWN = """
with described as (
    select 'column' as kind, schema_name, table_name || '.' || column_name as name, comment
    from duckdb_columns() where database_name = current_database() and not internal
    union all
    select 'table', schema_name, table_name, comment from duckdb_tables() where database_name = current_database()
    union all
    select 'view', schema_name, view_name, comment
    from duckdb_views() where database_name = current_database() and not internal
)
select kind, if(schema_name = 'main', '', schema_name || '.') || name, comment from described
"""


def test_everything_has_a_description_of_its_own(scenario: Scenario) -> None:
    """Q2: every table, view and column shows what `comments.sql` says of it by name; none borrows a namesake's."""
    scenario.sync(prospect("1", lead("10")))
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    with duckdb.connect(str(scenario.warehouse.published), read_only=True) as connection:
        shown = connection.execute(SHOWN).fetchall()
    written = [
        (kind, name, text.replace("''", "'")) for kind, name, text in LINE.findall(statement("publish/comments"))
    ]
    assert sorted(shown, key=str) == sorted(written, key=str)


def test_a_namesake_has_its_own_meaning() -> None:
    """Q2: `changed_at` is LeadPerfection's in `leads` and ours in `opportunities`."""
    texts = {name: text for _, name, text in LINE.findall(statement("publish/comments"))}
    assert "in LeadPerfection" in texts["leads.changed_at"]
    assert "in LeadPerfection" in texts["prospects.changed_at"]
    assert "here" in texts["opportunities.changed_at"]


def test_descriptions_are_for_users() -> None:
    """Q2: no rule numbers, no dialect."""
    texts = [text for _, _, text in LINE.findall(statement("publish/comments"))]
    assert len(texts) > 200
    dialect = re.compile(r"\b(SPEC|[A-Z]\d{1,2}|told|stands|be it|a person's word)\b")
    assert [text for text in texts if dialect.search(text)] == []
