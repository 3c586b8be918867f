"""SPEC J4: one id is one text, whatever JSON it comes in and whoever reads it."""

import json
from decimal import Decimal

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch import Communication, communication
from lp_pipeline.clients.hatch.upsert import details
from lp_pipeline.clients.json_values import id_of, text_of
from lp_pipeline.clients.leadperfection.responses import identity
from lp_pipeline.storage.contents import contents, objects
from lp_pipeline.storage.records import land
from lp_pipeline_tests.scenario import Scenario, only

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
LONG = "123456789012345678901234567890"
FORMS = {
    "450708": "450708",
    "450708.0": "450708",
    "4.50708e5": "450708",
    "1e5": "100000",
    "1E+5": "100000",
    "1.500e2": "150",
    "-1": "-1",
    "-0.0": "0",
    "0e7": "0",
    "450708.5": "450708.5",
    "450708.50": "450708.5",
    "1e-7": "0.0000001",
    LONG: LONG,
    f"{LONG}.000": LONG,
    '"1e5"': "1e5",
    '" 450708.0 "': "450708.0",
    '"\\u0000"': None,
    '" "': None,
    "null": None,
    "[1]": None,
    '{"id": 1}': None,
}


@pytest.mark.parametrize(("received", "text"), FORMS.items())
def test_a_number_has_no_exponent_and_no_empty_fraction_and_a_text_stays_as_it_is(
    received: str, text: str | None
) -> None:
    """J4: missing is null, blank, or what has parts; a fraction is an odd id, but one."""
    assert text_of(_decode(received)) == text
    assert id_of(_decode(received)) == text


def test_a_boolean_is_a_value_but_no_id() -> None:
    """J4: a prospect with it is rejected, as one that has none."""
    assert (text_of(True), id_of(True), identity({"cst_id": True}), land(b'{"cst_id": true}').id) == (
        "true",
        *[None] * 3,
    )


whole_numbers = st.integers(-(10**30), 10**30).map(str)
odd_forms = st.builds(
    "{}{}{}".format,
    st.integers(-(10**9), 10**9),
    st.sampled_from(["", ".0", ".00", ".5", ".50"]),
    st.sampled_from(["", "e0", "e3", "E+5"]),
)
texts = st.text(max_size=8).map(json.dumps)


@given(received=whole_numbers | odd_forms | texts)
def test_everybody_reads_the_same_id(received: str) -> None:
    """J4: pages, the warehouse's columns and JSON, and Hatch's details and communications."""
    job = f'"jobs": [{{"id": {received}}}]'
    record = f'{{"cst_id": {received}, "leads": [{{"id": {received}, {job}}}]}}'.encode()
    landed = land(record)
    expected = landed.id
    assert identity(msgspec.json.decode(record)) == expected
    stored = landed.normal or record
    (listed,) = contents(stored).leads
    compared = (listed.content.get("id"), listed.content.get("jobs", [{}])[0].get("id"))
    assert compared == (expected, expected)
    _, shown = objects(stored, b"", stored, 1)
    assert details({}, shown, "").get("lead.jobs[0].id") == expected
    line = f'{{"id": "x", "external_contact_id": {received}, "event_time": "2026-03-02T10:00:00Z"}}'.encode()
    read = communication(line, ["event_time"])
    assert isinstance(read, Communication)
    assert read.external_contact_id == expected
    query = """select from_json($stored::json, '{"leads": [{"id": "varchar"}]}').leads[1].id"""  # as in sql/staging
    assert (only(duckdb.execute(query, {"stored": stored.decode()}).fetchall()) or None) == expected


def test_numbers_as_ids_are_the_opportunities_of_the_same_texts(scenario: Scenario) -> None:
    """J4, M3: however a reading writes its ids, they are the same opportunity."""
    body = '{"cst_id": %s, "firstname": "", "lastname": "", "email": "", "phone1": "", "dateadded": "2025-11-03",'
    body += ' "leads": [{"id": %s, "disposition": "Set", "dateentered": "2026-03-02T11:50:00", "jobs": [{"id": %s}]}]}'
    for ids in (("450708.0", "1e5", "7.0"), ("4.50708E5", "100000", "7"), ('"450708"', '"100000"', '"7"')):
        scenario.sync((body % ids).encode())
        scenario.later(minutes=1)
    assert scenario.keys() == [("450708", "100000", "lead+prospect")]
    assert scenario.ask("select count(*) from opportunity_changes") == [(1,)]
    readings = scenario.ask("select coalesce(normal, record) from raw.readings")
    assert {contents(record.encode()).leads[0].content["jobs"][0]["id"] for (record,) in readings} == {"7"}
