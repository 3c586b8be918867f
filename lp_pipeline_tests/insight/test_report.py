"""`report.html`, the page for people without SQL (SPEC E8)."""

import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.errors import WarehouseError
from lp_pipeline.insight.health import health
from lp_pipeline.insight.report import findings
from lp_pipeline.insight.report.facts import Facts, Group, read_facts
from lp_pipeline.insight.report.page import page
from lp_pipeline.insight.report.write import is_current, report_file, write_report
from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.sql import statement
from lp_pipeline_tests.scenario import LIVE, Scenario, lead, prospect

ROWS = Path(__file__).parents[1] / "storage" / "analysis_rows.sql"
HOSTILE = """</text></svg><script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>"'&\u202e"""
OUTSIDE = re.compile(
    r"(?:src|href|url|xlink|action|srcset)\s*[=(]|@import|https?:|<(?:script|img|link|iframe|object|form|a)\b"
)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A published file with the hand-made rows of the ready-made questions, in memory."""
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'Asia/Kolkata'")  # the report's days are the account's, in any session
        for text in (statement("publish/tables"), statement("publish/views"), ROWS.read_text()):
            connection.execute(text)
        yield connection


@pytest.fixture
def changing(database: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same, for a test that changes it."""
    database.execute("begin")
    yield database
    database.execute("rollback")


@pytest.fixture(scope="module")
def facts(database: duckdb.DuckDBPyConnection) -> Facts:
    return read_facts(database)


def shown(facts: Facts, scenario: Scenario) -> str:
    return page(facts, health(scenario.settings), version="1.2.3")


def test_its_numbers_are_those_of_the_data(facts: Facts) -> None:
    """E8: the last 7 days and the day so far, each with the same time a week before; days, sources, statuses, weeks,
    messages, pushes and rejected records."""
    now = facts.overview
    assert (now.today, now.today_before, now.leads, now.leads_before) == (1, 0, 4, 1)
    assert (now.appointments, now.appointments_before, now.sold, now.sold_before) == (3, 1, 1, 0)
    assert (now.speed_today, now.speed, now.speed_before) == (10.0, 6.0, None)
    assert len(facts.leads) == 30
    assert [(f"{each.day:%m-%d}", each.number) for each in facts.leads if each.number] == [
        *(("02-20", 1), ("02-28", 2), ("03-01", 1), ("03-02", 1)),
    ]
    assert [(each.name, each.number, each.appointments) for each in facts.sources] == [("Internet", 3, 3), ("TV", 2, 1)]
    assert sum(each.number for each in facts.statuses) == 7
    assert [(f"{each.week:%m-%d}", each.number, each.within_5, each.within_15) for each in facts.weeks] == [
        *(("02-23", 2, 1, 2), ("03-02", 1, 0, 1)),
    ]
    assert [(f"{each.day:%m-%d}", each.texts, each.emails) for each in facts.messages if each.number] == [
        *(("02-28", 1, 0), ("03-01", 3, 0), ("03-02", 1, 1)),
    ]
    assert [(each.name, each.number) for each in facts.pushes] == [("sent", 2), ("uncertain", 1), ("unmatched", 1)]
    assert [(each.name, each.number) for each in facts.rejected] == [("email", 1)]


def test_each_title_is_a_finding(facts: Facts, scenario: Scenario) -> None:
    """E8: the page begins with a sentence, and each chart says what it shows."""
    text = shown(facts, scenario)
    assert "1 new lead today, 1 more than last Monday by this time. Half were synced within 10 minutes." in text
    titles = re.findall("<h2>(.*?)</h2>", text)
    assert titles[1:6] == [
        "0 new leads a day; most on Feb 28: 2",
        "14% of 7 contacts are “Canceled”",
        "Internet brings 3 of 5 new leads",
        "100% of the new opportunities since Mar 2 were synced within 15 minutes",
        "5 texts, 1 email and 0 calls in the last 7 days",
    ]
    assert "2 of 4 messages from Hatch are in LeadPerfection" in titles


def test_the_best_set_rate_needs_some_leads() -> None:
    """E8: one lead with an appointment is no finding."""
    few, good, most = (Group(name, *numbers) for name, numbers in (("A", (1, 1)), ("B", (9, 6)), ("C", (20, 5))))
    assert findings.sources([most, good, few]) == "C brings 20 of 30 new leads; B has the best set rate: 67%"
    assert [findings.minutes(number) for number in (0.2, 6.01, 119.5, 130, 4000)] == [
        *("1 minute", "7 minutes", "2 hours", "3 hours", "3 days"),
    ]


def test_it_asks_nobody_for_anything_and_every_chart_has_words_and_a_table(facts: Facts, scenario: Scenario) -> None:
    """E8: no script, nothing from outside; role, text alternative and numbers with each chart; small."""
    text = shown(facts, scenario)
    assert not OUTSIDE.search(text)
    charts = text.count("<svg")
    assert charts == 6 == len(re.findall('<svg role="img" aria-label="[^"]{30,}"', text)) == text.count("<details>")
    assert len(text) < 200_000
    assert "SANDBOX" not in text
    Balanced().feed(text)


class Balanced(HTMLParser):
    """Fails where an element is closed that is not open."""

    VOID = ("meta", "br", "rect", "line", "i")  # an <i> is closed at once

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_hostile_names_are_text(changing: duckdb.DuckDBPyConnection, scenario: Scenario) -> None:
    """E8, R4: sources and statuses come from LeadPerfection; markup in them doesn't run, and turns no text around."""
    for table, column in (("leads", "source"), ("opportunity_details", "status")):
        changing.execute(f"update {table} set {column} = $1 || external_contact_id", [HOSTILE])
    text = shown(read_facts(changing), scenario)
    assert "<script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    assert "&lt;/text&gt;&lt;/svg&gt;" in text
    Balanced().feed(text)


def test_at_most_ten_groups_and_the_others_together(changing: duckdb.DuckDBPyConnection) -> None:
    """E8: whatever a tenant has, a chart stays readable."""
    changing.execute(
        "insert into leads by name select 'x' || i as external_contact_id, 'x' || i as external_id, "
        "'Source ' || (i % 13) as source, timestamp '2026-03-01 10:00' as entered_at from range(130) as t (i)"
    )
    sources = read_facts(changing).sources
    assert len(sources) == 11
    assert sources[-1].name == "other"
    assert sum(each.number for each in sources) == 135


def test_before_the_first_data_every_chart_says_what_to_do(scenario: Scenario) -> None:
    """E8: an empty state for each; a folder without any lead writes a whole page."""
    scenario.sync(prospect("1", email=...))
    text = written(scenario)
    assert "No leads yet: run the first backfill." in text
    assert "<svg" not in text
    assert "0 new leads today, as many as last Monday by this time." in text
    assert "what is missing: email (1)" in text


def written(scenario: Scenario) -> str:
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    return write_report(scenario.settings).read_text(encoding="utf-8")


def test_it_holds_nobodys_data(scenario: Scenario) -> None:
    """E8, R4: counts only, from real records with names, numbers and addresses."""
    scenario.sync(
        prospect("90211", lead("120345", source="Internet", salesrepname="Doe, Pat", disposition="Set"), city="Troy")
    )
    text = written(scenario)
    assert "Internet" in text
    for private in ("Ann", "Field", "ann@example.com", "555", "90211", "120345", "Doe", "Troy"):
        assert private not in text.split("</style>")[1]


def test_it_is_written_beside_the_published_file_with_its_permissions(scenario: Scenario) -> None:
    """E8: whole, readable by whom that is, and again only after a publication; `lp-pipeline report` tells where."""
    settings = scenario.settings
    with pytest.raises(WarehouseError, match="Nothing is published yet"):
        write_report(settings)
    assert not is_current(settings)
    scenario.sync(prospect("1", lead("10")))
    written(scenario)
    file = report_file(settings)
    assert file.parent == scenario.warehouse.published.parent
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (file, scenario.warehouse.published)]
    assert modes == [0o400, 0o400]
    assert is_current(settings)
    scenario.now += timedelta(hours=2)
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York")
    assert not is_current(settings)
    environ = {**LIVE, "LP_PIPELINE_DATA": str(scenario.folder), "LP_PIPELINE_NOW": scenario.now.isoformat()}
    result = CliRunner(env=environ).invoke(main, ["report"])
    assert result.stdout.strip() == str(file)
    assert is_current(settings)
    assert [each.name for each in scenario.folder.glob(".report*")] == []


def test_a_feed_that_could_not_be_read_is_said_at_the_top(
    changing: duckdb.DuckDBPyConnection, scenario: Scenario
) -> None:
    """E8, W8: numbers that miss something say so."""
    changing.execute(
        "insert into sync_runs by name select 10 as sync_id, 'leads' as feed, 'sync' as kind, 'failed' as outcome, "
        "'2026-03-02 17:01:00+00'::timestamptz as started_at, '2026-03-02 17:01:00+00'::timestamptz as window_to"
    )
    text = shown(read_facts(changing), scenario)
    assert "leads could not be read: what changed since 12:00 PM EST is missing until the next good sync." in text
