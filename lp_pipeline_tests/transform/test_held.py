"""SPEC M9: contacts and leads that suddenly appear under another External Created At."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from click.testing import CliRunner

from lp_pipeline.cli.history import held
from lp_pipeline.transform.held import settle_held
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.runs.past import person
from lp_pipeline_tests.scenario import Record, Scenario, lead, prospect

KEY = {"HATCH_API_KEY": "key", "HATCH_SOURCE": "custom:lp"}


@pytest.fixture
def guarded(tmp_path: Any) -> Iterator[Scenario]:
    """A warehouse whose guard lets three suspects pass in a day."""
    scenario = Scenario(tmp_path, LP_HELD_AFTER="3", **KEY)
    with closing(scenario.outbox):
        yield scenario


def people(first: int, last: int, shift: int = 0, **fields: Any) -> list[Record]:
    """So many prospects with a lead each, all entered some hours later than they were."""
    added = f"2025-11-03T{10 + shift}:12:44"
    return [prospect(str(n), lead(f"{n}0"), dateadded=added, **fields) for n in range(first, last)]


def state(scenario: Scenario) -> list[tuple[Any, ...]]:
    return scenario.ask("select external_contact_id, state, first_name from held_opportunities order by 1")


def test_a_few_pass_and_more_are_held_alone(guarded: Scenario) -> None:
    """M9: over 24 hours three pass, the next is held, whatever came with it flows; a day later there is room again."""
    guarded.sync(*people(1, 7))
    guarded.later()
    assert guarded.sync(*people(1, 4, shift=2)).inserted == 3
    guarded.later(hours=23)
    report = guarded.sync(*people(4, 5, shift=2), *people(20, 22))
    assert (report.inserted, report.held) == (2, 1)
    guarded.later(hours=2)
    assert guarded.sync(*people(5, 6, shift=2)).held == 0
    assert state(guarded) == [("4", "held", "Ann")]


def test_without_a_setting_twenty_five_suspects_a_day_flow(tmp_path: Any) -> None:
    """M9: exactly 25 in 24 hours pass, the 26th is held."""
    scenario = Scenario(tmp_path)
    scenario.sync(*people(0, 27))
    scenario.later()
    assert scenario.sync(*people(0, 25, shift=2)).inserted == 25
    scenario.later(hours=23)
    report = scenario.sync(*people(25, 26, shift=2), *people(40, 41))
    assert (report.inserted, report.held) == (1, 1)
    assert state(scenario) == [("25", "held", "Ann")]


@pytest.mark.slow
def test_what_is_held_counts_too(guarded: Scenario) -> None:
    """M9: after a batch of suspects was held, the next single one of that day is not let through."""
    guarded.sync(*people(1, 9))
    guarded.later()
    assert guarded.sync(*people(1, 6, shift=2)).held == 5
    guarded.later(hours=1)
    assert guarded.sync(*people(6, 7, shift=2)).held == 1
    guarded.later(hours=30)
    assert guarded.sync(*people(1, 8, shift=2, firstname="Bea")).inserted == 1  # what is known to be held is no news


def test_two_without_a_lead_are_suspect_too(guarded: Scenario) -> None:
    """M9: no lead equals no lead."""
    guarded.sync(*(prospect(str(n)) for n in range(4)), feed="prospects")
    guarded.later()
    moved = [prospect(str(n), dateadded="2025-11-03T12:12:44") for n in range(4)]
    assert guarded.sync(*moved, feed="prospects").held == 4


def test_a_newer_reading_refreshes_and_accepting_makes_it_an_opportunity(guarded: Scenario) -> None:
    """M9, M7, D1: accepts the last reading, logs an insert and makes it due for Hatch; other contacts stay held."""
    guarded.sync(*people(1, 6))
    guarded.later()
    guarded.sync(*people(1, 6, shift=2))
    guarded.later()
    guarded.sync(*people(1, 2, shift=2, firstname="Bea"))
    assert state(guarded)[:2] == [("1", "held", "Bea"), ("2", "held", "Ann")]
    guarded.later()
    assert len(settle_held(guarded.settings, "accept", ["1"])) == 1
    assert len(state(guarded)) == 4
    added = "external_created_local = '2025-11-03 12:12:44'"
    assert guarded.ask(f"select first_name, gone_since from opportunities where {added}") == [("Bea", None)]
    for table in ("opportunity_changes", "pipeline.due_deliveries"):
        assert guarded.ask(f"select external_contact_id from {table} where {added}") == [("1",)]
    guarded.later()
    assert guarded.sync(*people(1, 2, shift=2, firstname="Cid")).updated == 1


def test_what_is_accepted_too_late_is_gone(guarded: Scenario) -> None:
    """M9, M6: also for a prospect backdated since, and one that no longer lists the lead."""
    guarded.sync(*people(1, 6))
    guarded.later()
    assert guarded.sync(*people(1, 6, shift=2)).held == 5
    guarded.later()
    added = "2025-11-03T12:12:44"
    guarded.sync(*people(1, 2), prospect("2", lead("21"), dateadded=added), *people(3, 4, shift=2, firstname="Bea"))
    settle_held(guarded.settings, "accept", [])
    shown = "select external_contact_id, gone_since is not null from opportunities where external_id not in ('21')"
    later = guarded.ask(f"{shown} and external_created_local = '2025-11-03 12:12:44' order by 1")
    assert later == [("1", True), ("2", True), ("3", False), ("4", False), ("5", False)]
    assert guarded.ask(f"{shown} and external_created_local = '2025-11-03 10:12:44' order by 1") == [
        ("1", False),
        *((str(number), True) for number in range(2, 6)),
    ]


def test_what_is_dropped_stays_dropped(guarded: Scenario) -> None:
    """M9: at later readings too, and it does not count toward the limit."""
    guarded.sync(*people(1, 7))
    guarded.later()
    guarded.sync(*people(1, 6, shift=2))
    assert len(settle_held(guarded.settings, "drop", [])) == 5
    guarded.later(hours=30)
    report = guarded.sync(*people(1, 7, shift=2, firstname="Bea"))
    assert report.inserted == 1
    assert state(guarded) == [(str(n), "dropped", "Bea") for n in range(1, 6)]


@pytest.mark.slow
def test_the_check_names_the_pairs_and_the_command_settles_them(lp_account: Account) -> None:
    """M9: the run continues, the check fails and lists the pairs; `lp-pipeline held` lists, accepts and drops."""
    lp_account.environ |= {"LP_HELD_AFTER": "0"}
    lp_account.lp.put(person(lp_account, "1", dateadded="2025-11-03T10:12:44"))
    lp_account.lp.put(person(lp_account, "2", dateadded="2025-11-03T10:12:44"))
    lp_account.sync()
    lp_account.later()
    for cst_id in ("1", "2"):
        lp_account.lp.edit(cst_id, lambda record: record.update(dateadded="2025-11-03T12:12:44"))
    result = lp_account.run()
    assert result.success
    (check,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "no_identity_is_held"]
    assert not check.passed
    assert "1/10 (2025-11-03 10:12:44, now 2025-11-03 12:12:44)" in str(check.description)
    runner = CliRunner(env={**lp_account.environ, "LP_PIPELINE_NOW": lp_account.now.isoformat()})
    assert "12:12:44" in runner.invoke(held, []).output
    assert runner.invoke(held, ["accept", "1"]).output.startswith("1 opportunity is accepted")
    assert runner.invoke(held, ["drop"]).output.startswith("1 opportunity is dropped")
    for words in (["accept"], ["accept", "2"], ["drop", "2"], ["drop"]):
        refused = runner.invoke(held, words)
        assert (refused.exit_code, "nothing changed" in refused.output) == (1, True)
    assert lp_account.ask("select external_contact_id, state from held_opportunities") == [("2", "dropped")]
