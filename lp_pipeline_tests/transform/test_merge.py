"""SPEC M1 to M8, W7, W8: reconciling what is staged with the table. Rows in, rows out."""

import json
from datetime import datetime, timedelta

import pytest

from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline_tests.scenario import NOON, Record, Scenario, lead, only, prospect

OLD = {"dateentered": "2025-01-05T08:00:00", "lastchangedon": "2025-01-05T08:00:00"}


def test_the_same_readings_again_change_nothing(scenario: Scenario) -> None:
    """M3, W7: a reading that is the same JSON, whatever the order of its keys, is only counted."""
    record = prospect("1", lead("10"))
    scenario.sync(record)
    before = scenario.ask("from opportunities")
    scenario.later()
    assert scenario.read("leads", dict(reversed(record.items()))) == 0
    assert scenario.merge().readings == 0
    assert scenario.ask("from opportunities") == before


def test_unchanged_content_writes_nothing(scenario: Scenario) -> None:
    """M3: an unchanged opportunity keeps its changed_at."""
    scenario.sync(prospect("1", lead("10"), lead("11")))
    scenario.later()
    report = scenario.sync(prospect("1", lead("10", disposition="Sold"), lead("11")))
    assert (report.updated, report.unchanged) == (1, 1)
    assert scenario.ask("select changed_at from opportunities where external_id = '11'") == [(NOON,)]


def test_an_update_keeps_the_first_time(scenario: Scenario) -> None:
    """M2: same key, update."""
    scenario.sync(prospect("1", lead("10")))
    scenario.later()
    scenario.sync(prospect("1", lead("10"), email="new@example.com"))
    query = "select email, first_synced_at, changed_at from opportunities"
    assert scenario.ask(query) == [("new@example.com", NOON, NOON + timedelta(minutes=15))]


@pytest.mark.parametrize("combination", ["with a lead", "alone"])
def test_another_created_at_is_an_additional_opportunity(scenario: Scenario, combination: str) -> None:
    """M1, M2, M6: any difference in the key is an additional opportunity; the one LP no longer shows is gone."""
    leads = [lead("10")] if combination == "with a lead" else []
    scenario.sync(prospect("1", *leads))
    report = scenario.sync(prospect("1", *leads, dateadded="2025-11-04T10:12:44"))
    assert report.inserted == 1
    query = "select external_created_local, gone_since is not null from opportunities order by 1"
    assert scenario.ask(query) == [
        (datetime(2025, 11, 3, 10, 12, 44), True),
        (datetime(2025, 11, 4, 10, 12, 44), False),
    ]


def test_a_fraction_of_a_second_is_the_same_created_at(scenario: Scenario) -> None:
    """M1: External Created At counts to the second."""
    scenario.sync(prospect("1", lead("10"), dateadded="2025-11-03T10:12:44.51"))
    assert scenario.sync(prospect("1", lead("10"), dateadded="2025-11-03T10:12:44.9")).updated == 1
    assert len(scenario.keys()) == 1


def test_a_later_reading_wins_whatever_its_stamps_say(scenario: Scenario) -> None:
    """M4: truth goes by reading order, not by external_updated_at."""
    scenario.sync(prospect("1", lead("10", disposition="Sold"), lastchanged="2026-03-02T11:00:00"))
    scenario.sync(prospect("1", lead("10", disposition="Set"), lastchanged="2026-03-01T11:00:00"))
    assert only(scenario.ask("select status from opportunities")) == "Set"


def test_an_earlier_reading_that_is_merged_later_is_stale(scenario: Scenario) -> None:
    """M4: an earlier reading never overwrites a later one."""
    early = begin_sync(scenario.warehouse, scenario.settings, "begun first, stored last")
    scenario.sync(prospect("1", lead("10", disposition="Sold")))
    scenario.read("leads", prospect("1", lead("10", disposition="Set"), lead("11")), sync=early)
    report = scenario.merge()
    assert (report.stale, report.updated, report.inserted) == (1, 0, 0)
    assert scenario.ask("select external_id, status from opportunities") == [("10", "Sold")]


def test_a_prospect_becomes_lead_and_prospect_when_its_lead_is_triggered(scenario: Scenario) -> None:
    """M5: and it never goes back."""
    scenario.sync(prospect("1", lead("10")), feed="prospects")
    assert scenario.keys() == [("1", "10", "prospect")]
    assert scenario.sync(prospect("1", lead("10"))).updated == 1
    assert scenario.keys() == [("1", "10", "lead+prospect")]
    scenario.sync(prospect("1", lead("10"), city="Troy"), feed="prospects")
    assert scenario.keys() == [("1", "10", "lead+prospect")]


def test_a_prospect_stays_one_while_its_lead_is_not_triggered(scenario: Scenario) -> None:
    """M5, J1: a change of the prospect alone leaves the combination as it is."""
    scenario.sync(prospect("1", lead("10")), feed="prospects")
    assert scenario.sync(prospect("1", lead("10"), city="Troy"), feed="prospects").updated == 1
    assert scenario.keys() == [("1", "10", "prospect")]


def test_a_lead_that_is_no_longer_listed_is_gone_until_it_is_back(scenario: Scenario) -> None:
    """M6: nothing is deleted; gone_since is set, and cleared when the lead is listed again."""
    scenario.sync(prospect("1", lead("10"), lead("11")))
    assert scenario.sync(prospect("1", lead("11"))).gone == 1
    assert scenario.gone() == [("1", "10")]
    assert scenario.sync(prospect("1", lead("10"), lead("11"))).returned == 1
    assert scenario.gone() == []


def test_the_last_lead_of_a_prospect_is_gone_once_it_is_anothers(scenario: Scenario) -> None:
    """M6: the lead feed never shows a prospect without leads; the prospect feed says that there are none."""
    scenario.sync(prospect("1", lead("10"), lead("11")), prospect("2", lead("20")))
    scenario.sync(prospect("1"), feed="prospects")
    assert scenario.gone() == []  # that feed may show no leads of anybody
    assert scenario.sync(prospect("2", lead("20"), lead("10"))).gone == 1
    assert scenario.gone() == [("1", "10")]
    scenario.sync(prospect("1", lead("10", disposition="Sold"), lead("11")))
    assert scenario.gone() == []
    scenario.sync(prospect("2", lead("20")))
    scenario.sync(prospect("2", lead("20"), lead("10")))
    assert scenario.gone() == []
    scenario.sync(prospect("1", city="Troy"), feed="prospects")
    assert scenario.gone() == [("1", "10")]


@pytest.mark.parametrize("silent", [{"leads": None}, {"leads": ...}, {"leads": [lead("12")]}])
def test_a_prospect_feed_that_does_not_say_that_there_are_no_leads_makes_none_gone(
    scenario: Scenario, silent: Record
) -> None:
    """M6, J1: its records may come without leads, or with some of them; a lead may be two prospects'."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    scenario.sync(prospect("2", lead("20"), lead("10")))
    scenario.sync(prospect("1", **silent), feed="prospects")
    assert scenario.gone() == []


def test_a_lead_that_the_same_sync_shows_of_two_prospects_is_gone_from_neither(scenario: Scenario) -> None:
    """M6, J1: a lead under several prospects."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("10")))
    scenario.sync(prospect("1"), feed="prospects")
    assert scenario.gone() == []


def test_a_rejected_lead_that_moved_away_is_rejected_no_longer(scenario: Scenario) -> None:
    """J7, M6: LP no longer lists it there."""
    scenario.sync(prospect("1", lead("10", disposition=...)), prospect("2", lead("20")))
    scenario.sync(prospect("2", lead("20"), lead("10", disposition=...)))
    scenario.sync(prospect("1"), feed="prospects")
    rejected = "select external_contact_id, external_id from rejected_records where combination = 'lead+prospect'"
    assert scenario.ask(rejected) == [("2", "10")]


def test_an_opportunity_without_a_lead_is_gone_once_one_is_listed(scenario: Scenario) -> None:
    """M6: for an opportunity without a lead it is the other way round."""
    scenario.sync(prospect("1"), feed="prospects")
    scenario.sync(prospect("1", lead("10")))
    assert scenario.gone() == [("1", None)]
    scenario.sync(prospect("1"))
    assert scenario.gone() == [("1", "10")]


def test_gone_takes_no_trigger(scenario: Scenario) -> None:
    """M6: a reading that triggers nothing still shows what is gone, and that is no change of the row."""
    scenario.sync(prospect("1", lead("10"), lead("11")))
    scenario.later()
    report = scenario.sync(prospect("1", lead("11")))
    assert (report.triggered, report.gone) == (0, 1)
    assert scenario.ask("select distinct changed_at from opportunities") == [(NOON,)]


def test_a_reading_without_dateadded_makes_nothing_gone(scenario: Scenario) -> None:
    """M6: to show another dateadded it must show one."""
    scenario.sync(prospect("1", lead("10")))
    scenario.sync(prospect("1", lead("10"), dateadded=""))
    assert scenario.gone() == []


def test_changes_tell_what_each_sync_did(scenario: Scenario) -> None:
    """M7: a row for every insert, and one for each column of J3 that an update changed."""
    scenario.sync(prospect("1", lead("10")))
    scenario.sync(prospect("1", lead("10", disposition="Sold"), email="", city="Troy"))
    query = (
        "select external_contact_id, external_id, column_name, old_value, new_value "
        "from opportunity_changes order by sync_id, column_name"
    )
    assert scenario.ask(query) == [
        ("1", "10", None, None, None),
        ("1", "10", "email", "ann@example.com", None),
        ("1", "10", "status", "Set", "Sold"),
    ]


def test_a_merge_tells_its_own_counts_whatever_the_clock_says(scenario: Scenario) -> None:
    """M3: the outcomes are counted, also after the clock was set back."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    scenario.later(hours=-1)
    assert scenario.sync(prospect("3", lead("30"))).inserted == 1


def test_what_was_stored_and_not_merged_is_merged_by_the_next_sync(scenario: Scenario) -> None:
    """W8: a merge takes every stored reading that is not yet merged."""
    scenario.read("leads", prospect("1", lead("10")))
    scenario.read("prospects", prospect("2"))
    assert scenario.merge().inserted == 2
    assert only(scenario.ask("select count(*) from pipeline.unmerged")) == 0


def test_every_call_that_was_read_is_kept_once(scenario: Scenario) -> None:
    """S1: LP shows calls for a week; each is kept, also from a reading that another one overtook."""
    first = {"calldatetime": "2026-03-01T18:03:00", "phone": "5185550123", "resultcode": "NA", "calltype": "O"}
    second = {**first, "calldatetime": "2026-03-02T18:03:00"}
    scenario.read("leads", prospect("1", lead("10"), calls=[first]))
    scenario.read("leads", prospect("1", lead("10"), calls=[second]))
    assert scenario.merge().new_calls == 2
    assert scenario.sync(prospect("1", lead("10"), calls=[first, second, None])).new_calls == 0
    assert len(scenario.ask("from calls")) == 2


def test_calls_are_found_however_their_json_is_written(scenario: Scenario) -> None:
    """S1: also beside an empty list of the same name, with blanks, and with escapes in the key."""
    call = {"calldatetime": "2026-03-01T18:03:00", "phone": "5185550123", "resultcode": "NA", "calltype": "O"}
    records = [prospect(str(number), lead(f"{number}0", calls=[]), calls=[call]) for number in (1, 2, 3)]
    compact, spread, escaped = (
        json.dumps(records[0], separators=(",", ":")),
        json.dumps(records[1], indent=1).replace("[", " [ "),
        json.dumps(records[2], separators=(",", ":")).replace('"calls":[{', '"c\\u0061lls":[{'),
    )
    without = [prospect("4", lead("40")), prospect("5", lead("50"), calls=[])]
    report = scenario.sync(*(text.encode() for text in (compact, spread, escaped)), *without)
    assert report.new_calls == 3
    assert scenario.ask("select external_contact_id from calls order by all") == [("1",), ("2",), ("3",)]


def test_a_record_twice_on_a_page_is_one_reading_after_the_other(scenario: Scenario) -> None:
    """W7: rows may be shown twice; the later one is the later reading."""
    assert scenario.read("leads", prospect("1", lead("10")), prospect("1", lead("10"))) == 1
    scenario.read("leads", prospect("1", lead("10", disposition="A")), prospect("1", lead("10", disposition="B")))
    scenario.merge()
    assert only(scenario.ask("select status from opportunities")) == "B"


def test_a_lead_listed_twice_makes_one_opportunity(scenario: Scenario) -> None:
    """M1: the table holds each key once."""
    scenario.sync(prospect("1", lead("10"), lead("10", disposition="Other"), lead(10)))
    assert scenario.keys() == [("1", "10", "lead+prospect")]


def test_a_run_shows_a_few_of_each_outcome_without_personal_data(scenario: Scenario) -> None:
    """R4: ids, the status and the names of changed columns; five of each outcome, unchanged ones not at all."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    scenario.later()
    new = [prospect(f"3{number}", lead(f"9{number}")) for number in range(7)]
    report = scenario.sync(
        prospect("1", lead("10", disposition="Sold"), firstname="Bea"), prospect("2", lead("20")), *new
    )
    updated = {"outcome": "updated", "contact": "1", "lead": "10", "status": "Sold"}
    assert [row for row in report.examples if row["outcome"] != "inserted"] == [
        {**updated, "changed_columns": "first_name, status"}
    ]
    assert [row["contact"] for row in report.examples if row["outcome"] == "inserted"] == ["30", "31", "32", "33", "34"]
