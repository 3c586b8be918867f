"""SPEC J1 to J7: what is joined, how fields are mapped, what is missing. Rows in, rows out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lp_pipeline.storage.account import open_warehouse
from lp_pipeline_tests.scenario import NOON, Scenario, lead, only, prospect

OLD = {"dateentered": "2025-01-05T08:00:00", "lastchangedon": "2025-01-05T08:00:00"}
MAPPED = (
    "email, external_id, external_contact_id, external_created_at, external_updated_at, "
    "first_name, last_name, phone, status"
)


def test_a_lead_and_its_prospect_make_one_opportunity(scenario: Scenario) -> None:
    """J1, J3: each column comes from its field."""
    scenario.sync(prospect("90211", lead("120345")))
    assert scenario.ask(f"select {MAPPED} from opportunities") == [
        (
            "ann@example.com",
            "120345",
            "90211",
            datetime(2025, 11, 3, 15, 12, 44, 510000, UTC),
            datetime(2026, 3, 2, 14, 51, 7, 300000, UTC),
            "Ann",
            "Field",
            "(518)555-0123",
            "Set",
        )
    ]


def test_a_lead_under_two_prospects_makes_one_opportunity_with_each(scenario: Scenario) -> None:
    """J1, M2: one lead under two prospects stays two."""
    scenario.sync(prospect("1", lead("10")), prospect("2", lead("10")))
    assert scenario.keys() == [("1", "10", "lead+prospect"), ("2", "10", "lead+prospect")]


def test_own_fields_come_key_by_key_from_the_latest_reading_that_has_the_key(scenario: Scenario) -> None:
    """J1: a thinner reading hides no field, and a key with an empty value is there."""
    scenario.sync(prospect("1", lead("10"), city="Troy", firstname="Ann"))
    thin = {"cst_id": "1", "FirstName": "Anna", "email": ""}
    scenario.sync(thin, feed="prospects")
    assert scenario.ask("select first_name, email, last_name from opportunities") == [("Anna", None, "Field")]
    ((shown, _),) = scenario.objects()
    assert shown["city"] == "Troy"


def test_a_counted_reading_does_not_become_the_latest(scenario: Scenario) -> None:
    """W7, J1: the same JSON again takes the place that the stored reading has in the order."""
    old = prospect("1", lead("10"), firstname="Ann")
    scenario.sync(old)
    scenario.sync({"cst_id": "1", "firstname": "Anna"}, feed="prospects")
    assert scenario.read("leads", old) == 0
    scenario.merge()
    assert only(scenario.ask("select first_name from opportunities")) == "Anna"


def test_leads_come_from_the_lead_feed_once_it_has_shown_the_prospect(scenario: Scenario) -> None:
    """J1: the prospect feed's leads count only as long as the lead feed has never shown the prospect."""
    scenario.sync(prospect("1", lead("10", disposition="Set")))
    scenario.sync(prospect("1", lead("10", disposition="Stale"), lead("11"), city="Troy"), feed="prospects")
    assert scenario.ask("select external_id, status from opportunities") == [("10", "Set")]
    assert scenario.gone() == []


def test_a_prospect_alone_takes_its_first_lead_as_received(scenario: Scenario) -> None:
    """J2: without a triggered lead or an opportunity the prospect alone gives one, with its first lead."""
    scenario.sync(prospect("1", None, 7, lead("11"), lead("10")), feed="prospects")
    assert scenario.keys() == [("1", "11", "prospect")]


def test_a_prospect_without_a_lead_has_neither_id_nor_status(scenario: Scenario) -> None:
    """J2: External ID and Status are NULL."""
    scenario.sync(prospect("1"), prospect("2", leads=None), prospect("3", leads=...), feed="prospects")
    assert scenario.ask(
        "select external_contact_id, external_id, status, combination from opportunities order by 1"
    ) == [(contact, None, None, "prospect") for contact in "123"]


NO_STAMPS: dict[str, Any] = {"lastchangedon": "", "dateentered": "1900-01-01T00:00:00"}


STAMPED: list[tuple[dict[str, Any], dict[str, Any], str, datetime]] = [
    ({}, {}, "prospect.lastchanged", datetime(2026, 3, 2, 9, 51, 7, 300000)),
    ({"lastchanged": ""}, {}, "lead.lastchangedon", datetime(2026, 3, 2, 11, 51, 7, 297000)),
    (
        {"lastchanged": None},
        {"lastchangedon": "0001-01-01T00:00:00"},
        "lead.dateentered",
        datetime(2026, 2, 27, 16, 20, 5, 33000),
    ),
    (
        {"lastchanged": ...},
        {**NO_STAMPS, "jobs": [{"contractdate": "2026-03-01T00:00:00"}]},
        "lead.jobs[0].contractdate",
        datetime(2026, 3, 1),
    ),
    (
        {"lastchanged": "1753-01-01T00:00:00"},
        {**NO_STAMPS, "jobs": None, "appointments": [{"lastchangedon": "2026-03-01T08:00:00.1234567"}]},
        "lead.appointments[0].lastchangedon",
        datetime(2026, 3, 1, 8, 0, 0, 123456),
    ),
    (
        {"lastchanged": "2026-03-05T00:00:00"},
        {},
        "lead.lastchangedon",
        datetime(2026, 3, 2, 11, 51, 7, 297000),
    ),
]


def test_the_first_update_stamp_that_is_there_wins(scenario: Scenario) -> None:
    """J3, J4: the first of five fields that is not missing; empty, sentinel and far-future values count as missing."""
    scenario.sync(
        *(
            prospect(number, lead(f"{number}0", **lead_fields), **prospect_fields)
            for number, (prospect_fields, lead_fields, _, _) in enumerate(STAMPED)
        )
    )
    query = (
        "select external_updated_at_source, timezone('America/New_York', external_updated_at) from opportunities "
        "order by external_contact_id"
    )
    assert scenario.ask(query) == [(source, local) for _, _, source, local in STAMPED]


def test_the_first_element_counts_even_if_it_is_useless(scenario: Scenario) -> None:
    """J4: `[0]` is the first element as received."""
    jobs = [None, {"contractdate": "2026-03-01T00:00:00"}]
    scenario.sync(prospect("1", lead("10", **NO_STAMPS, jobs=jobs), lastchanged=""))
    assert scenario.rejected() == [("1", "10", ["external_updated_at"])]


DATES: list[tuple[object, datetime | None]] = [
    ("2025-11-03T10:12:44", datetime(2025, 11, 3, 15, 12, 44, tzinfo=UTC)),
    ("2025-11-03T10:12:44.1234567", datetime(2025, 11, 3, 15, 12, 44, 123456, UTC)),
    ("  2025-11-03T10:12:44.5  ", datetime(2025, 11, 3, 15, 12, 44, 500000, UTC)),
    ("2025-11-03", datetime(2025, 11, 3, 5, tzinfo=UTC)),
    ("2025-11-03 10:12:44", datetime(2025, 11, 3, 15, 12, 44, tzinfo=UTC)),
    ("2025-11-03T10:12:44Z", datetime(2025, 11, 3, 10, 12, 44, tzinfo=UTC)),
    ("2025-11-03T10:12:44+02:00", datetime(2025, 11, 3, 8, 12, 44, tzinfo=UTC)),
    ("2025-11-02T01:30:00", datetime(2025, 11, 2, 6, 30, tzinfo=UTC)),
    ("2025-03-09T02:30:00", datetime(2025, 3, 9, 7, 30, tzinfo=UTC)),
    ("1970-01-01T00:00:00", datetime(1970, 1, 1, 5, tzinfo=UTC)),
    ("1969-12-31T23:59:59", None),
    ("2026-03-03T13:59:00", datetime(2026, 3, 3, 18, 59, tzinfo=UTC)),
    ("2026-03-03T14:01:00", None),
    ("11/03/2025 10:12", None),
    ("2025-11-03T10:12", None),
    ("2025-02-30T10:12:44", None),
    ("2025-11-03T24:00:00", None),
    ("2025-11-03T10:12:44.12345678", None),
    ("soon", None),
    (20251103, None),
    ([], None),
]


def test_dates_are_read_in_the_contracts_forms_only(scenario: Scenario) -> None:
    """J4, J5: local time unless there is an offset; anything else counts as missing."""
    scenario.sync(*(prospect(f"{number:02}", lead("10"), dateadded=text) for number, (text, _) in enumerate(DATES)))
    read = dict(scenario.ask("select external_contact_id, external_created_at from opportunities"))
    missing = {contact: names for contact, _, names in scenario.rejected()}
    for number, (text, expected) in enumerate(DATES):
        contact = f"{number:02}"
        assert read.get(contact) == expected, text
        assert missing.get(contact) == (None if expected else ["external_created_at"]), text


def test_keys_are_found_whatever_their_case_and_text_is_trimmed(scenario: Scenario) -> None:
    """J4: keys in any case, numbers for ids, padded text."""
    record = {
        "CstID": "no such key",
        "CST_ID": 90211,
        "FirstName": "  Zoë 'Z' 😀 ",
        "LASTNAME": 'O"Hara',
        "Email": None,
        "Phone1": " ",
        "DateAdded": "2025-11-03T10:12:44.51",
        "LastChanged": "2026-03-02T09:51:07",
        "Leads": [{"ID": 120345, "Disposition": "ORL  ", "DateEntered": "2026-02-27T16:20:05.033"}],
    }
    scenario.sync(record)
    query = "select external_contact_id, external_id, first_name, last_name, email, phone, status from opportunities"
    assert scenario.ask(query) == [("90211", "120345", "Zoë 'Z' 😀", 'O"Hara', None, None, "ORL")]


@pytest.mark.parametrize(
    ("availability", "record", "missing"),
    [
        ("present", prospect("1", lead("10", disposition=...), email=...), ["email", "status"]),
        ("present", prospect("1", lead("10", disposition=None), email="", phone1=None), None),
        ("present", prospect("1", lead(""), firstname=..., lastname=...), ["external_id", "first_name", "last_name"]),
        ("strict", prospect("1", lead("10", disposition=" "), phone1=""), ["phone", "status"]),
        ("strict", prospect("1"), ["external_id", "status"]),
        ("identity", prospect("1", lead("10", disposition=...), email=..., firstname=..., phone1=...), None),
        ("identity", prospect("1", lead("10"), dateadded=""), ["external_created_at"]),
    ],
)
def test_availability_is_as_strict_as_set(scenario: Scenario, availability: str, record: Any, missing: Any) -> None:
    """J6, J7: rejected_records names the columns that are unavailable."""
    judging = Scenario(scenario.folder / "judging", LP_AVAILABILITY=availability)
    report = judging.sync(record)
    assert (report.inserted, report.rejected) == ((0, 1) if missing else (1, 0))
    assert [row[2] for row in judging.rejected()] == ([missing] if missing else [])


def test_one_bad_record_never_stops_the_others(scenario: Scenario) -> None:
    """J7: whatever LP sends as an element of a page, the rest is merged, and it is not lost."""
    odd: list[Any] = [None, 7, "text", [], {}, {"cst_id": None, "leads": [{}]}, {"cst_id": {"a": 1}}]
    scenario.sync(*odd, prospect("1", lead("10")))
    assert scenario.keys() == [("1", "10", "lead+prospect")]
    assert len(scenario.rejected()) == len(odd)
    assert all("external_contact_id" in row[2] for row in scenario.rejected())


def test_a_rejected_record_goes_when_it_passes(scenario: Scenario) -> None:
    """J7: its row goes when its record passes."""
    scenario.sync(prospect("1", lead("10", disposition=...)))
    scenario.sync(prospect("1", lead("10")))
    assert scenario.rejected() == []
    assert scenario.keys() == [("1", "10", "lead+prospect")]


def test_a_rejected_record_goes_when_its_lead_is_no_longer_listed(scenario: Scenario) -> None:
    """J7: its row goes when LP no longer lists its lead."""
    scenario.sync(prospect("1", lead("10", disposition=...), lead("11")))
    scenario.sync(prospect("1", lead("11")))
    assert scenario.rejected() == []


def test_a_rejected_record_keeps_its_first_time(scenario: Scenario) -> None:
    """J7: first and last time and the number of attempts are kept."""
    scenario.sync(prospect("1", lead("10", disposition=...)))
    scenario.later()
    scenario.sync(prospect("1", lead("10", disposition=...), city="Troy"))
    query = "select first_rejected_at, last_rejected_at, attempts from rejected_records"
    assert scenario.ask(query) == [(NOON, NOON + timedelta(minutes=15), 2)]


def test_a_prospect_stands_rejected_once_whatever_its_leads(scenario: Scenario) -> None:
    """J7: two leads whose opportunities are still `prospect` make one row; the first received gives the reason."""
    scenario.sync(prospect("1", lead("10")), feed="prospects")
    scenario.sync(prospect("1", lead("11"), city="Troy"), feed="prospects")
    for attempts in (1, 2):
        bad = prospect("1", lead("11", disposition=...), lead("10", disposition=...), city=str(attempts))
        assert scenario.sync(bad, feed="prospects").rejected == 2
        assert scenario.rejected() == [("1", "11", ["status"])]
        assert scenario.ask("select attempts from rejected_records") == [(attempts,)]
    half = prospect("1", lead("11"), lead("10", disposition=...))
    scenario.sync(half, feed="prospects")
    assert scenario.rejected() == [("1", "10", ["status"])]
    scenario.sync(prospect("1", lead("11"), lead("10")), feed="prospects")
    assert scenario.rejected() == []


def test_another_account_stops_the_run(scenario: Scenario) -> None:
    """J5: the warehouse remembers LP's address, client id and zone."""
    scenario.sync(prospect("1", lead("10")))
    moved = Scenario(scenario.folder, LP_TIMEZONE="America/Denver")
    with pytest.raises(Exception, match="rezone"):
        open_warehouse(moved.settings)
    assert open_warehouse(moved.settings, zone_may_differ=True).work.exists()
    other = Scenario(scenario.folder, LP_CLIENT_ID="other")
    with pytest.raises(Exception, match="LP_CLIENT_ID"):
        open_warehouse(other.settings, zone_may_differ=True)


def test_a_key_that_later_readings_lack_keeps_its_value(scenario: Scenario) -> None:
    """J1: the latest reading that has the key supplies it, however many came since; one with a null has the key."""
    scenario.sync(prospect("1", lead("10"), city="Troy", spouse="Bo"))
    scenario.sync(prospect("1", lead("10"), email=..., city=None))
    scenario.sync(prospect("1", lead("10", disposition="Sold"), email=..., city=..., spouse=...))
    ((shown, _),) = scenario.objects()
    assert scenario.ask("select email from opportunities") == [("ann@example.com",)]
    assert (shown["city"], shown["spouse"]) == (None, "Bo")
    assert scenario.rejected() == []
