"""SPEC Q2: `sql/analysis/` holds questions that the published file answers, the same in every session's time zone."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.publish import publish
from lp_pipeline_tests.scenario import Scenario, lead, prospect

QUESTIONS = sorted((REPOSITORY / "sql" / "analysis").glob("*.sql"))
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati")


@pytest.fixture
def published(scenario: Scenario) -> Path:
    """A file in which each question finds rows, some from late in the evening of the account's zone."""
    scenario.later(days=-1)
    scenario.sync(
        prospect("1", lead("10", source="Internet"), lastchanged="2026-03-01T23:30:00"),
        prospect("2", lead("20", source="TV", dateentered="2025-12-01T22:30:00"), lastchanged="2026-02-28T20:00:00"),
        prospect("3", email=...),
    )
    scenario.later(hours=10)
    scenario.sync(prospect("1", lead("10", source="Internet", disposition="Sold"), lastchanged="2026-03-01T21:40:00"))
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    return scenario.warehouse.published


def answers(published: Path, query: str) -> list[list[tuple[Any, ...]]]:
    """Every value as text, as each session shows it."""
    shown = []
    for zone in ZONES:
        with duckdb.connect(str(published), read_only=True) as connection:
            connection.execute("set timezone = $zone", {"zone": zone})
            shown.append(
                connection.execute(f"select columns(*)::varchar from ({query.rstrip().rstrip(';')})").fetchall()
            )
    return shown


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda path: path.stem)
def test_a_ready_made_question_has_one_answer(published: Path, question: Path) -> None:
    """Q2: an analyst in New York and a report in UTC show the same days, times and counts."""
    first, *others = answers(published, question.read_text())
    assert first
    assert others == [first] * len(others)


def test_without_a_conversion_they_would_differ(published: Path) -> None:
    """The days of these records are not the same everywhere, nor is a time that is shown as it is."""
    naive = answers(published, "select external_updated_at::date from opportunities order by 1")
    assert len(set(map(str, naive))) > 1
    shown = answers(published, "select max(external_updated_at) from opportunities")
    assert len(set(map(str, shown))) == len(ZONES)
