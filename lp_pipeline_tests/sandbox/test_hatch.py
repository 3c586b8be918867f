"""Hatch's contract, section 1: the upsert, how contacts are matched, and what is rejected."""

import uuid
from collections.abc import Callable

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox

from .hatch import EXPORT, UPSERT, Hatch
from .lp import LP

ANN = {"phoneNumber": "5185550123", "email": "ann@example.com"}


def test_an_upsert_makes_a_contact_with_an_opportunity(hatch: Hatch, sandbox: Sandbox) -> None:
    """The response is the contact's id; the body is stored unchanged."""
    sent = {"externalID": "1", "externalContactID": "9", "details": {"a": {"b": [1, None]}}, "status": None, **ANN}
    contact_id = hatch.upsert(**sent)
    assert uuid.UUID(contact_id)
    body = {"source": "custom:leadperfection", **sent}
    assert sandbox.hatch_writes() == [body]
    assert sandbox.hatch_contacts() == [
        {
            "id": contact_id,
            "external_contact_id": "9",
            "phone": "5185550123",
            "email": "ann@example.com",
            "opportunities": [body],
        }
    ]


def test_put_and_post_are_the_same(hatch: Hatch, sandbox: Sandbox) -> None:
    """PUT and POST both create and update."""
    body = {"source": "custom:leadperfection", "externalID": "1", **ANN}
    answers = [hatch.http.request(method, UPSERT, json=body, headers=hatch.headers) for method in ("POST", "PUT")]
    assert answers[0].json() == answers[1].json()
    assert len(sandbox.hatch_writes()) == 2
    assert len(sandbox.hatch_contacts()[0]["opportunities"]) == 1


def test_a_contact_is_matched_by_phone_then_by_e_mail(hatch: Hatch, sandbox: Sandbox) -> None:
    """Only by phone or email, not by the external contact id; with neither, each upsert creates a contact."""
    first = hatch.upsert(externalID="1", phoneNumber="5185550101", email="a@example.com", externalContactID="7")
    second = hatch.upsert(externalID="1", phoneNumber="5185550102", email="b@example.com", externalContactID="7")
    assert first != second
    assert hatch.upsert(externalID="2", phoneNumber="5185550102", email="a@example.com") == second
    assert hatch.upsert(externalID="3", phoneNumber="5185550103", email="a@example.com") == first
    assert hatch.upsert(externalID="4", phoneNumber="5185550102") == second
    alone = {hatch.upsert(externalID="6"), hatch.upsert(externalID="6")}
    assert len(alone) == 2
    assert not alone & {first, second}


def test_a_contact_has_the_phone_and_e_mail_that_were_sent_last(hatch: Hatch, sandbox: Sandbox) -> None:
    """A null keeps the old value; an old phone or email no longer matches."""
    first = hatch.upsert(phoneNumber="5185550101", email="a@example.com")
    assert hatch.upsert(phoneNumber="5185550101", email=None) == first
    assert hatch.upsert(phoneNumber="5185550102", email="a@example.com") == first
    (contact,) = sandbox.hatch_contacts()
    assert (contact["phone"], contact["email"]) == ("5185550102", "a@example.com")
    assert hatch.upsert(phoneNumber="5185550101") != first


def test_opportunities_are_known_by_their_external_id_and_ordered_by_their_last_write(
    hatch: Hatch, sandbox: Sandbox
) -> None:
    """A known one is updated and goes to the end; without an id each is a new one; another contact has its own."""
    for external_id, status in (("1", "a"), ("2", "b"), ("1", "c"), (None, "d"), (None, "e")):
        hatch.upsert(externalID=external_id, status=status, **ANN)
    hatch.upsert(externalID="1", status="f", phoneNumber="5185550199")
    ann, other = sandbox.hatch_contacts()
    assert [opportunity["status"] for opportunity in ann["opportunities"]] == ["b", "c", "d", "e"]
    assert [opportunity["status"] for opportunity in other["opportunities"]] == ["f"]
    assert [body["status"] for body in sandbox.hatch_writes()] == list("abcdef")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "custom:other"),
        ("source", None),
        ("source", 5),
        ("email", "ann@example"),
        ("email", "ann at example.com"),
        ("phoneNumber", "(518)555-0123"),
        ("phoneNumber", "15185550123"),
        ("phoneNumber", 5185550123),
        ("externalID", 7),
        ("externalCreatedAt", "2026-03-02"),
        ("externalUpdatedAt", "2026-03-02T10:00:00"),
        ("details", "x"),
        ("status", True),
    ],
)
def test_a_wrong_field_is_pointed_at(hatch: Hatch, sandbox: Sandbox, field: str, value: object) -> None:
    """422, and nothing is stored."""
    assert hatch.wrong(**{"externalID": "1", **ANN, field: value}) == [f"/{field}"]
    assert sandbox.hatch_contacts() == []


def test_everything_but_the_source_may_be_null_or_missing(hatch: Hatch) -> None:
    """Times may have any offset and fractions."""
    hatch.upsert()
    hatch.upsert(**dict.fromkeys(("externalID", "email", "phoneNumber", "details", "externalCreatedAt")))
    hatch.upsert(externalCreatedAt="2026-03-02T10:00:00.123Z", externalUpdatedAt="2026-03-02T10:00:00-05:00", **ANN)


def test_one_address_may_always_be_refused(hatch: Hatch, sandbox: Sandbox) -> None:
    """One of fifty fails, the others succeed; a switch sets the valid source."""
    sandbox.switch(hatch_refuse_email="bad@example.com", hatch_source="custom:lp")
    assert hatch.wrong(email="bad@example.com", source="custom:lp") == ["/email"]
    hatch.upsert(email="good@example.com", source="custom:lp")
    assert hatch.wrong(email="good@example.com") == ["/source"]


def test_each_side_of_hatch_has_its_own_key(hatch: Hatch, sandbox: Sandbox) -> None:
    """401 without it."""
    sandbox.switch(hatch_api_key="one", hatch_export_key="two")
    for key, statuses in (("one", (200, 401)), ("two", (401, 200)), ("x", (401, 401))):
        hatch.headers = {"Authorization": f"Bearer {key}"}
        assert (hatch.put(**ANN).status_code, hatch.ask().status_code) == statuses
    assert hatch.put().json() == {"errors": {"detail": "Unauthorized"}}


def test_hatch_takes_json_and_has_nothing_to_read(hatch: Hatch) -> None:
    """There is no lookup, no deletion, no other path."""
    http, headers = hatch.http, hatch.headers
    assert http.put(UPSERT, data={"source": "x"}, headers=headers).status_code == 415
    as_json = {**headers, "Content-Type": "application/json"}
    assert http.put(UPSERT, content=b"{", headers=as_json).status_code == 400
    assert http.put(UPSERT, content=b"[]", headers=as_json).status_code == 400
    assert http.get(UPSERT, headers=headers).status_code == 405
    assert http.post(EXPORT, json={}, headers=headers).status_code == 405
    assert http.get("/v1/contacts/1", headers=headers).status_code == 404


def test_too_many_upserts_are_turned_away(hatch: Hatch, sandbox: Sandbox) -> None:
    """429 from the first one over the limit, with Retry-After if Hatch gives one."""
    sandbox.switch(hatch_limit=3)
    answers = [hatch.put(externalID="1", **ANN) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "Retry-After" not in answers[3].headers
    sandbox.switch(hatch_retry_after=10)
    assert hatch.put(**ANN).headers["Retry-After"] == "10"
    assert len(sandbox.hatch_writes()) == 3
    sandbox.switch(hatch_limit=0)
    assert hatch.put(**ANN).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("html", 200)])
def test_faults_meet_hatch_too(hatch: Hatch, sandbox: Sandbox, kind: str, status: int) -> None:
    """By a part of the path, once."""
    calls: dict[str, Callable[[], httpx.Response]] = {"contacts": lambda: hatch.put(**ANN), "export-data": hatch.ask}
    for part, call in calls.items():
        sandbox.fault(kind, path=part)
        answer = call()
        assert answer.status_code == status
        assert answer.headers["Content-Type"] != "application/zip"
        assert call().status_code == 200
    assert len(sandbox.hatch_writes()) == 1


def test_calls_to_hatch_are_seen_with_their_fields(hatch: Hatch, sandbox: Sandbox) -> None:
    """The top of a JSON body and the query, as text."""
    seen: list[tuple[str, dict[str, str]]] = []
    sandbox.before_request = lambda path, fields: seen.append((path, fields))
    hatch.put(externalID="1", details={"a": 1})
    hatch.ask(start="2026-03-01", end="2026-03-02")
    assert seen == [
        (UPSERT, {"source": "custom:leadperfection", "externalID": "1", "details": '{"a": 1}'}),
        (EXPORT, {"data_source": "conversation_items", "start_date": "2026-03-01", "end_date": "2026-03-02"}),
    ]
    assert sandbox.requests[-2:] == seen


def test_the_state_counts_what_hatch_has(hatch: Hatch, lp: LP, sandbox: Sandbox) -> None:
    """Beside LeadPerfection's."""
    hatch.upsert(externalID="1", **ANN)
    hatch.upsert(externalID="1", **ANN)
    sandbox.put_communication(id="1")
    counts = lp.http.get("/sandbox/state").json()["counts"]
    wanted = {"contacts": 1, "upserts": 2, "communications": 1, "contact_history": 1, "job_notes": 0, "late": 0}
    assert {name: counts[name] for name in wanted} == wanted
