"""What an opportunity looks like on its way to Hatch."""

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch import upsert_body
from lp_pipeline.clients.hatch.upsert import details

from .fakes import PERSONAL, opportunity

NAMES = st.sampled_from(["notes", "calls", "city", "jobs", "id", "Notes", "CALLS", "email", "a.b"]) | st.text(
    max_size=5
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)


def test_the_body_is_the_contracts() -> None:
    """D2, contract 1: these fields, ten digits, times with Z, and every other field of both objects in details."""
    upsert = upsert_body(opportunity(), "custom:lp")
    assert upsert.body == {
        "source": "custom:lp",
        "externalID": "120345",
        "externalContactID": "90211",
        "externalCreatedAt": "2025-11-03T15:12:44Z",
        "externalUpdatedAt": "2026-03-02T14:51:07.300000Z",
        "firstName": "Ann",
        "lastName": "Field",
        "status": "Set",
        "email": PERSONAL,
        "phoneNumber": "5185550123",
        "details": {
            "lead.jobs[0].contractdate": "2026-03-01T00:00:00",
            "lead.jobs[0].id": "7001",
            "lead.jobs[0].jobstatus": "New",
            "lead.lastchangedon": "2026-03-02T09:51:07.297",
            "lead.source": "Internet",
            "prospect.altphones[0].phone": "5185550124",
            "prospect.city": "Troy",
        },
    }
    assert upsert.omitted == ()
    assert upsert.reachable


def test_without_a_lead_the_prospect_gives_the_external_id() -> None:
    """D2: `prospect-<cst_id>`; a null external id is never sent."""
    upsert = upsert_body(opportunity(external_id=None, lead=None, status=None), "custom:lp")
    assert upsert.body["externalID"] == "prospect-90211"
    assert upsert.body["status"] is None
    assert all(path.startswith("prospect.") for path in upsert.body["details"])


def test_times_are_sent_in_utc_whatever_their_offset() -> None:
    """Contract 1: date-time, with offset."""
    new_york = timezone(timedelta(hours=-5))
    upsert = upsert_body(opportunity(external_created_at=datetime(2025, 11, 3, 10, 12, 44, tzinfo=new_york)), "s")
    assert upsert.body["externalCreatedAt"] == "2025-11-03T15:12:44Z"


def test_a_time_without_an_offset_is_an_error() -> None:
    """J5: an instant, or nothing."""
    with pytest.raises(ValueError, match="no instant"):
        upsert_body(opportunity(external_created_at=datetime(2025, 11, 3)), "s")


@pytest.mark.parametrize("path", ["lead.lastchangedon", "lead.jobs[0].contractdate"])
def test_of_the_change_stamps_only_the_one_that_won_is_left_out(path: str) -> None:
    """D2: details carry every OTHER field."""
    body = upsert_body(opportunity(external_updated_at_source=path), "s").body
    assert path not in body["details"]
    assert body["details"]["prospect.lastchanged"] == "2026-03-02T09:51:07.3"


@pytest.mark.parametrize(
    ("changes", "phone", "email", "omitted", "reachable"),
    [
        ({"phone": "0000000000"}, None, PERSONAL, ("phone_invalid",), True),
        ({"shared_numbers": ["5185550123"]}, None, PERSONAL, ("phone_shared",), True),
        ({"phone": "0000000000 / 518-555-0123"}, "5185550123", PERSONAL, (), True),
        ({"phone": "518-555-0199 / 518-555-0123", "shared_numbers": ["5185550123"]}, "5185550199", PERSONAL, (), True),
        ({"phone": "000", "shared_numbers": ["5185550123"]}, None, PERSONAL, ("phone_invalid",), True),
        ({"email": "none"}, "5185550123", None, ("email_invalid",), True),
        ({"email": None}, "5185550123", None, (), True),
        ({"email": " ", "phone": None}, None, None, (), False),
        ({"email": "x", "phone": "x"}, None, None, ("phone_invalid", "email_invalid"), False),
        ({"email": "x", "shared_numbers": ["5185550123"]}, None, None, ("phone_shared", "email_invalid"), False),
    ],
)
def test_what_cannot_be_reached_goes_out_as_null_and_is_noted(
    changes: dict[str, Any], phone: str | None, email: str | None, omitted: tuple[str, ...], reachable: bool
) -> None:
    """D2: noted; with neither left it is unreachable."""
    upsert = upsert_body(opportunity(**changes), "s")
    assert upsert.body["phoneNumber"] == phone
    assert upsert.body["email"] == email
    assert upsert.omitted == omitted
    assert upsert.reachable is reachable


def test_details_leave_out_what_is_missing_and_keep_places() -> None:
    """F1, J4: null, blank and sentinel dates are missing; `[0]` stays the first element as received."""
    prospect: dict[str, Any] = {
        "a": " ",
        "b": None,
        "c": "1900-01-01T00:00:00",
        "d": [],
        "e": {},
        "f": "1900-01-01st Street",
    }
    lead = {"jobs": [None, {"id": 7, "sold": True, "notes": "x"}, "bare"], "calls": [{"a": 1}]}
    assert details(prospect, lead, "lead.dateentered") == {
        "lead.jobs[1].id": "7",
        "lead.jobs[1].sold": "true",
        "lead.jobs[2]": "bare",
        "prospect.f": "1900-01-01st Street",
    }


@given(OBJECTS, st.none() | OBJECTS)
def test_details_never_hold_notes_or_calls_nor_anything_but_text(prospect: Any, lead: Any) -> None:
    """D2: without notes and calls at any depth; values as text."""
    found = details(clean(prospect), clean(lead), "prospect.lastchanged")
    assert not any(name in {"notes", "calls"} for path in found for name in path.replace("[", ".").split("."))
    assert all(isinstance(text, str) and text.strip() == text != "" for text in found.values())


@given(OBJECTS, OBJECTS, st.randoms(use_true_random=False))
def test_the_same_content_has_the_same_digest_whatever_the_order_of_keys(
    prospect: Any, lead: Any, shuffling: random.Random
) -> None:
    """D3: delivered content is recognised, and not sent again."""
    first = upsert_body(opportunity(prospect=prospect, lead=lead), "s")
    second = upsert_body(opportunity(prospect=shuffled(prospect, shuffling), lead=shuffled(lead, shuffling)), "s")
    assert first.digest == second.digest
    assert first.body == second.body


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "Sold"},
        {"external_updated_at": datetime(2026, 3, 3, tzinfo=UTC)},
        {"shared_numbers": ["5185550123"]},
        {"prospect": {"city": "Albany"}},
    ],
)
def test_other_content_has_another_digest(changes: dict[str, Any]) -> None:
    """D3: what changed is sent."""
    digest = upsert_body(opportunity(), "s").digest
    assert upsert_body(opportunity(**changes), "s").digest != digest
    assert upsert_body(opportunity(), "another").digest != digest
    assert upsert_body(opportunity(), "s").digest == digest


def clean(value: Any) -> Any:
    """Without keys that hold a dot, so that a path can be taken apart again."""
    if isinstance(value, dict):
        return {name.replace(".", "").replace("[", ""): clean(each) for name, each in value.items()}
    return [clean(each) for each in value] if isinstance(value, list) else value


def shuffled(value: Any, shuffling: random.Random) -> Any:
    """The same with its keys in another order."""
    if isinstance(value, dict):
        names = list(value)
        shuffling.shuffle(names)
        return {name: shuffled(value[name], shuffling) for name in names}
    return [shuffled(each, shuffling) for each in value] if isinstance(value, list) else value
