"""What an answer to a write means, and when a write is repeated (contract, sections 5 and 6; SPEC C7)."""

import httpx
import pytest

from lp_pipeline.clients.http import Received
from lp_pipeline.clients.leadperfection.writes import ADD_NOTES, Write, judged, note, production_note, written
from lp_pipeline.errors import LeadPerfectionError, SignInRefused
from lp_pipeline_tests.clients.leadperfection.fakes import FakeLeadPerfection, body, response

DONE = "UPDATED SUCCESSFULLY!"
NOTE = note("1", "Hello")


def answer(content: bytes, status: int = 200) -> Received:
    """An answer, read whole."""
    return Received(status, content, "application/json")


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (body(DONE), "accepted"),
        (body([DONE]), "accepted"),
        (body("Note added successfully"), "accepted"),
        (body([{"Result": 1, "Message": "Success"}]), "accepted"),
        (body({"RESULT": "1", "message": "whatever"}), "accepted"),
        (body([{"Result": 880001}]), "accepted"),
        (body({"result": True}), "accepted"),
        (body({"message": DONE, "status": 200, "error": None}), "accepted"),
        (b"\xef\xbb\xbf" + body(DONE), "accepted"),
        (body("The note could not be added."), "refused"),
        (body("Unsuccessful"), "refused"),
        (body([{"Result": 0, "Message": "Error: CallType does not exist."}]), "refused"),
        (body([{"Result": "0", "Message": "Success"}]), "refused"),
        (body({"result": False}), "refused"),
        (body({"message": "No success", "status": 400, "error": "Bad Request"}), "refused"),
        (body({"Message": "Authorization denied"}), "refused"),
        (b"", "unknown"),
        (body(None), "unknown"),
        (body([]), "unknown"),
        (body(""), "unknown"),
        (body([{"Result": "who knows"}]), "unknown"),
        (body([{"Result": 1}, {"Result": 0}]), "unknown"),
        (body(7), "unknown"),
        (b"<html>Scheduled maintenance, success guaranteed</html>", "unknown"),
        (b'[{"Result":1,"Mess', "unknown"),
        (body({"Message": "Execution Timeout Expired"}), "unknown"),
    ],
)
def test_what_an_answer_says(content: bytes, outcome: str) -> None:
    """Contract 5: success, each dialect of a refusal; what says neither leaves it open."""
    found = judged(answer(content), ADD_NOTES)
    assert found.outcome == outcome
    assert "CallType" not in (found.why or "")  # R4: LP's words are for the ledger


@pytest.mark.parametrize("status", [400, 404, 409, 413, 302])
def test_a_permanent_status_is_a_refusal(status: int) -> None:
    """Contract 6: LP did nothing; its words are kept."""
    found = judged(answer(b"Ann Field", status), ADD_NOTES)
    assert (found.outcome, found.why, found.words) == ("refused", f"HTTP {status}", "Ann Field")


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.WriteError("x"),
        response({"Message": "Execution Timeout Expired."}, 500),
        response("Service Unavailable", 503),
        response("", 408),
    ],
)
def test_what_may_have_been_done_is_sent_once(failure: httpx.Response | Exception) -> None:
    """C7: never repeated; its outcome is unknown."""
    lp = FakeLeadPerfection(replies=[failure, response(DONE)])
    with lp.client() as client:
        assert written(client, NOTE).outcome == "unknown"
    assert len(lp.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("x"),
        httpx.ConnectTimeout("x"),
        response({"retryAfterSeconds": 1}, 429),
        response({"Message": "denied"}, 401),
    ],
)
def test_what_was_surely_not_done_is_sent_again(failure: httpx.Response | Exception) -> None:
    """C7, contract 6: LP was not reached, or turned it away; `before` is called right before each time it leaves."""
    lp = FakeLeadPerfection(replies=[failure, response(DONE)])
    called: list[int] = []
    with lp.client() as client:
        found = written(client, NOTE, before=lambda: called.append(len(lp.requests)))
    assert (found.outcome, called) == ("accepted", [0, 1])


def test_an_lp_that_is_never_reached_raises() -> None:
    """C7: so that the caller knows that nothing was done."""
    lp = FakeLeadPerfection(replies=[httpx.ConnectError("x")] * 6)
    with lp.client() as client, pytest.raises(LeadPerfectionError, match="could not be reached"):
        written(client, NOTE)


def test_a_function_that_is_refused_twice_raises() -> None:
    """Contract 1: once more with a new sign-in, then no more; not even asked again."""
    lp = FakeLeadPerfection(replies=[response({}, 403), response({}, 401)])
    with lp.client() as client:
        for _ in range(2):
            with pytest.raises(SignInRefused, match="AddNotes"):
                written(client, NOTE)
    assert len(lp.requests) == 2


def test_a_failed_sign_in_is_not_a_failed_write() -> None:
    """C7: the token was refused, and the new sign-in failed: nothing was done."""
    lp = FakeLeadPerfection(replies=[response({}, 401)] * 6, sign_ins=[response({"access_token": "a"})])
    lp.sign_ins += [response("", 503)] * 6
    with lp.client() as client, pytest.raises(LeadPerfectionError):
        written(client, NOTE)


def test_what_before_raises_keeps_the_request_from_leaving() -> None:
    """C7: as when a person has settled it meanwhile."""

    def stop() -> None:
        raise KeyError("withdrawn")

    lp = FakeLeadPerfection()
    with lp.client() as client, pytest.raises(KeyError):
        written(client, NOTE, before=stop)
    assert lp.requests == []


def test_blanks_and_line_breaks_are_encoded_as_lp_wants_them() -> None:
    """Contract 2: %20, not +; nothing in a text can add a field."""
    lp = FakeLeadPerfection(replies=[response(DONE)])
    with lp.client() as client:
        written(client, note("1", "a b+c&recid=2\n\U0001f600"))
    assert lp.requests[0].body == "rectype=cst&recid=1&notes=a%20b%2Bc%26recid%3D2%0A%F0%9F%98%80"


def test_production_notes_have_two_actions() -> None:
    """Contract 5."""
    assert production_note(ADD_NOTES, "7", "x") == Write(ADD_NOTES, {"rectype": "job", "recid": "7", "notes": "x"})
    other = "Installer/AddInstallerJobNotes"
    assert production_note(other, "7", "x") == Write(other, {"jobid": "7", "notes": "x"})
