"""SPEC Q1, Q2, M8: the file that people query."""

import json
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from lp_pipeline.storage.publish import AT_LEAST_EVERY, publish
from lp_pipeline_tests.scenario import NOON, Scenario, lead, prospect


def published(scenario: Scenario, query: str) -> list[tuple[Any, ...]]:
    publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)
    with duckdb.connect(str(scenario.warehouse.published), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_raw_holds_each_records_latest_reading(scenario: Scenario) -> None:
    """Q1: of all readings that are kept, people see the latest of each record in each feed, as received. Leads have
    rows of their own; only that there are none is said in the prospect's record (M6)."""
    scenario.sync(prospect("1", lead("10"), lead("11")))
    scenario.sync(prospect("1", lead("11", Disposition="Sold")))
    scenario.sync(prospect("1", City="Troy"), feed="prospects")
    query = "select feed, external_contact_id, record ->> '$.City', record -> '$.leads' from raw.prospects order by 1"
    assert published(scenario, query) == [("leads", "1", None, None), ("prospects", "1", "Troy", "[]")]
    assert published(scenario, "select feed, external_id, record ->> '$.Disposition' from raw.leads") == [
        ("leads", "11", "Sold")
    ]


@pytest.mark.parametrize(
    ("leads", "left", "rows"),
    [
        ("[]", "[]", []),
        ("null", None, []),
        ('{"id": "10", "Source": "Web"}', None, [("10", "Web")]),
        ('[3, {"id": "10", "Source": "Web"}]', None, [("10", "Web")]),
        ('[3, "x"]', '[3,"x"]', []),
        ('"leads"', '"leads"', []),
    ],
)
def test_raw_keeps_what_is_no_lead(
    scenario: Scenario, leads: str, left: str | None, rows: list[tuple[str, str]]
) -> None:
    """Q1, J4: leads have rows of their own, of whatever shape their list is; what is none stays in the record."""
    text = json.dumps(prospect("1", City="leads")).replace('"leads": []', f'"leads": {leads}')
    scenario.sync(text.encode())
    shown = published(scenario, "select record ->> '$.City', record -> '$.leads' from raw.prospects")
    assert shown == [("leads", left)]
    assert published(scenario, "select external_id, record ->> '$.Source' from raw.leads") == rows


def test_typed_tables_show_leadperfections_records(scenario: Scenario) -> None:
    """Q2: leads, prospects, jobs, appointments and calls, typed."""
    jobs = [{"id": "7001", "contractdate": "2026-03-01T00:00:00", "GrossAmount": "18250.00"}, None]
    appointments = [{"id": "55501", "apptdate": "2026-03-05T14:00:00", "disposition": "Set"}]
    calls = [{"calldatetime": "2026-03-01T18:03:00", "phone": "5185550123", "resultcode": "NA"}]
    one = lead("10", jobs=jobs, appointments=appointments, sold="true", GrossSaleAmount="18250.00", source="Web")
    scenario.sync(prospect("1", one, calls=calls))
    assert published(scenario, "select job_id, gross_amount::varchar, contract_date::varchar from jobs") == [
        ("7001", "18250.00", "2026-03-01 00:00:00")
    ]
    assert published(scenario, "select appointment_id, disposition from appointments") == [("55501", "Set")]
    assert published(scenario, "select sold, gross_sale_amount::varchar, source from leads") == [
        (True, "18250.00", "Web")
    ]
    assert published(scenario, "select first_name, added_at::date::varchar from prospects") == [("Ann", "2025-11-03")]
    assert published(scenario, "select result_code from calls") == [("NA",)]


def test_typed_tables_read_values_as_opportunities_do(scenario: Scenario) -> None:
    """Q2, J4, J5: an offset is honoured, a date before 1970 is missing, times are LP's wall clock."""
    one = lead("10", apptdate="2026-03-05T14:00:00Z", entrydate="1901-01-01T00:00:00")
    scenario.sync(prospect("1", one, {"id": "10", "source": "twice"}, dateadded="2025-11-03T10:12:44-08:00"))
    assert published(scenario, "select appointment_at::varchar, entry_date, source from leads") == [
        ("2026-03-05 09:00:00", None, None)
    ]
    assert published(scenario, "select added_at::varchar from prospects") == [("2025-11-03 13:12:44",)]


def test_a_prospects_fields_come_from_the_newer_reading_that_has_them(scenario: Scenario) -> None:
    """J1, Q2: `prospects` says what `opportunities` says, also where the newer feed shows a field as empty."""
    scenario.sync(prospect("1", lead("10"), city="Troy", zip="12180"))
    scenario.later()
    scenario.sync({"cst_id": "1", "email": "", "City": "Albany"}, feed="prospects")
    query = "select email, city, zip, first_name, content ->> '$.email', content ->> '$.zip' from prospects"
    assert published(scenario, query) == [(None, "Albany", "12180", "Ann", "", "12180")]
    assert published(scenario, "select email, first_name from opportunities") == [(None, "Ann")]


def test_details_carry_every_other_field(scenario: Scenario) -> None:
    """J3: both objects stay reachable, keys in lower case, the prospect without its leads."""
    scenario.sync(prospect("1", lead("10", Source="Web", jobs=[{"JobStatus": "New"}]), City="Troy"))
    query = (
        "select prospect ->> '$.city', lead ->> '$.source', lead ->> '$.jobs[0].jobstatus', "
        "json_exists(prospect, '$.leads') from opportunity_details"
    )
    assert published(scenario, query) == [("Troy", "Web", "New", False)]


def test_a_contacts_opportunities_are_ordered(scenario: Scenario) -> None:
    """M8: not gone first; latest update; the lead's own change, none last; then lead ids as numbers, descending."""
    same = {"dateentered": "2026-03-02T11:00:00"}
    scenario.sync(
        prospect("1", lead("9", **same, lastchangedon=""), lead("10", **same, lastchangedon="")),
        prospect("2", lead("20", lastchangedon="2026-03-02T11:00:00"), lead("21", lastchangedon="2026-03-02T11:30:00")),
        prospect("3", lead("30"), lead("31", lastchangedon="2026-03-02T11:59:00")),
    )
    current = "select external_contact_id, external_id from current_opportunities order by 1"
    assert published(scenario, current) == [("1", "10"), ("2", "21"), ("3", "31")]
    scenario.later()
    scenario.sync(prospect("3", lead("30")))
    assert published(scenario, current) == [("1", "10"), ("2", "21"), ("3", "30")]


def test_it_is_replaced_when_something_changed_or_an_hour_has_passed(scenario: Scenario) -> None:
    """Q1: replaced after a sync that changed something, and at least once an hour."""

    def again() -> bool:
        return publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="UTC").published

    scenario.sync(prospect("1", lead("10")))
    assert again()
    scenario.later()
    assert not again()
    scenario.sync(prospect("1", lead("10", disposition="Sold")))
    assert again()
    scenario.later()
    scenario.sync(prospect("1", lead("10", disposition="Sold"), notes="only a note"))
    assert again()
    scenario.now += AT_LEAST_EVERY - timedelta(seconds=1)
    assert not again()
    scenario.later(seconds=1)
    assert again()
    scenario.later(hours=-3)
    assert again()


def test_it_says_how_fresh_it_is(scenario: Scenario) -> None:
    """Q1: `published` has one row: sync, time, counts."""
    scenario.sync(prospect("1", lead("10")), prospect("2", email=...))
    query = "select sync_id, published_at, opportunities, rejected_records from published"
    assert published(scenario, query) == [(2, NOON, 1, 1)]


def test_a_fields_name_may_hold_anything(scenario: Scenario) -> None:
    """J1, J4, Q2: quotes, backslashes, wildcards or nothing; names are compared, and values are taken whole."""
    odd = {'q"uote': "1", "back\\slash": "2", "": "3", "*": "4", "$.email": "5", "a.b": {"x": "6"}, '"': "7"}
    job = {"id": "7001", "": "8", '"jobs"': [{"id": "no"}]}
    scenario.sync(prospect("1", lead("10", jobs=[job], **odd), city="Troy", **odd))
    scenario.later()
    newer = {"cst_id": "1", "back\\slash": "", "a.b": {"y": "9"}, "": None, "City": "Albany"}
    scenario.sync(newer, feed="prospects")
    (row,) = published(scenario, "select email, city, content from prospects")
    assert row[:2] == ("ann@example.com", "Albany")
    content = json.loads(row[2])
    assert {name: content.get(name) for name in odd} == {
        'q"uote': "1",
        "back\\slash": "",
        "": None,
        "*": "4",
        "$.email": "5",
        "a.b": {"y": "9"},
        '"': "7",
    }
    (one,) = published(scenario, "select content from leads")
    assert {name: json.loads(one[0])[name] for name in odd} == odd
    (found,) = published(scenario, "select job_id, content from jobs")
    assert (found[0], json.loads(found[1])) == ("7001", job)
