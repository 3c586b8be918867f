"""SPEC D2, and the contract's known divergence: what of an opportunity goes out, and what is noted."""

import json

from lp_pipeline_tests.delivery.conftest import Deliveries
from lp_pipeline_tests.scenario import lead, prospect


def test_the_body_of_a_real_opportunity(deliveries: Deliveries) -> None:
    """D2: J3's fields where Hatch has them, every other field of both objects under `details`, no notes, no calls."""
    one = lead(
        "120345",
        Source="Internet",
        notes=[{"note": "secret"}],
        jobs=[{"Id": "7001", "JobStatus": "New", "calls": [{"a": "b"}], "contractdate": "1900-01-01T00:00:00"}],
    )
    deliveries.sync(
        prospect("90211", one, City=" Troy ", notes="private", calls=[{"phone": "1"}], altphones=[{"phone": "5"}])
    )
    deliveries.deliver()
    (body,) = deliveries.bodies()
    assert body == {
        "source": "custom:lp",
        "externalID": "120345",
        "externalContactID": "90211",
        "externalCreatedAt": "2025-11-03T15:12:44.510000Z",
        "externalUpdatedAt": "2026-03-02T14:51:07.300000Z",
        "firstName": "Ann",
        "lastName": "Field",
        "status": "Set",
        "email": "ann@example.com",
        "phoneNumber": "5185550123",
        "details": {
            "lead.dateentered": "2026-02-27T16:20:05.033",
            "lead.jobs[0].id": "7001",
            "lead.jobs[0].jobstatus": "New",
            "lead.lastchangedon": "2026-03-02T11:51:07.297",
            "lead.source": "Internet",
            "prospect.altphones[0].phone": "5",
            "prospect.city": "Troy",
        },
    }
    assert deliveries.ledger("state", "delivered_content ->> '$.externalID'", "notes") == [
        ("delivered", "120345", "[]")
    ]


def test_a_prospect_without_a_lead(deliveries: Deliveries) -> None:
    """D2: it goes out as prospect-<cst_id>, with a status of null and no details of a lead; its lead is another."""
    deliveries.sync(prospect("77"), feed="prospects")
    deliveries.deliver()
    (body,) = deliveries.bodies()
    assert (body["externalID"], body["externalContactID"], body["status"]) == ("prospect-77", "77", None)
    assert not [name for name in body["details"] if name.startswith("lead")]
    deliveries.later()
    deliveries.sync(prospect("77", lead("5")))
    deliveries.deliver()
    assert deliveries.sent() == ["5"]


def test_a_phone_that_six_contacts_share(deliveries: Deliveries) -> None:
    """D2: a phone of more than five contacts goes out as null and is noted; one of five is a phone."""
    shared, few = "(518)555-0123", "1-518-555-0199"
    others = [prospect(number, lead(f"{number}0"), phone1=shared, email=f"{number}@example.com") for number in "12345"]
    five = [prospect(number, lead(f"{number}0"), phone1=few) for number in ("11", "12", "13", "14", "15")]
    alone = prospect("7", lead("70"), phone1=shared, email="")
    deliveries.sync(*others, *five, alone)
    report = deliveries.deliver()
    assert (report.delivered, report.unreachable) == (10, 1)
    assert report.omitted == {"phone_shared": 5}
    phones = {body["externalID"]: body["phoneNumber"] for body in deliveries.bodies()}
    assert phones == {
        **{f"{number}0": None for number in "12345"},
        **dict.fromkeys(("110", "120", "130", "140", "150"), "5185550199"),
    }
    ledger = dict(deliveries.ledger("external_contact_id", "notes"))
    assert json.loads(ledger["1"]) == json.loads(ledger["7"]) == ["phone_shared"]


def test_one_line_is_shared_however_it_is_written(deliveries: Deliveries) -> None:
    """J8, D2: extensions and ways of writing aside, and both numbers of a field count; Hatch would make one contact."""
    written = [f"(518) 555-0100 x{number}" for number in range(101, 105)]
    written += ["Office: +1 518.555.0100", "518 555 0199 / 518 555 0100", "\u202a٥١٨٥٥٥٠١٠٠\u202c"]
    deliveries.sync(*(prospect(str(n), lead(f"{n}0"), phone1=phone) for n, phone in enumerate(written, 1)))
    report = deliveries.deliver()
    assert report.omitted == {"phone_shared": 6}
    phones = {body["externalID"]: body["phoneNumber"] for body in deliveries.bodies()}
    assert phones == {**dict.fromkeys(("10", "20", "30", "40", "50", "70")), "60": "5185550199"}


def test_phone_and_email_go_out_in_their_normal_form(deliveries: Deliveries) -> None:
    """J8: ten digits, the first of two numbers; the bare address in lower case."""
    deliveries.sync(prospect("1", lead("10"), phone1="h 518-555-0101 x7 / 518-555-0102", email="Ann <A.Field@X.com>"))
    deliveries.deliver()
    (body,) = deliveries.bodies()
    assert (body["phoneNumber"], body["email"]) == ("5185550101", "a.field@x.com")


def test_what_is_no_phone_or_no_email_is_noted(deliveries: Deliveries) -> None:
    """D2: it goes out as null; with neither left the opportunity is never sent, only recorded in the ledger."""
    deliveries.sync(
        prospect("1", lead("10"), phone1="555-0123"),
        prospect("2", lead("20"), email="ann at example"),
        prospect("3", lead("30"), phone1="(000)000-0000", email="none@"),
        prospect("4", lead("40"), phone1="", email=None),
    )
    report = deliveries.deliver()
    assert (report.delivered, report.unreachable) == (2, 2)
    assert {body["externalID"]: (body["phoneNumber"], body["email"]) for body in deliveries.bodies()} == {
        "10": (None, "ann@example.com"),
        "20": ("5185550123", None),
    }
    assert deliveries.ledger("external_id", "state", "notes", "delivered_content is null") == [
        ("10", "delivered", '["phone_invalid"]', 0),
        ("20", "delivered", '["email_invalid"]', 0),
        ("30", "unreachable", '["phone_invalid", "email_invalid"]', 1),
        ("40", "unreachable", "[]", 1),
    ]
    deliveries.later()
    deliveries.sync(prospect("4", lead("40"), phone1="518 555 0101", email=None))
    assert deliveries.deliver().delivered == 1


def test_another_dateadded_overwrites_in_hatch(deliveries: Deliveries) -> None:
    """Contract 1, the known divergence: an additional opportunity of ours is an update there; the ledger says so."""
    deliveries.sync(prospect("1", lead("10")))
    deliveries.deliver()
    deliveries.later()
    deliveries.sync(prospect("1", lead("10"), dateadded="2025-12-01T08:00:00"))
    report = deliveries.deliver()
    assert deliveries.sent() == ["10", "10"]
    assert report.omitted == {"overwrites_another_in_hatch": 1}
    assert deliveries.ledger("external_created_local", "notes") == [
        ("2025-11-03 10:12:44", "[]"),
        ("2025-12-01 08:00:00", '["overwrites_another_in_hatch"]'),
    ]
