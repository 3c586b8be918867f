"""SPEC C5: whom a communication belongs to. Rows in: what LeadPerfection and Hatch showed; rows out: an address."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lp_pipeline.clients.hatch import ContactHistory
from lp_pipeline.communications.landing import land
from lp_pipeline.communications.matching import addressed, addresses
from lp_pipeline.communications.open_push import Address
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import run
from lp_pipeline.storage.publish import publish
from lp_pipeline_tests.communications.talk import open_push
from lp_pipeline_tests.scenario import Scenario, lead, live_settings, prospect

ANN = Address(None, "1", "11", "J11", "5185550101", (("2026-03-01 18:03:00", None),))
OUR_LEADS = [
    lead("10", lastchangedon="2026-03-02T11:10:00", jobs=[{"id": "J10"}]),
    lead("11", lastchangedon="2026-03-02T11:50:00", jobs=[{"id": "J11"}, {"id": "J12"}]),
]
PEOPLE = [
    prospect(
        "1",
        *OUR_LEADS,
        phone1="(518) 555-0101",
        email="Ann@Example.com",
        calls=[{"calldatetime": "2026-03-01T18:03:00"}],
    ),
    prospect(
        "2", lead("20", jobs=[{"jobstatus": "New"}, {"id": "J20"}]), phone1="1-518-555-0102", email="bob@example.com"
    ),
    prospect("3", phone1="518.555.0102", email="bea@example.com"),
    prospect(
        "4", lead("40"), phone1="5185550104", email="", altphones=[{"phone": "518-555-0109"}, None, {"phone": ""}]
    ),
    prospect("5", lead("50"), phone1="5185550105", email="both@example.com", altphones=[{"phone": "5185550109"}]),
    prospect("6", lead("60"), phone1="5185550106", email="both@example.com", altphones=[{"phone": "5185550110"}]),
    prospect("7", lead("70"), phone1="5185550107", email="", altphones=[{"phone": "5185550106"}]),
    prospect(
        "8",
        lead("80"),
        phone1="(518) 555-0120 x5 / 518.555.0121",
        email="Dee Day <Dee@Example.com>",
        altphones=[{"phone": "cell \u202a518-555-0122\u202c"}],
    ),
]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Eight people, published, what was delivered to Hatch, and its contact history."""
    scenario = Scenario(tmp_path_factory.mktemp("addressing"))
    scenario.sync(*PEOPLE, minutes=600)
    scenario.sync(PEOPLE[2], feed="prospects", minutes=600)
    with closing(scenario.outbox):
        publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York")
        delivered(scenario, "hatch-1", "1")
        delivered(scenario, "hatch-23", "2", "3")
        delivered(scenario, "hatch-99", "99")
        history = [
            ContactHistory("hatch-1", "6", None, None, scenario.now),
            ContactHistory("hatch-4", "4", None, None, scenario.now),
            ContactHistory("hatch-phone", None, "nobody@example.com", "5185550101", scenario.now),
            ContactHistory("hatch-email", None, "BEA@example.com", None, scenario.now),
        ]
        land(scenario.outbox, scenario.settings, history, "export")
        yield scenario


def delivered(scenario: Scenario, hatch_contact_id: str, *contacts: str) -> None:
    with scenario.outbox.transaction() as connection:
        for contact in contacts:
            values = {
                **dict.fromkeys(("error_code", "error_field", "words")),
                "external_contact_id": contact,
                "external_id": "",
                "external_created_local": "2025-11-03 10:12:44",
                "state": "delivered",
                "digest": "d",
                "content": "{}",
                "hatch_contact_id": hatch_contact_id,
                "notes": "[]",
                "now": "2026-03-02",
            }
            run(connection, "record_delivery", values)


def address(scenario: Scenario, settings: Settings | None = None, **given: Any) -> Address:
    """The address of a communication of which only this is given."""
    found = addresses(scenario.outbox, settings or scenario.settings, [open_push(**given)])
    (one,) = found.values()
    return replace(one, calls=tuple(tuple(call) for call in one.calls))


UNMATCHED = {
    "nothing is given": ({}, "none"),
    "a given contact that is not read yet": ({"external_contact_id": "98", "phone": "5185550101"}, "not_read"),
    "a Hatch contact of two prospects": ({"contact_id": "hatch-23", "phone": "5185550101"}, "several"),
    "a Hatch contact whose prospect is not read": ({"contact_id": "hatch-99"}, "not_read"),
    "a Hatch contact that nobody knows": ({"contact_id": "hatch-0"}, "none"),
    "a phone of two": ({"phone": "5185550102"}, "several"),
    "a phone of two, an e-mail of somebody else": ({"phone": "5185550102", "email": "ann@example.com"}, "several"),
    "an alternative phone of two": ({"phone": "5185550109"}, "several"),
    "a phone of nobody": ({"phone": "5185550199"}, "none"),
    "an e-mail of two": ({"email": "both@example.com"}, "several"),
    "an e-mail of nobody": ({"email": "nobody@example.com"}, "none"),
    "an empty e-mail": ({"email": ""}, "none"),
}


@pytest.mark.parametrize(("given", "why"), UNMATCHED.values(), ids=UNMATCHED.keys())
def test_none_several_or_not_read_yet_is_unmatched(known: Scenario, given: dict[str, Any], why: str) -> None:
    """C5: and says which."""
    assert address(known, **given) == Address(why)


MATCHED = {
    "its own contact id, whatever else it says": ({"external_contact_id": "1", "contact_id": "hatch-23"}, "1"),
    "a contact id goes before a phone": ({"external_contact_id": "1", "phone": "5185550102"}, "1"),
    "its Hatch contact, by deliveries, which go before its history": ({"contact_id": "hatch-1"}, "1"),
    "its Hatch contact, by its history": ({"contact_id": "hatch-4", "phone": "5185550101"}, "4"),
    "its Hatch contact's phone, by its history": ({"contact_id": "hatch-phone"}, "1"),
    "its Hatch contact's e-mail, by its history": ({"contact_id": "hatch-email"}, "3"),
    "an unknown Hatch contact's phone": ({"contact_id": "hatch-0", "phone": "5185550101"}, "1"),
    "a phone": ({"phone": "5185550101"}, "1"),
    "a phone, with an e-mail of somebody else": ({"phone": "5185550101", "email": "bob@example.com"}, "1"),
    "a first phone goes before somebody's alternative one": ({"phone": "5185550106"}, "6"),
    "an alternative phone": ({"phone": "5185550110"}, "6"),
    "a phone of two, decided by e-mail": ({"phone": "5185550102", "email": "BEA@example.com"}, "3"),
    "an alternative phone of two, decided by e-mail": ({"phone": "5185550109", "email": "both@example.com"}, "5"),
    "a phone of nobody, with an e-mail": ({"phone": "5185550199", "email": "bob@example.com"}, "2"),
    "a phone with an extension in LeadPerfection": ({"phone": "5185550120"}, "8"),
    "the second of two phones in one field": ({"phone": "5185550121"}, "8"),
    "an alternative phone with a label": ({"phone": "5185550122"}, "8"),
    "an e-mail with a display name on either side": ({"email": "D. Day <DEE@example.com>"}, "8"),
    "an e-mail, whatever its case": ({"email": "aNN@eXample.com"}, "1"),
}


@pytest.mark.parametrize(("given", "contact"), MATCHED.values(), ids=MATCHED.keys())
def test_the_one_contact_is_found(known: Scenario, given: dict[str, Any], contact: str) -> None:
    """C5: its own id, else its Hatch contact's, else the one contact with that phone or e-mail."""
    found = address(known, **given)
    assert (found.external_contact_id, found.unmatched) == (contact, None)


LEADS = {
    "of the contact's current opportunity": ({"external_contact_id": "1"}, ("11", "J11")),
    "its own, if it is given": ({"external_contact_id": "1", "external_id": "10"}, ("10", "J10")),
    "given, but of another contact": (
        {"external_contact_id": "1", "external_id": "20"},
        ("20", None),
    ),
    "given as Hatch knows a prospect without a lead": (
        {"external_contact_id": "1", "external_id": "prospect-1"},
        ("11", "J11"),
    ),
    "whose first job has no id": ({"external_contact_id": "2"}, ("20", None)),
    "without a job": ({"external_contact_id": "4"}, ("40", None)),
    "none": ({"external_contact_id": "3"}, (None, None)),
}


@pytest.mark.parametrize(("given", "found"), LEADS.values(), ids=LEADS.keys())
def test_the_lead_and_its_first_job(known: Scenario, given: dict[str, Any], found: tuple[str, str]) -> None:
    """C5: the given lead, else the current opportunity's; its first job, if that has an id."""
    one = address(known, **given)
    assert (one.external_id, one.job_id) == found


def test_the_whole_address(known: Scenario) -> None:
    """C5, C7: besides, the phone for a call log, and the calls that LeadPerfection has shown."""
    assert address(known, external_contact_id="1") == ANN


def test_each_communication_has_its_own(known: Scenario) -> None:
    """C5: many at once, each by its id."""
    pushes = [open_push(communication_id=f"c{n}", phone=f"518555010{n}") for n in range(8)]
    found = addresses(known.outbox, known.settings, pushes * 2)
    assert {name: each.external_contact_id for name, each in found.items()} == {
        "c0": None,
        "c1": "1",
        "c2": None,
        "c3": None,
        "c4": "4",
        "c5": "5",
        "c6": "6",
        "c7": "7",
    }
    assert addresses(known.outbox, known.settings, []) == {}


def test_the_phone_of_a_call_log_is_the_first_number(known: Scenario) -> None:
    """J8, contract 5: a call log's Phone has digits only, and of two numbers the first is sent."""
    assert address(known, external_contact_id="8").phone == "5185550120"


def test_a_copy_that_an_older_program_published_is_read_once_it_is_made_again(known: Scenario, tmp_path: Path) -> None:
    """J8, R6: it knows no normal forms yet; nobody is found in it, and nothing fails."""
    older = tmp_path / "published.duckdb"
    shutil.copy(known.warehouse.published, older)
    older.chmod(0o600)
    with duckdb.connect(str(older)) as connection:
        connection.execute("drop table internal.contact_points").fetchall()
    settings = live_settings(tmp_path)
    assert address(known, settings, external_contact_id="1") == Address("not_read")
    assert address(known, settings, phone="5185550101") == Address("none")


def test_before_anything_is_published(known: Scenario, tmp_path: Path) -> None:
    """C5: whoever is given is not read yet, and nobody is found by a phone."""
    nothing = live_settings(tmp_path)
    assert address(known, nothing, external_contact_id="1") == Address("not_read")
    assert address(known, nothing, contact_id="hatch-1") == Address("not_read")
    assert address(known, nothing, phone="5185550101") == Address("none")


def test_a_fixed_address_stays_and_the_phone_given_goes_before_the_prospects(known: Scenario) -> None:
    """C5, C7: only what no earlier attempt has fixed is looked for; a call log has the communication's own phone."""
    fixed = open_push(
        external_contact_id="1", text="Hatch text", address=Address(None, "98", "980", None, "5185550198")
    )
    new = open_push(communication_id="c2", external_contact_id="1", phone="5185550177")
    stayed, found = addressed(known.outbox, known.settings, [fixed, new])
    assert stayed is fixed
    assert (found.address.external_contact_id, found.address.phone, found.phone) == ("1", "5185550177", "5185550177")
