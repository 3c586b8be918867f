"""Old readings are folded into a state at which a replay begins (SPEC K1, E4)."""

import pytest

from lp_pipeline.insight.explain_merges import past_of
from lp_pipeline.runs.upkeep.forget import forget
from lp_pipeline.runs.upkeep.history import READINGS, fold_history
from lp_pipeline.runs.upkeep.tidied import Tidied
from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.sql import statement
from lp_pipeline.transform.held import settle_held
from lp_pipeline_tests.runs.upkeep.searching import found_in
from lp_pipeline_tests.scenario import Record, Scenario, lead, prospect
from lp_pipeline_tests.transform.test_replay import nothing_differs

MONTH = 31 * 24 * 60  # minutes
KEPT = ("opportunities", "opportunity_changes", "calls", "rejected_records", "held_opportunities")


def readings(scenario: Scenario) -> int:
    """How many are stored."""
    return len(scenario.ask("select reading_no from raw.readings"))


def person(status: str, **fields: str) -> Record:
    """Somebody whose lead has this status."""
    return prospect("1", lead("10", disposition=status), **fields)


@pytest.mark.slow
def test_readings_go_that_neither_the_state_nor_a_later_replay_needs(scenario: Scenario) -> None:
    """K1, E4: the state is kept first, and what is older goes once it is that old; a replay then begins there and finds
    no difference, whatever comes next: rejected, held, gone and thinner ones, one that waited for its merge. `explain`
    still knows what came later, the ledger has no gap, and people see all that they saw. A dry run changes nothing."""
    s = scenario
    s.set(KEEP_READINGS_DAYS="30", LP_HELD_AFTER="1")
    s.sync(prospect("1", lead("10"), lead("11")), prospect("2", lead("20"), email=...))
    s.read("prospects", prospect("1", nickname="Al"))
    s.sync(prospect("3", calls=[{"calldatetime": "2026-03-01T10:00:00", "phone": "1"}]), feed="prospects")
    s.later()
    s.sync(*(prospect(each, lead(f"{each}0"), dateadded="2025-11-04T10:00:00") for each in "12"))
    for status in ("Set", "Demo"):
        s.sync(person(status))
    s.read("leads", prospect("3", lead("30")))  # not merged yet
    there = readings(s)
    assert fold_history(s.warehouse, s.settings) == Tidied(READINGS, there, there)
    assert fold_history(s.warehouse, s.settings) is None

    s.later(minutes=MONTH)
    s.sync(person("Sold"), minutes=MONTH + 60)
    s.sync(prospect("2", lead("20"), email=...), feed="prospects", minutes=MONTH + 60)
    shown, triggers = {table: s.ask(f"from {table} order by all") for table in KEPT}, past_of(s.settings, "1").triggers
    there = readings(s)
    counted = fold_history(s.warehouse, s.settings, dry_run=True)
    assert (readings(s), counted) == (there, fold_history(s.warehouse, s.settings))
    assert (counted.before, counted.after) == (there, readings(s)) if counted else False
    assert readings(s) < there
    assert nothing_differs(s).done_again == len(s.ask("from pipeline.merge_log")) == 2
    left = past_of(s.settings, "1").triggers
    assert 0 < len(left) < len(triggers)
    assert left == triggers[-len(left) :]
    assert s.ask(statement("checks/window_gaps")) == []
    assert {table: s.ask(f"from {table} order by all") for table in KEPT} == shown

    s.sync(prospect("1", lead("11")), prospect("3", lead("30", disposition="Sold")), prospect("2", lead("20")))
    settle_held(s.settings, "accept", [])
    s.sync(person("Lost"), prospect("2", lead("20"), dateadded="2025-12-01T10:00:00"))
    assert nothing_differs(s).done_again == 5


@pytest.mark.slow
def test_an_erased_person_is_in_no_state_that_is_kept(scenario: Scenario) -> None:
    """E5, K1: neither with an id nor with a phone number that only a removed reading had; people get a new file."""
    s = scenario
    s.set(KEEP_READINGS_DAYS="30")
    for phone in ("(518)555-0101", "(518)555-0102"):
        s.sync(person("Set", phone1=phone, firstname="Quillabeth"), prospect("2", lead("20")))
    publish(s.warehouse, outbox=s.outbox, now=s.now, zone="America/New_York")
    fold_history(s.warehouse, s.settings)
    s.later(minutes=MONTH)
    s.sync(person("Sold", phone1="(518)555-0103", firstname="Quillabeth"), minutes=MONTH + 60)
    fold_history(s.warehouse, s.settings)
    assert (None,) in s.ask("from pipeline.unpublished_contacts")
    assert publish(s.warehouse, outbox=s.outbox, now=s.now, zone="America/New_York").rebuilt
    assert s.ask("select phone from base.opportunities where external_contact_id = '1'")
    forget(s.settings, s.outbox, "1")
    assert found_in(s.folder, ["5185550101", "(518)555-0101", "(518)555-0102", "(518)555-0103", "Quillabeth"]) == {}
    ids = {table: f"select external_contact_id from base.{table}" for table in ("opportunities", "calls", "suspects")}
    ids |= {table: f"select contact_key from base.{table}" for table in ("merged", "last_readings", "lead_listings")}
    assert {table for table, query in ids.items() if ("1",) in s.ask(query)} == set()
    nothing_differs(s)
