"""SPEC F2, F3: what a reading triggers. Rows in, rows out."""

import pytest

from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline_tests.scenario import Scenario, lead, prospect

OLD = {"dateentered": "2025-01-05T08:00:00", "lastchangedon": "2025-01-05T08:00:00"}


def test_a_lead_that_was_not_there_is_triggered(scenario: Scenario) -> None:
    """F2: in the lead feed a lead is triggered if it was not there."""
    scenario.sync(prospect("1", lead("10")))
    report = scenario.sync(prospect("1", lead("10"), lead("11", **OLD)))
    assert (report.inserted, report.unchanged) == (1, 1)
    assert scenario.keys() == [("1", "10", "lead+prospect"), ("1", "11", "lead+prospect")]


def test_a_lead_whose_content_differs_is_triggered(scenario: Scenario) -> None:
    """F2: in the lead feed a lead is triggered if its content differs."""
    scenario.sync(prospect("1", lead("10", disposition="Set")))
    assert scenario.sync(prospect("1", lead("10", disposition="Sold"))).updated == 1


TRIGGERED = "select lead_key, reason from pipeline.triggered_leads order by all"
MOVED = "2026-03-02T11:58:00"


def test_a_lead_with_another_stamp_needs_no_comparison(scenario: Scenario) -> None:
    """F1, F2: it is changed, whatever the reading before says, which would have to be unpacked."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    with scenario.warehouse.transaction() as connection:
        connection.execute("update raw.readings set record = '{}'")
    moved = (prospect("1", lead("10", lastchangedon=MOVED)), prospect("2", lead("20", disposition="Sold")))
    scenario.sync(*moved)
    assert scenario.ask(TRIGGERED) == [("10", "changed"), ("20", "new")]


def test_beside_a_lead_with_another_stamp_the_others_are_compared(scenario: Scenario) -> None:
    """F2: each lead for itself, by what it has and by what it had."""
    first = [lead("10"), lead("11"), lead("12"), lead("14")]
    scenario.sync(prospect("1", *first))
    now = [lead("10", lastchangedon=MOVED), lead("11"), lead("12", disposition="Sold"), lead("13"), lead("14", x=1)]
    scenario.sync(prospect("1", *now))
    assert scenario.ask(TRIGGERED) == [("10", "changed"), ("12", "changed"), ("13", "new"), ("14", "changed")]
    assert scenario.ask("select count(*) from opportunities where lead_changed_at > '2026-03-02 16:57:00Z'") == [(1,)]


def test_a_stamp_that_is_believed_only_now_is_no_other_one(scenario: Scenario) -> None:
    """F2, J3: it was in the future when its lead was read first."""
    early = lead("10", lastchangedon="2026-03-05T12:00:00")
    scenario.sync(prospect("1", early))
    scenario.later(days=4)
    scenario.sync(prospect("1", early, phone1="(518)555-0199"))
    assert scenario.ask(TRIGGERED) == []
    assert scenario.ask("select phone from opportunities") == [("(518)555-0199",)]


def test_where_the_columns_are_the_same_another_stamp_decides(scenario: Scenario) -> None:
    """M3: whatever the earlier readings say; but not a stamp that is believed only now."""
    early = lead("11", dateentered="2026-03-02T11:50:00", lastchangedon="2026-03-05T12:00:00")
    scenario.sync(prospect("1", lead("10"), early))
    with scenario.warehouse.transaction() as connection:  # as if it had been the same all the time
        connection.execute(
            "update raw.readings set record = replace(record::varchar, '2026-03-02T11:51:07.297', $1)", [MOVED]
        )
    scenario.later(days=4)
    report = scenario.sync(prospect("1", lead("10", lastchangedon=MOVED), early))
    assert (report.updated, report.unchanged) == (1, 1)


@pytest.mark.parametrize("ignored", ["LastChangedOn", "dateentered"])
def test_an_ignored_stamp_proves_nothing(scenario: Scenario, ignored: str) -> None:
    """F1: fields in LP_IGNORE_FIELDS are no content, stamps neither."""
    name = ignored.lower()
    ignoring = Scenario(scenario.folder / "ignoring", LP_IGNORE_FIELDS=ignored)
    ignoring.sync(prospect("1", lead("10", **{"lastchangedon": "", name: "2026-03-01T11:00:00"})))
    assert ignoring.sync(prospect("1", lead("10", **{"lastchangedon": "", name: MOVED}))).triggered == 0


def test_a_lead_whose_opportunity_is_from_an_earlier_reading_is_compared(scenario: Scenario) -> None:
    """F2: that one's stamp says nothing of the last reading, which was rejected."""
    scenario.sync(prospect("1", lead("10")))
    scenario.sync(prospect("1", broken := lead("10", lastchangedon=MOVED, disposition=...)))
    assert scenario.ask(TRIGGERED) == [("10", "changed")]
    scenario.sync(prospect("1", broken, notes=[{"note": "x"}]))
    assert scenario.ask(TRIGGERED) == [("10", "rejected before")]


def test_an_untriggered_lead_without_opportunity_stays_out(scenario: Scenario) -> None:
    """F2, J1: on first sight only leads stamped inside the window are triggered; the others make no opportunity."""
    scenario.sync(prospect("1", lead("10"), lead("9", **OLD)))
    assert scenario.keys() == [("1", "10", "lead+prospect")]


def test_all_leads_are_triggered_if_none_is_stamped_inside(scenario: Scenario) -> None:
    """F2: if no lead has a stamp inside the window, all are triggered."""
    scenario.sync(prospect("1", lead("10", **OLD), lead("9", **OLD)))
    assert scenario.keys() == [("1", "10", "lead+prospect"), ("1", "9", "lead+prospect")]


def test_stamps_of_appointments_and_jobs_count_as_the_leads_own(scenario: Scenario) -> None:
    """F2: an appointment's lastchangedon and a job's lastchanged or lastchangedon are stamps of the lead."""
    inside = "2026-03-02T11:59:00"
    scenario.sync(
        prospect(
            "1",
            lead("10", **OLD, appointments=[{"lastchangedon": inside}]),
            lead("11", **OLD, jobs=[{}, {"LastChanged": inside}]),
            lead("12", **OLD, jobs=[{"lastchangedon": inside}]),
            lead("13", **OLD, jobs=[{"contractdate": inside}]),
        )
    )
    assert [lead_id for _, lead_id, _ in scenario.keys()] == ["10", "11", "12"]


def test_the_window_counts_as_it_was_sent(scenario: Scenario) -> None:
    """F2, W3: the end is sent ten minutes late, so a stamp within these is inside."""
    scenario.sync(prospect("1", lead("10", **{**OLD, "lastchangedon": "2026-03-02T12:09:59"}), lead("9", **OLD)))
    assert [lead_id for _, lead_id, _ in scenario.keys()] == ["10"]


def test_the_windows_of_all_unmerged_readings_count(scenario: Scenario) -> None:
    """F2: a stamp inside the window of any unmerged reading triggers, also that of a reading that was only counted."""
    seen = prospect("1", lead("10", **{**OLD, "lastchangedon": "2026-03-02T10:00:00"}), lead("9", **OLD))
    scenario.read("leads", seen)
    scenario.read("leads", seen, minutes=180)
    scenario.merge()
    assert [lead_id for _, lead_id, _ in scenario.keys()] == ["10"]


def test_of_several_unmerged_readings_the_last_one_counts(scenario: Scenario) -> None:
    """F2: the last unmerged reading is compared with the last merged one."""
    scenario.read("leads", prospect("1", lead("10", disposition="Set")))
    scenario.read("leads", prospect("1", lead("10", disposition="Sold")))
    assert scenario.merge().inserted == 1
    assert scenario.ask("select status from opportunities") == [("Sold",)]


def test_feeds_are_compared_with_themselves_only(scenario: Scenario) -> None:
    """F2: feeds may show thinner objects, so a reading is compared with the last merged one of the same feed."""
    thin = prospect("1", email="ann@example.com", lastname=..., phone1=...)
    scenario.sync(prospect("1", lead("10")))
    scenario.sync(thin, feed="prospects")
    report = scenario.sync({**thin, "notes": "called"}, feed="prospects")
    assert (report.triggered, report.unchanged) == (0, 0)


def test_leads_nested_in_the_prospect_feed_trigger_nothing(scenario: Scenario) -> None:
    """F2: a lead that only the prospect feed shows as changed is not triggered; the prospect is."""
    scenario.sync(prospect("1", lead("10"), lead("11")), feed="prospects")
    assert scenario.keys() == [("1", "10", "prospect")]


def test_a_prospect_with_a_triggered_lead_is_not_triggered_by_itself(scenario: Scenario) -> None:
    """F3: a prospect is triggered only if none of its leads is."""
    report = scenario.sync(prospect("1", lead("10")))
    assert report.inserted == 1
    assert scenario.keys() == [("1", "10", "lead+prospect")]


def test_a_prospect_whose_own_content_differs_is_triggered(scenario: Scenario) -> None:
    """F3, J1: it updates the opportunities of its leads."""
    scenario.sync(prospect("1", lead("10")))
    report = scenario.sync(prospect("1", lead("10"), phone1="(518)555-0199"))
    assert report.updated == 1
    assert scenario.keys() == [("1", "10", "lead+prospect")]
    assert scenario.ask("select phone from opportunities") == [("(518)555-0199",)]


def test_a_change_of_notes_or_calls_triggers_nothing(scenario: Scenario) -> None:
    """F1, F4: notes and calls are no content, at any depth."""
    scenario.sync(prospect("1", lead("10")))
    noted = prospect("1", lead("10", notes=[{"note": "x"}]), notes=[{"note": "y"}], calls=[{"phone": "1"}])
    assert scenario.read("leads", noted) == 1
    assert scenario.merge().triggered == 0


def test_ignored_fields_trigger_nothing(scenario: Scenario) -> None:
    """F1: fields in LP_IGNORE_FIELDS are no content."""
    ignoring = Scenario(scenario.folder / "ignoring", LP_IGNORE_FIELDS="SalesRepName, city")
    ignoring.sync(prospect("1", lead("10", salesrepname="Doe"), city="Troy"))
    assert ignoring.sync(prospect("1", lead("10", salesrepname="Ray"), city="Albany")).triggered == 0


def test_a_rejected_lead_is_triggered_again(scenario: Scenario) -> None:
    """F2, W7, J7: a rejected lead is judged again whenever it is read, even if nothing changed."""
    broken = prospect("1", lead("10", disposition=...))
    scenario.sync(broken)
    assert scenario.sync(broken).rejected == 1
    assert scenario.ask("select attempts from rejected_records") == [(2,)]


def test_a_prospect_rejected_by_itself_is_triggered_again(scenario: Scenario) -> None:
    """F3: a prospect rejected as `prospect` is evaluated again at every reading."""
    broken = prospect("1", email=...)
    scenario.sync(broken, feed="prospects")
    assert scenario.sync(broken, feed="prospects").rejected == 1


def test_a_rejected_lead_does_not_make_its_prospect_triggered(scenario: Scenario) -> None:
    """F3: a rejected lead of its own doesn't count for the prospect."""
    scenario.sync(prospect("1", lead(id=...)))
    scenario.sync(prospect("1"), feed="prospects")
    assert scenario.rejected() == [("1", None, ["external_id"])]
    report = scenario.sync(prospect("1"), feed="prospects")
    assert report.triggered == 0


LATE = lead("99", dateentered="2026-03-02T11:50:00", lastchangedon="2026-03-02T11:50:00")
EARLY = lead("11", dateentered="2026-03-02T10:30:00", lastchangedon="2026-03-02T10:30:00")


def test_a_lead_in_the_window_of_a_stale_reading_is_not_overlooked(scenario: Scenario) -> None:
    """F2, M4: a sync reads a prospect after a backfill has, but merges first, and only another lead's stamp is inside
    its window. The backfill's reading is stale by then, but its window asked for this lead: no sweep is needed."""
    ahead = begin_sync(scenario.warehouse, scenario.settings, "a backfill's piece")
    assert scenario.sync(prospect("1", EARLY, LATE, firstname="Bea"), minutes=35).inserted == 1
    scenario.read("leads", prospect("1", EARLY), minutes=200, sync=ahead, kind="backfill")
    merged = scenario.merge()
    assert (merged.inserted, merged.updated, merged.stale) == (1, 0, 1)
    assert scenario.keys() == [("1", "11", "lead+prospect"), ("1", "99", "lead+prospect")]
    assert scenario.ask("select distinct first_name from opportunities") == [("Bea",)]


def test_a_lead_is_not_overlooked_once_a_backfill_was_ahead_of_the_syncs(scenario: Scenario) -> None:
    """F2: the prospect is no news to the sync that comes to the lead's stamp, since a backfill has shown it before,
    in another window, and a sync has, changed, in a third one."""
    scenario.read("leads", prospect("1", EARLY, LATE), minutes=35, kind="backfill")
    assert scenario.merge().inserted == 1
    assert scenario.sync(prospect("1", EARLY, LATE, firstname="Bea"), minutes=20).updated == 1
    assert scenario.sync(prospect("1", EARLY, LATE, firstname="Bea"), minutes=200).inserted == 1
    assert scenario.keys() == [("1", "11", "lead+prospect"), ("1", "99", "lead+prospect")]
    assert scenario.sync(prospect("1", EARLY, LATE, firstname="Bea"), minutes=200).triggered == 0
