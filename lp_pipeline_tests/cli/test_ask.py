"""`lp-pipeline ask`: the ready-made questions, with their parameters (SPEC E9)."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline.cli.questions import questions
from lp_pipeline.storage.publish import publish
from lp_pipeline_tests.scenario import LIVE, Scenario, lead, prospect

Ask = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two contacts, whose leads came in two days and four months ago."""
    scenario = Scenario(tmp_path_factory.mktemp("data"))
    scenario.sync(
        prospect("1", lead("10", source="Internet", dateentered="2026-02-28T10:00:00")),
        prospect("2", lead("20", source="TV", dateentered="2025-11-03T10:00:00"), lastchanged="2026-03-01T10:00:00"),
    )
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    scenario.outbox.close()
    return scenario.folder


@pytest.fixture
def ask(folder: Path) -> Ask:
    """`lp-pipeline ask` with these arguments, its output going into another program."""
    runner = CliRunner(env={**LIVE, "LP_PIPELINE_DATA": str(folder)})
    return lambda *arguments: runner.invoke(main, ["ask", *arguments])


def test_the_questions_are_listed_with_their_parameters(ask: Ask) -> None:
    """E9: each file of sql/analysis/, with what it asks."""
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(ask().stdout))}
    assert set(rows) == set(questions()) >= {"how_fresh", "leads_by_source", "one_contact"}
    assert rows["leads_by_source"]["question"].startswith("Which lead sources")
    assert rows["leads_by_source"]["parameters"] == "days: how many days, instead of 90"
    assert all(row["question"].endswith((".", "?")) for row in rows.values())


@pytest.mark.parametrize("name", questions())
def test_each_question_explains_exactly_the_parameters_that_it_reads(name: str) -> None:
    """E9: none is hidden, none does nothing."""
    question = questions()[name]
    assert set(question.parameters) == set(re.findall(r"getvariable\('(\w+)'\)", question.text))


def test_a_question_is_answered_as_it_is_or_with_parameters(ask: Ask) -> None:
    """E9: a parameter takes the place of the default; as CSV, or as JSON if asked for."""
    assert [row["source"] for row in json.loads(ask("leads_by_source", "--json").stdout)] == ["Internet"]
    longer = json.loads(ask("leads_by_source", "days=365", "--json").stdout)
    assert sorted(row["source"] for row in longer) == ["Internet", "TV"]
    for arguments, contact in (([], "1"), (["cst_id=2"], "2")):
        (row,) = csv.DictReader(io.StringIO(ask("one_contact", *arguments).stdout))
        assert row["external_contact_id"] == contact


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nosuch"], "There is no question nosuch."),
        (["leads_by_source", "dayz=3"], "leads_by_source takes days=VALUE, not dayz=3."),
        (["leads_by_source", "3"], "leads_by_source takes days=VALUE, not 3."),
        (["how_fresh", "days=3"], "how_fresh takes no parameter, not days=3."),
        (["leads_by_source", "days=many"], "Could not convert string 'many'"),
        (["how_fresh", "--csv", "--json"], "Give either --csv or --json."),
    ],
)
def test_a_mistake_is_one_message(ask: Ask, arguments: list[str], told: str) -> None:
    """E9: with what there is instead."""
    result = ask(*arguments)
    assert result.exit_code in (1, 2)
    assert told in result.stderr
    assert isinstance(result.exception, SystemExit)
