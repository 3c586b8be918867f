"""Lines of an export, and what the inbox takes: one communication, or what is wrong with it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch import Communication, ContactHistory, Malformed, communication, contact_history

from .fakes import CONTACT, PERSONAL, item, settings

COLUMNS = settings().hatch_time_columns
NAMES = st.sampled_from(
    [
        *COLUMNS,
        "id",
        "ID",
        "contact_id",
        "body",
        "category",
        "direction",
        "duration",
        "recording_url",
        "attachments",
        "phone",
        "email",
        "hatch_contact_id",
        "url",
        "actor_name",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.datetimes().map(str)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["https://x.example/a", "2026-03-02T15:05:00Z", "00:01:35", '["https://x.example/b"]']),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def read(**changes: object) -> Communication:
    found = communication(item(**changes), COLUMNS)
    assert isinstance(found, Communication), found
    return found


def refused(line: bytes) -> Malformed:
    found = communication(line, COLUMNS)
    assert isinstance(found, Malformed)
    return found


def test_a_line_of_the_export_is_a_communication() -> None:
    """Contract 2: the columns that are published; what Hatch doesn't say is None; the line is kept."""
    assert read() == Communication(
        id="5f1c",
        contact_id=CONTACT,
        external_contact_id=None,
        external_id=None,
        phone=None,
        email=None,
        channel="text",
        category="sms",
        type="text",
        direction="inbound",
        actor_type="contact",
        actor_name=None,
        body="Can we move it?",
        delivery_status="delivered",
        occurred_at=datetime(2026, 3, 2, 15, 5, tzinfo=UTC),
        duration_seconds=None,
        links=(),
        record=item().decode(),
    )


def test_the_inbox_may_say_whom_it_concerns() -> None:
    """C5: external ids, a phone in ten digits, an e-mail; ids may be numbers."""
    found = read(external_contact_id=90211, external_id="120345", phone="+1 (518) 555-0123", email=f" {PERSONAL} ")
    assert (found.external_contact_id, found.external_id) == ("90211", "120345")
    assert (found.phone, found.email) == ("5185550123", PERSONAL)
    assert read(phone="555-0123").phone is None


def test_columns_are_found_whatever_their_case() -> None:
    """Contract 2: names of columns are not all published."""
    found = communication(
        b'{"ID":"1","Category":"EMAIL","Sent_At":"2026-03-02T10:05:00-05:00","BODY":"x"}', ["sent_AT"]
    )
    assert isinstance(found, Communication)
    assert (found.channel, found.body, found.occurred_at.hour) == ("email", "x", 15)


@pytest.mark.parametrize(
    ("category", "channel"),
    [
        ("sms", "text"),
        ("MMS", "text"),
        ("text", "text"),
        ("Email", "email"),
        ("e-mail", "email"),
        ("call", "call"),
        ("Voice", "call"),
        ("phone_call", "call"),
        ("note", "message"),
        ("context", "message"),
        ("", "message"),
    ],
)
def test_a_category_means_a_channel(category: str, channel: str) -> None:
    """C6: a note's first line says what it was; what is unknown is a message."""
    assert read(category=category, type=...).channel == channel


def test_without_a_category_the_type_tells() -> None:
    """What the inbox's senders may write."""
    assert read(category=..., type="sms").channel == "text"
    assert read(category=None, type=None).channel == "message"


@pytest.mark.parametrize(
    ("direction", "means"),
    [
        ("INBOUND", "inbound"),
        ("incoming", "inbound"),
        (" Outgoing ", "outbound"),
        ("outbound", "outbound"),
        (None, None),
        ("sideways", None),
    ],
)
def test_a_direction_may_be_written_otherwise(direction: str | None, means: str | None) -> None:
    """Tolerant of case, of incoming and outgoing."""
    assert read(direction=direction).direction == means


def test_its_time_is_the_first_of_the_columns_that_holds_one() -> None:
    """Contract 2: occurred_at, sent_at, created_at, ...: a setting."""
    assert read(occurred_at="", sent_at="2026-03-02T10:00:00Z").occurred_at.hour == 10
    assert read(occurred_at="yesterday").occurred_at.hour == 15
    assert read(timestamp="2026-03-02T10:00:00Z").occurred_at.hour == 15
    line = item(happened="2026-03-02T10:00:00Z")
    found = communication(line, ["happened"])
    assert isinstance(found, Communication)
    assert found.occurred_at.hour == 10


def test_durations_names_and_links_are_taken_from_wherever_they_are() -> None:
    """Contract 2: the names of the duration and recording columns are unknown."""
    found = read(
        user_name="Ray Lee",
        call_duration="00:01:35",
        recording_url="https://r.example/1",
        attachments=[{"url": "https://a.example/2"}, "http://a.example/3", "https://r.example/1"],
    )
    assert (found.actor_name, found.duration_seconds) == ("Ray Lee", 95)
    assert found.links == ("https://r.example/1", "https://a.example/2")


@pytest.mark.parametrize(
    "changes", [{"duration": {"a": 1}}, {"recording_url": 7}, {"actor_name": []}, {"media": None}, {"duration": "long"}]
)
def test_what_cannot_be_read_in_a_guessed_column_costs_nothing_else(changes: dict[str, Any]) -> None:
    """Contract 2: unknown columns are kept and ignored."""
    found = read(**changes)
    assert (found.duration_seconds, found.links, found.actor_name) == (None, (), None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ...}, "id is missing"),
        ({"id": "  "}, "id is missing"),
        ({"id": True}, "id must be text, not true or false"),
        ({"created_at": ...}, f"no time: none of {', '.join(COLUMNS)} is there"),
        ({"created_at": "soon"}, "no readable time in created_at: an ISO 8601 time is wanted"),
        ({"created_at": "1970-01-01T00:00:00Z"}, "no readable time in created_at: an ISO 8601 time is wanted"),
        ({"body": ["x"], "phone": {"a": 1}}, "phone must be text, not an object; body must be text, not a list"),
        ({"id": None, "created_at": []}, "id is missing; no readable time in created_at: an ISO 8601 time is wanted"),
    ],
)
def test_what_is_malformed_says_what_is_wrong_with_which_column(changes: dict[str, Any], reason: str) -> None:
    """C2: refuses what is malformed with a clear answer, all at once."""
    found = refused(item(**changes))
    assert found.reason == reason
    assert json.loads(found.record) == json.loads(item(**changes))


@pytest.mark.parametrize("line", [b"[]", b"null", b"7", b'"x"', b"", b"<html>", b'{"id":', b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_malformed_and_kept_as_json(line: bytes) -> None:
    """A record can be stored as JSON, whatever came."""
    found = refused(line)
    assert found.reason == "it is no JSON object"
    json.loads(found.record)


def test_a_reason_never_shows_a_value() -> None:
    """R4: personal data stay out of error texts."""
    found = refused(item(body=[PERSONAL], created_at=PERSONAL, phone={PERSONAL: 1}))
    assert PERSONAL not in found.reason


def test_one_bad_character_or_number_costs_only_itself() -> None:
    """Nothing is lost that can be read: a lone surrogate, broken UTF-8, a bare control character, NaN."""
    line = b'\xef\xbb\xbf{"id":"1","created_at":"2026-03-02T15:05:00Z","body":"a\\ud83d\xffb\x01","x":NaN,"y":1e999}'
    found = communication(line, COLUMNS)
    assert isinstance(found, Communication)
    assert found.body == "a\ufffd\ufffdb\x01"
    assert json.loads(found.record)["y"] is None


@given(st.dictionaries(NAMES | st.text(max_size=5), VALUES, max_size=8).map(lambda value: json.dumps(value).encode()))
def test_any_object_is_a_communication_or_malformed_with_a_reason(line: bytes) -> None:
    """No line is a crash; what passes has an id and an instant in UTC; links are https; the record is JSON."""
    found = communication(line, COLUMNS)
    if isinstance(found, Malformed):
        assert found.reason
    else:
        assert found.id
        assert found.id.strip() == found.id
        assert found.occurred_at.utcoffset() == datetime.now(UTC).utcoffset()
        assert found.phone is None or len(found.phone) == 10
        assert all(link.startswith("https://") for link in found.links)
        assert found.duration_seconds is None or found.duration_seconds >= 0
    assert json.loads(found.record, parse_constant=pytest.fail) is not None


@given(VALUES.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_any_line_at_all_is_read_without_a_fault(line: bytes) -> None:
    """No line is a crash."""
    for found in (communication(line, COLUMNS), contact_history(line)):
        if isinstance(found, Malformed):
            assert found.reason
            json.loads(found.record, parse_constant=pytest.fail)


# The contact history


def test_a_line_of_the_contact_history_ties_hatchs_contact_to_ours() -> None:
    """Contract 2, C5: hatch_contact_id, external_contact_id, email, phone, updated_at."""
    line = json.dumps(
        {
            "Hatch_Contact_ID": CONTACT,
            "external_contact_id": 90211,
            "email": PERSONAL,
            "phone": "15185550123",
            "updated_at": "2026-03-02 15:05:00",
        }
    ).encode()
    assert contact_history(line) == ContactHistory(
        CONTACT, "90211", PERSONAL, "5185550123", datetime(2026, 3, 2, 15, 5, tzinfo=UTC)
    )


def test_the_contact_history_may_say_little() -> None:
    """Contract 2: external_contact_id may be null."""
    line = b'{"hatch_contact_id":"c","external_contact_id":null,"updated_at":"once","phone":"none"}'
    assert contact_history(line) == ContactHistory("c", None, None, None, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"email":"x"}', "hatch_contact_id is missing"),
        (
            b'{"hatch_contact_id":[1],"phone":true}',
            "hatch_contact_id must be text, not a list; phone must be text, not true or false",
        ),
        (b"[]", "it is no JSON object"),
    ],
)
def test_a_line_without_hatchs_contact_is_malformed(line: bytes, reason: str) -> None:
    """What can't be used says why."""
    found = contact_history(line)
    assert isinstance(found, Malformed)
    assert found.reason == reason
