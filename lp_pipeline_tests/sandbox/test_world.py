"""The world: who lives in it at first, and what happens as time goes by."""

import json
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox

from .lp import LP, PROSPECT, Clock

EVER = {"startdate": "2000-01-01"}
Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def people(fresh_world: Path) -> Records:
    """Everybody in a fresh world, as both feeds show them."""
    sandbox = Sandbox(fresh_world, clock=Clock())
    with sandbox.serve() as url, httpx.Client(base_url=url) as http:
        lp = LP(http)
        lp.sign_in()
        return lp.pages(PROSPECT, PageSize=500, **EVER) + lp.pages(options=1024, PageSize=500, **EVER)


def test_the_world_shows_every_quirk_of_the_contract(people: Records) -> None:
    """Section 3, item by item."""
    text = json.dumps(people, ensure_ascii=False)
    leads = [lead for person in people for lead in person.get("leads") or []]
    assert any(isinstance(person["cst_id"], int) for person in people)
    assert any(isinstance(lead["id"], int) for lead in leads)
    assert any(person["lastchanged"] == "" for person in people)
    assert any("salesrepname" not in lead for lead in leads)
    assert any(person["phone1"] is None for person in people)
    assert any(person["leads"] is None for person in people)
    assert any(lead["jobs"] is None for lead in leads)
    assert any(isinstance(person.get("notes"), str) for person in people)
    assert {lead["sold"] for lead in leads} == {"true", "false"}
    assert any(lead["GrossSaleAmount"] == "0.00" for lead in leads)
    assert any(re.fullmatch(r"[A-Z]+ +", lead["brn_id"]) for lead in leads)
    assert all(lead["entrydate"].endswith("T00:00:00") for lead in leads)
    for year in ("1900-01-01", "1899-12-30", "0001-01-01", "1753-01-01"):
        assert f'"{year}T' in text
    digits = {len(lead["dateentered"].partition(".")[2]) for lead in leads}
    assert digits == set(range(8))
    for part in ("O'Brien", '\\"Bud\\"', "🏡", "Núñez"):
        assert part in text
    assert max(len(person.get("leads") or []) for person in people) >= 4


def test_one_lead_can_be_under_two_prospects(people: Records) -> None:
    """As the rules for joining expect it."""
    owners: dict[str, set[str]] = {}
    for person in people:
        for lead in person.get("leads") or []:
            owners.setdefault(str(lead["id"]), set()).add(str(person["cst_id"]))
    assert any(len(who) == 2 for who in owners.values())


def test_nobody_real_can_be_reached(people: Records) -> None:
    """Phones are 555-01xx, mail goes to example domains."""
    for person in people:
        assert re.fullmatch(r"\(\d{3}\)555-01\d\d", person["phone1"] or "(518)555-0100")
        assert all(re.fullmatch(r"\d{3}55501\d\d", entry["phone"]) for entry in person.get("altphones") or [])
        assert re.fullmatch(r"([a-z.]*\d+@example\.(com|org|net))?", person.get("email", ""))


def test_few_records_are_unusable_and_the_others_have_all_that_is_mapped(people: Records) -> None:
    """Some lack what an opportunity needs (SPEC J6), but fewer than one in 200."""
    everyone = {str(person["cst_id"]): person for person in people}
    assert len(everyone) == 2400
    keys = {"email", "firstname", "lastname", "phone1", "lastchanged", "dateadded"}
    bad = [person for person in everyone.values() if not keys <= set(person) or not person["dateadded"]]
    assert 0 < len(bad) < 12
    for person in everyone.values():
        leads = person["leads"] or []
        assert leads or person["lastchanged"] > "2000"
        assert all(lead["id"] and "disposition" in lead and lead["dateentered"] for lead in leads)


def test_about_four_in_ten_changed_in_the_last_30_days_spread_evenly(world_lp: LP) -> None:
    """Some 900 prospects, about as many in each of three weeks and a half."""
    weeks = []
    for days in range(30, 0, -6):
        start, end = (f"{datetime(2026, 3, 2, 12) - timedelta(days=ago):%Y-%m-%d %H:%M:%S}" for ago in (days, days - 6))
        found = world_lp.pages(startdate=start, enddate=end) + world_lp.pages(PROSPECT, startdate=start, enddate=end)
        weeks.append(len({str(person["cst_id"]) for person in found}))
    assert 800 < sum(weeks) < 1250
    assert max(weeks) < 1.5 * min(weeks)


def test_a_world_is_made_in_no_time(tmp_path: Path, clock: Clock) -> None:
    """So a first run is not kept waiting: making 2400 people takes little more work than looking at them one by one."""

    def work(act: Callable[[], object]) -> float:
        began = time.thread_time()
        act()
        return time.thread_time() - began

    def read() -> None:
        for cst_id in range(300_001, 300_301):
            made.get(cst_id)

    made = Sandbox(tmp_path, clock=clock, population=2400)
    making = work(made.state)
    assert made.state()["counts"]["prospects"] == 2400
    assert making < 2 * (2400 / 300) * work(read)


def everything(sandbox: Sandbox, clock: Clock) -> dict[int, Any]:
    """All prospects of a small world, by id."""
    found = {}
    for cst_id in range(300_001, 300_400):
        try:
            found[cst_id] = sandbox.get(cst_id)
        except KeyError:
            break
    return found


def test_the_same_world_comes_of_it_whoever_asks_when(tmp_path: Path) -> None:
    """Asked each minute or once at the end, in any process: the same events happen."""
    ends = []
    for name, steps in (("often", 90), ("once", 1)):
        clock = Clock()
        sandbox = Sandbox(tmp_path / name, clock=clock, population=40)
        assert sandbox.advance() == 0
        total = 0
        for _ in range(steps):
            clock.turn(minutes=90 / steps)
            total += sandbox.advance()
        assert total == 90
        ends.append(everything(sandbox, clock))
    assert ends[0] == ends[1]
    other = Sandbox(tmp_path / "other", clock=Clock(), population=40, seed=2)
    assert other.get(300_001) != ends[0][300_001]


def test_every_quarter_of_an_hour_brings_at_least_a_dozen_stamped_changes(
    world_lp: LP, world: Sandbox, clock: Clock
) -> None:
    """In one feed or the other; and all stamps are in the past."""
    world.advance()
    for _ in range(20):
        start = clock.now
        clock.turn(minutes=15)
        fields = {
            "startdate": f"{start - timedelta(hours=5):%Y-%m-%d %H:%M:%S}",
            "enddate": f"{clock.now - timedelta(hours=5):%Y-%m-%d %H:%M:%S}",
        }
        seen = {
            str(person["cst_id"])
            for feed in ("/api/Customers/GetLead", PROSPECT)
            for person in world_lp.pages(feed, **fields)
        }
        assert len(seen) >= 12


def test_all_kinds_of_things_happen(tmp_path: Path, clock: Clock) -> None:
    """New people, with and without leads, new leads, sales, appointments, and edits that LP does not stamp."""
    sandbox = Sandbox(tmp_path, clock=clock, population=200)
    before = everything(sandbox, clock)
    clock.turn(hours=10)
    assert sandbox.advance() == 600
    after = everything(sandbox, clock)
    new = [person for cst_id, person in after.items() if cst_id not in before]
    assert {bool(person["leads"]) for person in new} == {True, False}
    both = [(before[cst_id], after[cst_id]) for cst_id in before]
    changed = {name for old, now in both for name in now if old.get(name) != now[name]}
    assert {"leads", "address1", "calls", "lastchanged", "phone2"} <= changed
    silent = [
        now for old, now in both if old["address1"] != now["address1"] and old["lastchanged"] == now["lastchanged"]
    ]
    assert silent
    assert any(len(now["leads"] or []) > len(old["leads"] or []) for old, now in both)


def test_a_clock_that_goes_back_undoes_and_repeats_nothing(tmp_path: Path, clock: Clock) -> None:
    """Each event happens once."""
    sandbox = Sandbox(tmp_path, clock=clock, population=40)
    sandbox.state()
    clock.turn(minutes=30)
    assert sandbox.advance() == 30
    for minutes in (-10, -10_000, 10_010):
        clock.turn(minutes=minutes)
        assert sandbox.advance() == 0
    clock.turn(minutes=1)
    assert sandbox.advance() == 1


@pytest.mark.slow
def test_a_long_gap_is_caught_up_in_bounded_time(tmp_path: Path, clock: Clock) -> None:
    """5,000 events, spread over all of it, however long it was."""
    sandbox = Sandbox(tmp_path, clock=clock, population=40)
    sandbox.state()
    clock.turn(days=100)
    assert sandbox.advance() == 5000
    assert sandbox.advance() == 0
    days = {
        person["dateadded"][:10]
        for person in everything(sandbox, clock).values()
        if person["dateadded"] > "2026-03-02T12"
    }
    assert len(days) > 30


def test_what_a_person_put_there_stays_as_it_is(tmp_path: Path, clock: Clock) -> None:
    """Events touch the world's own prospects alone, and take no id that is in use."""
    sandbox = Sandbox(tmp_path, clock=clock, population=5)
    mine = [{"cst_id": str(cst_id), "leads": [{"id": "1"}]} for cst_id in (300_002, 300_006, 300_007)]
    for record in mine:
        sandbox.put(record)
    clock.turn(hours=5)
    assert sandbox.advance() == 300
    assert [sandbox.get(record["cst_id"]) for record in mine] == mine


def test_time_can_be_stopped(tmp_path: Path, clock: Clock) -> None:
    """A switch stops events, and an empty sandbox has none; events due meanwhile never happen."""
    for name, population in (("empty", 0), ("full", 10)):
        sandbox = Sandbox(tmp_path / name, clock=clock, population=population)
        sandbox.switch(events=False)
        clock.turn(hours=1)
        assert sandbox.advance() == 0
        sandbox.switch(events=True)
        assert sandbox.advance() == 0
        clock.turn(minutes=5)
        assert sandbox.advance() == (5 if population else 0)


def test_events_are_stamped_by_lps_clock(tmp_path: Path, clock: Clock) -> None:
    """Which may be wrong."""
    sandbox = Sandbox(tmp_path, clock=clock, population=3)
    sandbox.switch(clock_skew_seconds=7200)
    clock.turn(minutes=30)
    sandbox.advance()
    new = sandbox.get(300_004)
    assert "2026-03-02T14:00" <= new["dateadded"] < "2026-03-02T14:30"


def test_calls_go_back_a_week_only(people: Records, world_lp: LP, world: Sandbox, clock: Clock) -> None:
    """LP drops old calls."""
    who = next(person for person in people if person.get("calls"))
    world.switch(events=False)
    clock.turn(days=8)
    world_lp.sign_in()
    again = world_lp.read(PROSPECT, cst_id=who["cst_id"], **EVER)
    assert again[0]["calls"] == []


def test_stamps_follow_the_zone_through_a_clock_change(tmp_path: Path) -> None:
    """In the night of 8 March New York has no 02:30."""
    clock = Clock(datetime.fromisoformat("2026-03-08T06:30:00+00:00"))
    sandbox = Sandbox(tmp_path, clock=clock, population=3)
    sandbox.edit(300_001)
    assert sandbox.get(300_001)["lastchanged"] == "2026-03-08T01:30:00.000"
    clock.turn(hours=1)
    sandbox.edit(300_001)
    assert sandbox.get(300_001)["lastchanged"] == "2026-03-08T03:30:00.000"
