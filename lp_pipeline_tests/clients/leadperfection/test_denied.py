"""A token that LeadPerfection turns away with HTTP 200 and an error body."""

from typing import Any

import pytest

from lp_pipeline.clients.leadperfection import note, written
from lp_pipeline.clients.leadperfection.lookup import find
from lp_pipeline.errors import LeadPerfectionError, SignInRefused

from .fakes import PERSONAL, FakeLeadPerfection, prospect, response, settings

GET_LEAD, FIELDS = "Customers/GetLead", {"PageSize": "50"}
DENIALS: list[Any] = [
    {"Message": "Authorization has been denied for this request."},
    [{"Result": 0, "Message": "Authorization has been denied for this request."}],
    {"statusCode": 401, "detail": PERSONAL},
    {"message": PERSONAL, "status": "401", "error": "Unauthorized"},
    {"message": PERSONAL, "status": 403, "error": "Forbidden"},
    {"error": "invalid_token", "error_description": "The access token expired"},
    {"error": {"code": 401, "message": PERSONAL}},
    {"success": False, "message": "Your token has expired."},
    [{"Result": -1, "Message": "Error: Invalid access token"}],
    ["Error: Unauthorized"],
    "Authorization has been denied for this request.",
]
OTHERS: list[Any] = [
    [{"Result": 0, "Message": "Error: CallType does not exist."}],
    {"message": "Error", "status": 400, "error": "Bad Request"},
    {"error": {"code": 500, "message": "Token counter"}},
    {"Result": -1, "Message": "The session notes are too long"},
    "Error: the record is locked",
    17,
]


@pytest.mark.parametrize("denial", DENIALS)
def test_a_denial_with_http_200_is_answered_by_one_new_sign_in(denial: Any) -> None:
    """Contract 1, W5: an expired token is signed in again, once, and the call repeated, whatever status says so."""
    lp = FakeLeadPerfection(replies=[response(denial), response([prospect(1)])])
    with lp.client() as client:
        assert len(client.call(GET_LEAD, FIELDS).records) == 1
    assert (len(lp.requests), len(lp.tokens_asked)) == (2, 2)


@pytest.mark.parametrize("denial", DENIALS)
def test_a_second_denial_is_the_end_of_it(denial: Any) -> None:
    """Contract 1: then it is a permission problem, which no later call of this run asks about again (R3)."""
    lp = FakeLeadPerfection(replies=[response(denial) for _ in range(9)])
    with lp.client() as client:
        for _ in range(3):
            with pytest.raises(SignInRefused, match="APISecurity") as caught:
                client.call(GET_LEAD, FIELDS)
            assert PERSONAL not in str(caught.value)
    assert (len(lp.requests), len(lp.tokens_asked)) == (2, 2)


@pytest.mark.parametrize("other", OTHERS)
def test_another_error_is_no_denial(other: Any) -> None:
    """R3: no sign-in is spent on what it can't cure."""
    lp = FakeLeadPerfection(replies=[response(other)])
    with lp.client() as client, pytest.raises(LeadPerfectionError) as caught:
        client.call(GET_LEAD, FIELDS)
    assert not isinstance(caught.value, SignInRefused)
    assert (len(lp.requests), len(lp.tokens_asked)) == (1, 1)


def test_a_record_that_speaks_of_a_denial_is_a_record() -> None:
    """W7: what carries a prospect's id is never an error."""
    record = prospect(1, status=401, message="Authorization has been denied for this request.")
    lp = FakeLeadPerfection(replies=[response(record)])
    with lp.client() as client:
        assert len(client.call(GET_LEAD, FIELDS).records) == 1
    assert len(lp.tokens_asked) == 1


@pytest.mark.parametrize("denial", DENIALS)
def test_a_write_that_was_denied_is_sent_again_and_lands_once(denial: Any) -> None:
    """C7: LeadPerfection surely did nothing, so that no push is in doubt or refused for an old token."""
    lp = FakeLeadPerfection(replies=[response(denial), response("UPDATED SUCCESSFULLY!")])
    with lp.client() as client:
        assert written(client, note("1", "Hello")).outcome == "accepted"
    assert (len(lp.requests), len(lp.tokens_asked)) == (2, 2)


def test_a_look_up_by_id_signs_in_again_too() -> None:
    """C7: else a mark would seem not to be there."""
    lp = FakeLeadPerfection(replies=[response(DENIALS[0]), response([prospect(7)])])
    with lp.client() as client:
        found = find(client, settings(), "7")
    assert found is not None
    assert found[0].name == "leads"


@pytest.mark.parametrize("answer", [{"data": [prospect(7)]}, [[prospect(7)]], [{"Result": -1}], ["Error: no"]])
def test_a_look_up_by_id_believes_no_answer_that_is_no_page(answer: Any) -> None:
    """C7, W5: that the record was not shown is no sign that it, or a mark in it, is not there."""
    with FakeLeadPerfection(replies=[response(answer)]).client() as client, pytest.raises(LeadPerfectionError):
        find(client, settings(), "7")
