"""Files of earlier programs are brought to today's form, and nothing is lost (SPEC R6)."""

import gzip
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lp_pipeline.storage.migration import progress
from lp_pipeline.storage.publish import publish
from lp_pipeline.transform.replay import replay
from lp_pipeline_tests.scenario import NOON, Scenario, lead, prospect

# What the last program of schema 4 made of seven prospects; the account's clock is two hours on, LP_HELD_AFTER is 0.
SCHEMA_4 = Path(__file__).with_name("schema_4.duckdb.gz")
OPPORTUNITIES = [
    ("1", "10", "Ann", None, "Sold", False),
    ("2", None, "Ann", "ann@example.com", None, True),
    ("2", "20", "Ann", "ann@example.com", "Set", False),
    ("3", "30", "Ann", "ann@example.com", "Set", True),
    ("4", "40", "Ann", "ann@example.com", "Set", False),
    ("6", "60", "Ann", "ann@example.com", "Set", False),
]
SHOWN = (
    "select external_contact_id, external_id, first_name, email, status, gone_since is not null "
    "from opportunities order by all nulls first"
)


@pytest.fixture
def old(tmp_path: Path) -> Scenario:
    """The folder of a program of schema 4, with one reading still unmerged."""
    (tmp_path / "work.duckdb").write_bytes(gzip.decompress(SCHEMA_4.read_bytes()))
    scenario = Scenario(tmp_path, LP_HELD_AFTER="0")
    scenario.later(hours=2)
    return scenario


def test_an_older_folder_opens_with_all_that_is_in_it(old: Scenario) -> None:
    """R6: opportunities, what is held, rejected or unmerged, every reading with its leads, and normal forms (J8)."""
    assert old.ask(SHOWN) == OPPORTUNITIES
    assert old.ask("select count(*), count(distinct reading_no) from raw.readings") == [(11, 11)]
    assert old.ask("select external_id, lead_place from held_opportunities") == [("30", 1)]
    assert old.rejected() == [("5", None, ["external_id"])]
    assert old.ask("select count(*) from pipeline.unmerged") == [(1,)]
    shown = {(record["cst_id"], made and made["id"]) for record, made in old.objects()}
    assert shown == {("1", "10"), ("2", None), ("2", "20"), ("3", "30"), ("4", "40"), ("6", "60")}
    assert old.objects()[0][0]["spouse"] == "Bo"  # a field that only the first reading has
    assert old.ask("select form from pipeline.contact_points where written like '% / %' order by place") == [
        ("5185550101",),
        ("5185550102",),
    ]


def test_whoever_opens_it_first_sees_how_far_it_is(old: Scenario, caplog: pytest.LogCaptureFixture) -> None:
    """R6: lines in the log; on a terminal, a bar."""
    caplog.set_level("INFO", "lp_pipeline")
    assert old.ask("select count(*) from raw.readings") == [(11,)]
    assert "Upgrading work.duckdb: 11 of 11 readings" in caplog.text
    caplog.clear()
    terminal = Console(file=StringIO(), force_terminal=True, width=120)
    with progress(40_000, terminal) as show:
        show(20_000)
    assert isinstance(terminal.file, StringIO)
    assert "20000/40000" in terminal.file.getvalue()
    assert caplog.text == ""


def test_what_it_did_not_merge_is_merged_and_the_same_again_changes_nothing(old: Scenario) -> None:
    """R6, M3, W7: the next sync goes on where the old program stopped."""
    assert old.merge().inserted == 1
    again = old.sync(
        prospect("2", lead("20")),
        prospect("1", lead("10", disposition="Sold"), city=..., email=...),
        prospect("4", lead("40", jobs={"id": 7, "ContractDate": "2026-03-01T00:00:00"}), lastchanged=""),
    )
    assert (again.inserted, again.updated, again.gone, again.returned) == (0, 0, 0, 0)
    old.later()
    edited = old.sync(prospect("2", lead("20", source="Web")))
    assert (edited.inserted, edited.updated) == (0, 1)


@pytest.mark.slow
def test_a_replay_of_it_finds_no_difference(old: Scenario) -> None:
    """R6, E4: the old readings under today's statements give the old program's opportunities."""
    report = replay(old.settings)
    assert (report.rows, report.done_again > 5) == ([], True)
    old.merge()
    assert replay(old.settings).rows == []


def test_it_is_published_anew(old: Scenario) -> None:
    """R6, Q1: people see the new form after the next publication, which is due."""
    assert old.ask("select unpublished_changes from pipeline.publication") == [(True,)]
    publication = publish(old.warehouse, outbox=old.outbox, now=NOON, zone="America/New_York")
    assert publication.counts["opportunities"] == len(OPPORTUNITIES)
    old.outbox.close()
