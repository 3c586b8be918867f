"""Hatch's generated contacts and conversations."""

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lp_pipeline.sandbox import Sandbox

from .hatch import HISTORY, Hatch
from .lp import LP, PROSPECT, Clock

NEW_TABLES = ("job_notes", "late", "contacts", "upserts", "upsert_calls", "communications", "contact_history")


def all_people(lp: LP) -> dict[str, dict[str, Any]]:
    """All prospects in LeadPerfection, by id."""
    pages = lp.pages(PROSPECT, PageSize=500, startdate="2000-01-01")
    pages += lp.pages(options=1024, PageSize=500, startdate="2000-01-01")
    return {str(person["cst_id"]): person for person in pages}


@pytest.mark.slow
def test_hatch_knows_some_of_the_prospects_at_first(world_hatch: Hatch, world: Sandbox, world_lp: LP) -> None:
    """About 300 with a unique phone or email, most with LP's id, and a few that LP does not have."""
    people = all_people(world_lp)
    rows = world_hatch.export(HISTORY)
    assert 270 < len(rows) < 330
    assert len({row["hatch_contact_id"] for row in rows}) == len(rows)
    known = [row for row in rows if row["external_contact_id"]]
    assert 0.6 < len(known) / len(rows) < 0.9
    for row in known:
        person = people[row["external_contact_id"]]
        assert row["phone"] == ("".join(re.findall(r"\d", person["phone1"] or "")) or None)
        assert row["email"] == (person.get("email") or None)
    for column in ("phone", "email"):
        values = [row[column] for row in rows if row[column]]
        assert len(set(values)) == len(values)
    strangers = [row for row in rows if row["phone"] and row["phone"].startswith("914")]
    assert len(strangers) == 12
    assert {person["phone1"] for person in people.values() if "914" in (person["phone1"] or "")[:5]} == set()
    contacts = world.hatch_contacts()
    assert {contact["id"] for contact in contacts} == {row["hatch_contact_id"] for row in rows}
    assert all(contact["opportunities"] == [] for contact in contacts)


def test_an_upsert_finds_the_contact_that_was_there(world_hatch: Hatch, world: Sandbox) -> None:
    """The phone is stored as ten digits."""
    contact = next(contact for contact in world.hatch_contacts() if contact["phone"])
    assert world_hatch.upsert(externalID="1", phoneNumber=contact["phone"]) == contact["id"]


def test_two_weeks_have_been_talked_through(world_hatch: Hatch) -> None:
    """About 20 communications a day, of all kinds, with the contract's columns."""
    rows = world_hatch.export()
    days = Counter(row["occurred_at"][:10] for row in rows)
    assert 13 <= len(days) <= 15
    assert 12 < sum(days.values()) / len(days) < 25
    assert len({row["id"] for row in rows}) == len(rows)
    assert Counter(row["category"] for row in rows).keys() == {"sms", "email", "call"}
    assert {row["direction"] for row in rows} == {"inbound", "outbound"}
    assert {row["actor_type"] for row in rows} == {"contact", "hatch_user", "automated agent"}
    assert {"delivered", "failed", "received"} <= {row["delivery_status"] for row in rows}
    drops = [row for row in rows if row["type"] == "voicemail drop"]
    assert all(row["recording_url"].startswith("https://") for row in drops)
    bodies = [row["body"] or "" for row in rows]
    for part in ("<p>", "\n", "🏡", "ñ"):
        assert any(part in body for body in bodies)
    columns = {
        *("organization_id", "organization_name", "workspace_id", "workspace_name", "id", "conversation_id"),
        *("contact_id", "actor_type", "actor_id", "category", "type", "direction", "body", "delivery_status"),
        *("occurred_at", "duration", "recording_url"),
    }
    assert all(set(row) == columns for row in rows)


def test_everybody_who_talks_is_a_contact_and_a_few_are_strangers(world_hatch: Hatch) -> None:
    """`contact_id` is the history's `hatch_contact_id`."""
    contacts = {row["hatch_contact_id"]: row for row in world_hatch.export(HISTORY)}
    talkers = [contacts[row["contact_id"]] for row in world_hatch.export()]
    strangers = [contact for contact in talkers if (contact["phone"] or "").startswith("914")]
    assert 0 < len(strangers) < len(talkers) / 5


def test_nobody_real_can_be_reached_from_what_is_said(world_hatch: Hatch) -> None:
    """Phones are 555-01xx, links and addresses go to example domains."""
    for row in (*world_hatch.export(), *world_hatch.export(HISTORY)):
        text = json.dumps([row.get(name) for name in ("body", "recording_url", "email", "phone")])
        assert all(number[-7:-2] == "55501" for number in re.findall(r"\b\d{10}\b", text))
        assert all(part == "555-01" for part in re.findall(r"\d{3}-(\d{3}-\d\d)\d\d", text))
        assert all(re.search(r"\bexample\.(com|org|net)$", host) for host in re.findall(r"(?:://|@)([\w.]+\w)", text))


def test_the_time_column_has_the_name_that_the_switch_gives(world_hatch: Hatch, world: Sandbox) -> None:
    """The switch renames the time column in every generated row, in the same position."""
    before = world_hatch.export()
    world.switch(export_time_column="sent_at")
    after = world_hatch.export()
    assert [row["sent_at"] for row in after] == [row["occurred_at"] for row in before]
    assert "occurred_at" not in after[0]


def test_talk_goes_on_the_same_whoever_asks_when(tmp_path: Path) -> None:
    """One every five minutes, at its due time by Hatch's clock, regardless of LP's skew."""
    ends = []
    for name, steps in (("often", 6), ("once", 1)):
        clock = Clock()
        sandbox = Sandbox(tmp_path / name, clock=clock, population=40)
        sandbox.switch(clock_skew_seconds=86_400, export_lag_days=0)
        before = sandbox.state()["counts"]["communications"]
        for _ in range(steps):
            clock.turn(hours=6 / steps)
            sandbox.advance()
        assert sandbox.state()["counts"]["communications"] == before + 72
        with closing(sqlite3.connect(sandbox.path)) as file:
            ends.append(file.execute("select day, item from communications order by id").fetchall())
    assert ends[0] == ends[1]
    last = datetime.fromisoformat(json.loads(ends[0][-1][1])["occurred_at"])
    assert 0 <= (clock.now - last).total_seconds() < 600


@pytest.mark.parametrize(("population", "events", "more"), [(0, True, 0), (40, False, 0), (40, True, 12)])
def test_nobody_talks_in_a_world_that_is_empty_or_stopped(
    tmp_path: Path, clock: Clock, population: int, events: bool, more: int
) -> None:
    """Empty or stopped, as with LeadPerfection's events."""
    sandbox = Sandbox(tmp_path, clock=clock, population=population)
    sandbox.switch(events=events)
    before = sandbox.state()["counts"]["communications"]
    assert before == (280 if population else 0)
    clock.turn(hours=1)
    sandbox.advance()
    assert sandbox.state()["counts"]["communications"] == before + more


def make_old(path: Path) -> None:
    """Downgrade a file to the version without Hatch and writes."""
    with closing(sqlite3.connect(path)) as file, file:
        for table in NEW_TABLES:
            file.execute(f"drop table {table}")
        file.execute("delete from facts where name = 'talkers'")
        file.execute("pragma user_version = 0")


def test_a_world_of_an_older_version_is_completed_when_it_is_opened(tmp_path: Path, clock: Clock) -> None:
    """The upgrade keeps records and switches and adds Hatch once, as of now."""
    old = Sandbox(tmp_path, clock=clock, population=200)
    old.switch(paging="row")
    person = old.get(300_001)
    make_old(old.path)
    clock.turn(minutes=30)
    for _ in range(2):
        state = Sandbox(tmp_path, clock=clock).state()
        assert state["switches"]["paging"] == "row"
        assert state["counts"]["prospects"] == 200
        assert state["counts"]["communications"] == 280
    assert old.get(300_001) == person
    assert old.advance() == 30
    assert old.state()["counts"]["communications"] == 286


def test_an_empty_world_of_an_older_version_takes_writes(tmp_path: Path, clock: Clock) -> None:
    """An empty sandbox gets no generated contacts."""
    old = Sandbox(tmp_path, clock=clock, population=0)
    old.state()
    make_old(old.path)
    assert old.hatch_contacts() == []
    assert old.all_job_notes() == []
