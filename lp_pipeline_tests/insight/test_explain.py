"""SPEC E1: `lp-pipeline explain` tells one record's story; its first line says what it is, or why it is not there."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lp_pipeline.cli.explain_page import show_story
from lp_pipeline.clients.hatch import communication
from lp_pipeline.communications.landing import land
from lp_pipeline.communications.ledger import note_pushing, register
from lp_pipeline.insight.explain import Story, explain
from lp_pipeline.insight.explain_asked import Find
from lp_pipeline.storage.outbox import iso
from lp_pipeline.storage.publish import publish
from lp_pipeline_tests.clients.hatch.fakes import unprocessable
from lp_pipeline_tests.delivery.conftest import HATCH, Deliveries
from lp_pipeline_tests.scenario import NOON, Record, Scenario, lead, prospect

DAYS_AGO = {"dateentered": "2026-02-01T08:00:00", "lastchangedon": "2026-02-01T08:00:00"}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deliveries]:
    """One account in which each kind of record is there: see the ids below."""
    s = Deliveries(tmp_path_factory.mktemp("explained"))
    s.set(**HATCH, LP_HELD_AFTER="0")
    with closing(s.outbox):
        empty = {"lastchanged": ""}
        s.sync(
            _someone("1", lead("10", disposition="Set"), lead("11", **DAYS_AGO), **empty),
            _someone("2", lead("20"), phone1=...),  # rejected
            _someone("3", lead("30")),  # held later
            _someone("4", lead("40"), email="bad@example.com"),  # refused by Hatch
            _someone("5", lead("50"), lead("51")),  # 51 goes away
            _someone("9", lead("90"), lead("92", disposition=...)),  # 92 is rejected
            _someone("7", firstname="Zoe", lastname="Lone", phone1="(518)555-0101"),
        )
        s.deliver(
            lambda body: unprocessable("/email", "bad@example.com bounces") if body["externalID"] == "40" else None
        )
        s.later()
        s.read("prospects", _someone("6", lead("60")), minutes=600, kind="backfill")
        s.merge()
        s.later()
        s.sync(
            _someone(
                "1",
                lead("10", disposition="Issued", lastchangedon="2026-03-02T12:31:00"),
                lead("11", **DAYS_AGO),
                **empty,
            ),
            _someone("3", lead("30"), dateadded="2025-11-04T10:00:00"),
            _someone("5", lead("50")),
        )
        s.deliver()
        s.later()
        s.read("leads", _someone("8", lead("80")))
        _publish(s)
        _land(s)
        yield s


def _land(scenario: Scenario) -> None:
    """Four texts: written, refused by LeadPerfection for now, uncertain, and one from a phone that two people have."""
    settings = scenario.settings
    said = {"category": "sms", "direction": "inbound", "body": "Yes", "occurred_at": NOON.isoformat()}
    texts = [{"id": name, "external_contact_id": "1", **said} for name in ("t-sent", "t-waits", "t-unsure")]
    texts.append({"id": "t-two", "phone": "518-555-0101", **said})
    note_pushing(scenario.outbox, settings)
    read = [communication(json.dumps(each).encode(), settings.hatch_time_columns) for each in texts]
    land(scenario.outbox, settings, read, "inbox")
    again = iso(scenario.now + timedelta(minutes=5))
    states = [
        ("sent", None, None, None, "t-sent"),
        ("pending", "refused (500)", "record locked", again, "t-waits"),
        ("uncertain", "cannot_be_read_back", None, None, "t-unsure"),
        ("unmatched", "several", None, None, "t-two"),
    ]
    with scenario.outbox.transaction() as connection:
        register(connection, scenario.outbox, settings)
        update = "update communication_pushes set state = ?, reason = ?, words = ?, next_try_at = ?"
        connection.executemany(f"{update} where communication_id = ? and target = 'note'", states)


def _someone(cst_id: str, *leads: Record, **fields: Any) -> Record:
    return prospect(cst_id, *leads, **{"phone1": f"(518)555-010{cst_id}", "email": f"p{cst_id}@example.com", **fields})


def _publish(scenario: Scenario) -> None:
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone=scenario.settings.lp_timezone)


def told(scenario: Scenario, identity: str, find: Find | None = None) -> Story:
    (story,) = explain(scenario.settings, scenario.outbox, identity, find)
    return story


def page(scenario: Scenario, identity: str, *, everything: bool = False, width: int = 80) -> str:
    """What a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show_story(told(scenario, identity), scenario.settings, console, everything=everything)
    assert isinstance(console.file, io.StringIO)
    shown = "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())
    assert max(map(len, shown.splitlines())) <= width
    return shown


def test_a_synced_lead_tells_how_it_was_read_built_merged_and_delivered(day: Deliveries) -> None:
    """E1: readings, triggers and why, the field behind each column and the path that won, the change, Hatch."""
    shown = page(day, "10")
    assert "prospect.lastchanged is empty, so lead.lastchangedon" in " ".join(shown.split())
    assert shown.startswith("Lead 10 of prospect 1: an opportunity, delivered to Hatch\n")
    for part in (
        "Read        12:30 PM EST  sync 5, lead feed, page 1, place 1",
        "2 readings stored, 2 different",
        "Triggered   the lead changed: disposition  (sync 6, 12:30 PM EST)",
        "External Updated At  12:31 PM EST",
        "Set → Issued",
        "lead.disposition",
        "Merged      updated 12:30 PM EST by sync 6; it is the contact's current",
        "To Hatch    accepted 12:30 PM EST, contact",
    ):
        assert part in shown
    assert "First Name" not in shown


def test_the_fields_of_a_lead_with_another_stamp_are_told(scenario: Scenario) -> None:
    """E1: a sync need not compare it to know that it changed; who asks wants to know in what."""
    scenario.sync(_someone("1", lead("10")))
    scenario.later()
    scenario.sync(_someone("1", lead("10", disposition="Issued", lastchangedon="2026-03-02T12:10:00")))
    _publish(scenario)
    assert "Triggered   the lead changed: disposition  (sync 4" in page(scenario, "10")


@pytest.mark.parametrize(
    ("identity", "verdict", "state"),
    [
        pytest.param(
            "7", "Prospect 7: an opportunity without a lead, delivered to Hatch", "opportunity", marks=pytest.mark.slow
        ),
        ("20", "Lead 20 of prospect 2: rejected: prospect.phone1 is not in the record", "rejected"),
        pytest.param(
            "11",
            "Lead 11 of prospect 1: read, but nothing about it changed in a window read so far",
            "untriggered",
            marks=pytest.mark.slow,
        ),
        ("40", "Lead 40 of prospect 4: an opportunity, refused by Hatch: bad@example.com bounces", "opportunity"),
        ("9", "Prospect 9: an opportunity with lead 90, delivered to Hatch; its lead 92 is rejected: ", "opportunity"),
        ("51", "Lead 51 of prospect 5: an opportunity, gone since 12:30 PM EST", "gone"),
        pytest.param(
            "6",
            "Prospect 6: an opportunity with lead 60, not sent to Hatch: it came in with history",
            "opportunity",
            marks=pytest.mark.slow,
        ),
        pytest.param("8", "Prospect 8: read 12:45 PM EST, not merged yet", "unmerged", marks=pytest.mark.slow),
        ("999", "999: never read", "never_read"),
    ],
)
def test_the_first_line_is_the_verdict(day: Deliveries, identity: str, verdict: str, state: str) -> None:
    """E1: what it is, or why it is not there."""
    story = told(day, identity)
    assert story.verdict.startswith(verdict)
    assert story.state == state


def test_messages_from_hatch_show_what_became_of_them(day: Deliveries) -> None:
    """E1: written, waiting with LeadPerfection's words, undecided, and perhaps from this prospect."""
    shown = page(day, "10", width=200)
    assert "2 messages need your decision:  lp-pipeline pushes" in shown.splitlines()[1]
    refused = "LeadPerfection refused it: 500 (record locked), next try 12:50 PM EST"
    for part in (
        "From Hatch  1 text written as note, last 12:45 PM EST",
        f"inbound text of 12:00 PM EST: waits as note: {refused}",
        "inbound text of 12:00 PM EST: uncertain as note: it may be in LeadPerfection, which doesn't show it",
        "a text of 12:00 PM EST may be from this prospect: several prospects have this phone or email",
    ):
        assert part in shown


@pytest.mark.slow
def test_a_held_one_shows_both_dates_and_how_to_settle_it(day: Deliveries) -> None:
    """E1, M9: the known opportunity is there as it was; the held one is shown beside it, and alone where it is all."""
    shown = page(day, "3", width=400)
    assert shown.startswith("Prospect 3: an opportunity with lead 30, gone since")
    assert "; another one is held, because LeadPerfection now says that it was added Nov 4, 2025 10:00:00" in shown
    assert "Held        lead 30, held since 12:30 PM EST" in shown
    alone = Deliveries(day.folder / "alone")
    with closing(alone.outbox):
        alone.set(**HATCH, LP_HELD_AFTER="0")
        alone.sync(prospect("3", lead("30")))
        alone.later()
        alone.sync(prospect("3", lead("30"), dateadded="2025-11-04T10:00:00"))
        with alone.warehouse.transaction() as connection:
            connection.execute("delete from opportunities")
        _publish(alone)
        story = told(alone, "30")
    assert story.verdict == (
        "Lead 30 of prospect 3: held, because LeadPerfection now says that it was added Nov 4, 2025 10:00:00, not "
        "Nov 3, 2025 10:12:44"
    )
    assert story.advice == ["Check both dates, then:  lp-pipeline held accept 3  (or drop)"]


def test_an_id_that_was_never_read_is_asked_for_on_request(day: Deliveries) -> None:
    """E1: LeadPerfection's change time says which window would have shown it, and which days to read."""
    old = json.dumps(prospect("94", lead("91", **DAYS_AGO), lastchanged="2026-02-03T09:00:00")).encode()
    story = told(day, "94", lambda identity: ("prospect", old) if identity == "94" else None)
    assert story.verdict == (
        "94: LeadPerfection shows this prospect, changed Feb 3 9:00 AM EST (prospect.lastchanged), outside every "
        "window read so far"
    )
    assert "lp-pipeline backfill --from 2026-02-03 --to 2026-02-03" in story.advice[0]
    story = told(day, "91", lambda _identity: ("lead", old))
    assert "changed Feb 1 8:00 AM EST (lead.lastchangedon)" in story.verdict
    inside = (NOON - timedelta(minutes=10)).isoformat()
    missed = json.dumps(prospect("96", lastchanged=inside)).encode()
    assert "without it" in told(day, "96", lambda _identity: ("prospect", missed)).verdict
    assert "shows no prospect or lead" in told(day, "93", lambda _identity: None).verdict
    assert "Read so far  lead feed: between 11:25 AM EST and" in page(day, "999")


def test_nothing_was_ever_read(tmp_path: Path) -> None:
    """E1: an empty folder is no error, and stays empty of a warehouse."""
    scenario = Deliveries(tmp_path / "data")
    (scenario.folder / "work.duckdb").unlink()
    assert told(scenario, "1").state == "never_read"
    assert not (scenario.folder / "work.duckdb").exists()


def test_explaining_changes_nothing(day: Deliveries) -> None:
    """E1: the merges are done again in memory only; the warehouse is left as it was, byte for byte."""
    before = (day.folder / "work.duckdb").read_bytes()
    told(day, "1")
    assert (day.folder / "work.duckdb").read_bytes() == before
