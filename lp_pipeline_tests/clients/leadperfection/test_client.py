"""Calls: how they look on the wire, what each kind of answer leads to, and that no secret leaves by the side door."""

import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from lp_pipeline.clients.http import Exchange, Received
from lp_pipeline.clients.leadperfection.client import Client
from lp_pipeline.clients.rate_limit import FILE
from lp_pipeline.clients.retry import TransientError
from lp_pipeline.errors import LeadPerfectionError, OutOfTime, SettingsError, SignInRefused, SlowQuery

from .fakes import NOON, PERSONAL, SECRETS, FakeLeadPerfection, Reply, Request, body, response, settings, texts

GET_LEAD = "Customers/GetLead"
PROSPECTS = "Customers/GetProspectData"
FIELDS = {"startdate": "2026-03-02 09:00:00", "cst_id": "0", "PageSize": "5", "StartIndex": "1"}
DENIED = {"Message": "Authorization has been denied for this request."}
TIMED_OUT = {"Message": "SqlException: Execution Timeout Expired. The timeout period elapsed"}
RECORD = [{"cst_id": "1"}]


class Count:
    """A limiter that counts, and grants so many requests."""

    def __init__(self, grants: int = 1000) -> None:
        self.asked = 0
        self.grants = grants
        self.closed = False

    def acquire(self, timeout: float | None) -> bool:
        self.asked += 1
        return self.asked <= self.grants

    def close(self) -> None:
        self.closed = True


def fails(lp: FakeLeadPerfection, action: str = GET_LEAD, **more: Any) -> LeadPerfectionError:
    with lp.client(**more) as client, pytest.raises(LeadPerfectionError) as caught:
        client.call(action, FIELDS)
    return caught.value


# How a call looks


def test_a_call_is_a_form_with_blanks_as_percent_20_and_a_bearer_token() -> None:
    """Contract 2: POST /api/<Controller>/<Action>, form-urlencoded, Bearer, blanks as %20."""
    lp = FakeLeadPerfection(replies=[response(RECORD)])
    with lp.client() as client:
        answer = client.call(GET_LEAD, {**FIELDS, "notes": "a+b&c/é"})
    assert answer.records == [b'{"cst_id":"1"}']
    assert answer.received_at == NOON
    (request,) = lp.requests
    assert request.path == "/api/Customers/GetLead"
    assert request.authorization == f"Bearer {SECRETS[2]}"
    assert request.body.startswith("startdate=2026-03-02%2009%3A00%3A00&cst_id=0&")
    assert request.body.endswith("&notes=a%2Bb%26c%2F%C3%A9")


def test_it_signs_in_at_the_first_call_and_only_then() -> None:
    """Contract 1: the form of /token; the token lasts a day."""
    lp = FakeLeadPerfection(replies=[response(RECORD), response(RECORD)])
    with lp.client() as client:
        assert lp.tokens_asked == []
        client.call(GET_LEAD, FIELDS)
        client.call(GET_LEAD, FIELDS)
    (request,) = lp.tokens_asked
    assert request.authorization == ""
    assert request.fields == {
        "grant_type": "password",
        "username": "robot",
        "password": SECRETS[0],
        "clientid": "acme",
        "appkey": SECRETS[1],
    }


@pytest.mark.parametrize(("expires_in", "sign_ins"), [(0.0001, 3), ("86399", 1), (None, 1), ("soon", 1)])
def test_the_token_is_renewed_before_it_expires(expires_in: object, sign_ins: int) -> None:
    """Contract 1: expires_in; where it is missing, a 401 will tell."""
    lp = FakeLeadPerfection(token={"access_token": "x", "expires_in": expires_in})
    lp.replies = [response(RECORD) for _ in range(3)]
    with lp.client() as client:
        for _ in range(3):
            client.call(GET_LEAD, FIELDS)
    assert len(lp.tokens_asked) == sign_ins


def test_permissions_and_the_employee_id_come_from_the_sign_in() -> None:
    """Contract 1: user_data, where it is there; it may be text with JSON in it."""
    user = {"Emp_ID": 64, "Settings": ["GetLead", "AddNotes"]}
    for given in (user, body(user).decode()):
        with FakeLeadPerfection(token={"access_token": "x", "User_Data": given}).client() as client:
            assert client.permissions is None
            client.sign_in()
            assert client.permissions == {"GetLead", "AddNotes"}
            assert client.employee_id == "64"
    with FakeLeadPerfection().client() as client:
        client.sign_in()
        assert client.permissions is None
        assert client.employee_id is None


@pytest.mark.parametrize(
    ("date", "clock"),
    [
        ("Mon, 02 Mar 2026 17:00:05 GMT", datetime(2026, 3, 2, 17, 0, 5, tzinfo=UTC)),
        ("Mon, 02 Mar 2026 12:00:05 -0500", datetime(2026, 3, 2, 17, 0, 5, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_leadperfections_clock_is_the_date_of_its_answer(date: str, clock: datetime | None) -> None:
    """W4: LP's clock, as the Date of its answers shows it."""
    with FakeLeadPerfection(replies=[response(RECORD, date=date)]).client() as client:
        assert client.call(GET_LEAD, FIELDS).lp_clock == clock


# Sign-in refused


@pytest.mark.parametrize(
    "reply",
    [
        response({"error": "invalid_grant", "error_description": f"{PERSONAL} is locked"}, 400),
        response({"error": PERSONAL}, 400),
        response(DENIED, 401),
        response(DENIED, 403),
        response({"error": "invalid_grant"}, 200),
        response({"access_token": "", "expires_in": 1}, 200),
        response({"access_token": "two\nlines"}, 200),
        response(None, 200),
    ],
)
def test_a_refused_sign_in_names_the_settings_and_is_not_tried_again(reply: httpx.Response) -> None:
    """R3: a refused sign-in is not tried again in that run. R4: LP's words stay out of the message."""
    lp = FakeLeadPerfection(sign_ins=[reply])
    with lp.client() as client:
        for action in (GET_LEAD, GET_LEAD, PROSPECTS):
            with pytest.raises(SignInRefused) as caught:
                client.call(action, FIELDS)
            for name in ("LP_CLIENT_ID", "LP_USERNAME", "LP_PASSWORD", "LP_APP_KEY", "LP_API_URL"):
                assert name in str(caught.value)
            assert PERSONAL not in str(caught.value)
            assert caught.value.words == reply.text.strip()
            assert ("invalid_grant" in str(caught.value)) == ("invalid_grant" in reply.text)
        with pytest.raises(SignInRefused):
            client.sign_in()
    assert len(lp.tokens_asked) == 1
    assert lp.requests == []


def test_a_passing_failure_of_the_sign_in_is_tried_again() -> None:
    """R3: a 503, a cut connection or an HTML page says nothing about the credentials."""
    lp = FakeLeadPerfection(
        sign_ins=[response({}, 503), httpx.ConnectError("no"), httpx.Response(200, html="<html>")],
        replies=[response(RECORD)],
    )
    with lp.client() as client:
        assert client.call(GET_LEAD, FIELDS).records
    assert len(lp.tokens_asked) == 4


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), response(TIMED_OUT, 500)])
def test_a_sign_in_that_times_out_is_no_slow_query(failure: Reply) -> None:
    """Contract 6: a smaller window or page would not help."""
    lp = FakeLeadPerfection(sign_ins=[failure] * 4)
    assert not isinstance(fails(lp), SlowQuery)
    assert len(lp.tokens_asked) == 3


def test_a_wrong_address_shows_at_the_sign_in() -> None:
    """Contract 6: 404 is a permanent error naming the path."""
    lp = FakeLeadPerfection(sign_ins=[response({}, 404)])
    assert str(fails(lp)) == "LeadPerfection knows no /token (HTTP 404). Check LP_API_URL."


@pytest.mark.parametrize("status", [401, 403])
def test_a_call_that_is_denied_is_repeated_once_after_a_new_sign_in(status: int) -> None:
    """Contract 1: re-authenticate once and repeat."""
    lp = FakeLeadPerfection(replies=[response(DENIED, status), response(RECORD)])
    with lp.client() as client:
        assert client.call(GET_LEAD, FIELDS).records
    assert (len(lp.requests), len(lp.tokens_asked)) == (2, 2)


@pytest.mark.parametrize("status", [401, 403])
def test_a_function_denied_twice_names_it_and_where_to_allow_it(status: int) -> None:
    """Contract 1: a second 401/403 in a row is a permission problem: stop, and tell the operator what to open."""
    lp = FakeLeadPerfection(replies=[response(DENIED, status), response(DENIED, 403), response(RECORD)])
    lp.token["user_data"] = {"Settings": ["GetLeads", "AddNotes"]}
    with lp.client() as client:
        for _ in range(2):
            with pytest.raises(SignInRefused) as caught:
                client.call(GET_LEAD, FIELDS)
            assert (
                "Security → User Access → (user) → Assign → Function Level Security → APISecurity → Check All → Save"
                in str(caught.value)
            )
            assert "GetLead is missing among the 2 functions" in str(caught.value)
        assert len(lp.requests) == 2
        assert client.call(PROSPECTS, FIELDS).records  # one denied function does not hold up the others


def test_a_denied_function_that_leadperfection_lists_is_not_called_missing() -> None:
    """Contract 1: Settings is optional, and names may differ in case."""
    for functions in (["getlead"], None):
        lp = FakeLeadPerfection(replies=[response(DENIED, 403), response(DENIED, 403)])
        lp.token["user_data"] = {"Settings": functions}
        assert "missing" not in str(fails(lp))


# Transient failures


@pytest.mark.parametrize(
    "failure",
    [
        response({}, 500),
        response({}, 503),
        response({}, 408),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadError("cut"),
        httpx.RemoteProtocolError("cut"),
    ],
)
def test_transient_failures_are_tried_six_times(failure: Reply) -> None:
    """R3, contract 6: retried; then an error that says what came back and what to do."""
    lp = FakeLeadPerfection(replies=[failure] * 5 + [response(RECORD)])
    with lp.client() as client:
        assert client.call(GET_LEAD, FIELDS).records
    lp = FakeLeadPerfection(replies=[failure] * 7)
    error = fails(lp)
    assert len(lp.requests) == 6
    assert "6 tries in" in str(error)
    assert "the next sync reads the gap" in str(error)
    assert not isinstance(error, SlowQuery)


def test_an_unreachable_leadperfection_is_told_by_its_host_alone() -> None:
    """R3, R4: what was tried, what came back, what to do."""
    error = fails(FakeLeadPerfection(sign_ins=[httpx.ConnectError("x")] * 6))
    assert str(error) == (
        "LeadPerfection could not be reached at https://api.example.test: no connection, 6 tries in 0 s. "
        "Check LP_API_URL and the network; nothing is lost: the next sync reads the gap."
    )


@pytest.mark.parametrize(
    "failure", [response(TIMED_OUT, 500), response({}, 504), response(TIMED_OUT), httpx.ReadTimeout("slow")]
)
def test_a_query_that_keeps_timing_out_is_a_slow_query_after_three_tries(failure: Reply) -> None:
    """Contract 6: 500 'Execution Timeout Expired': retry; then halve the window or the page."""
    lp = FakeLeadPerfection(replies=[failure] * 9)
    assert isinstance(fails(lp), SlowQuery)
    assert len(lp.requests) == 3
    with lp.client() as client, pytest.raises(SlowQuery):
        client.call(GET_LEAD, FIELDS, slow_tries=1)
    assert len(lp.requests) == 4


def test_html_with_status_200_is_tried_three_times() -> None:
    """Contract 2: an answer that is not JSON is an error with its kind and a web page's title in its message."""
    page = "<html><title>Down for maintenance</title>"
    lp = FakeLeadPerfection(replies=[httpx.Response(200, html=page)] * 4)
    error = fails(lp)
    assert len(lp.requests) == 3
    assert "a web page titled 'Down for maintenance', 3 tries in" in str(error)
    assert error.words == page


def test_a_body_that_cannot_be_unpacked_is_tried_again() -> None:
    """R3: a broken gzip stream passes."""
    broken = httpx.Response(200, stream=httpx.ByteStream(b"no gzip"), headers={"content-encoding": "gzip"})
    with FakeLeadPerfection(replies=[broken, response(RECORD)]).client() as client:
        assert client.call(GET_LEAD, FIELDS).records


def test_being_told_to_wait_does_not_use_up_the_tries() -> None:
    """Contract 6: 429: wait that long, then continue."""
    busy, down = response({}, 429), response({}, 503)
    replies: list[Reply] = [*[busy] * 10, *[down] * 5, *[busy] * 5, response(RECORD)]
    with FakeLeadPerfection(replies=replies).client() as client:
        assert client.call(GET_LEAD, FIELDS).records


def test_being_told_to_wait_without_end_is_an_error_in_the_end() -> None:
    """R3: bounded."""
    lp = FakeLeadPerfection(replies=[response({"Message": PERSONAL}, 429)] * 30)
    error = fails(lp)
    assert len(lp.requests) == 20
    assert "LP_RATE_PER_MINUTE" in str(error)


@pytest.mark.parametrize(
    "busy",
    [
        response({"retryAfterSeconds": 30}, 429),
        response({"RetryAfterSeconds": "30"}, 429),
        response({}, 429, **{"retry-after": "30"}),
        response({}, 429, **{"retry-after": "Mon, 02 Mar 2026 17:00:30 GMT", "date": "Mon, 02 Mar 2026 17:00:00 GMT"}),
    ],
)
def test_no_wait_goes_past_the_runs_time(busy: httpx.Response) -> None:
    """R3: within the run's time; contract 6: the wait LeadPerfection asks for, in the body or the header."""
    lp = FakeLeadPerfection(replies=[busy, response(RECORD)])
    error = fails(lp, deadline=time.monotonic() + 25, pace=1.0)
    assert len(lp.requests) == 1
    assert "the run's time is up" in str(error)
    lp = FakeLeadPerfection(replies=[busy, response(RECORD)])
    with lp.client(deadline=time.monotonic() + 25, pace=0.001) as client:
        assert client.call(GET_LEAD, FIELDS).records


def test_nothing_is_retried_after_the_deadline() -> None:
    """R3: within the run's time, by the real clock."""
    lp = FakeLeadPerfection(replies=[response({}, 503), response(RECORD)])
    error = fails(lp, deadline=time.monotonic() + 1800, pace=3600.0)
    assert re.search("1 try in [0-9]+ s, and the run's time is up", str(error))


def test_nothing_is_asked_after_the_deadline() -> None:
    """W2, R3: the reader learns that the time is up, so that what is left is read in smaller pieces."""
    lp = FakeLeadPerfection()
    assert isinstance(fails(lp, deadline=time.monotonic() - 1), OutOfTime)
    assert not lp.requests


def test_an_answer_that_does_not_come_within_the_runs_time_is_no_slow_query() -> None:
    """R3: a smaller window would not help; a write that has left is waited for, or nobody would know its outcome."""

    def answer(_: Request) -> httpx.Response:
        return httpx.Response(200, stream=Trickle())

    lp = FakeLeadPerfection(replies=[answer])
    assert isinstance(fails(lp, deadline=time.monotonic() + 0.3), OutOfTime)
    assert len(lp.requests) == 1
    lp = FakeLeadPerfection(replies=[answer])
    with lp.client(deadline=time.monotonic() + 0.3) as client:
        written = client.write("SalesApi/AddNotes", {"notes": "x"})
    assert isinstance(written, Received)
    assert json.loads(written.body) == "UPDATED SUCCESSFULLY!"


class Trickle(httpx.SyncByteStream):
    """An answer that takes half a second."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'"'
        for _ in range(50):
            time.sleep(0.01)
            yield b""
        yield b'UPDATED SUCCESSFULLY!"'


# Errors that stay


def test_an_unknown_action_is_a_permanent_error_naming_the_path() -> None:
    """Contract 6: 404; for the prospect feed, the setting that names its action."""
    lp = FakeLeadPerfection(replies=[response({}, 404)] * 2)
    assert str(fails(lp)) == "LeadPerfection knows no /api/Customers/GetLead (HTTP 404). Check LP_API_URL."
    assert "LP_PROSPECT_ACTION" in str(fails(lp, PROSPECTS))
    assert len(lp.requests) == 2


@pytest.mark.parametrize("status", [400, 405, 413, 422])
def test_other_refusals_are_permanent_and_keep_leadperfections_words_aside(status: int) -> None:
    """R4: LP's words stand in tables."""
    lp = FakeLeadPerfection(replies=[response({"Message": PERSONAL}, status)])
    error = fails(lp)
    assert f"HTTP {status}" in str(error)
    assert error.words == body({"Message": PERSONAL}).decode().replace(": ", ":")
    assert PERSONAL not in "".join(texts(error))


def test_a_business_error_is_permanent() -> None:
    """Contract 6: an error, with LP's words."""
    lp = FakeLeadPerfection(replies=[response([{"Result": 0, "Message": PERSONAL}])])
    error = fails(lp)
    assert PERSONAL in (error.words or "")
    assert PERSONAL not in "".join(texts(error))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(status: int) -> None:
    """Contract 2: no redirects are followed; the token goes nowhere else."""
    elsewhere = response({}, status, location=f"https://evil.example/x?{PERSONAL}")
    asked: list[str] = []

    def note(request: Request) -> httpx.Response:
        asked.append(request.path)
        return elsewhere

    lp = FakeLeadPerfection(replies=[note])
    error = fails(lp)
    assert f"a redirect (HTTP {status} to evil.example)" in str(error)
    assert PERSONAL not in str(error)
    assert asked == ["/api/Customers/GetLead"]
    assert "redirect" in str(fails(FakeLeadPerfection(sign_ins=[elsewhere])))


# The limiter


def test_each_try_passes_the_limiter() -> None:
    """R3: LP_RATE_PER_MINUTE holds for sign-ins and repeated tries too."""
    limiter = Count()
    lp = FakeLeadPerfection(replies=[response({}, 503), response(DENIED, 401), response(RECORD)])
    with lp.client(limiter=limiter) as client:
        client.call(GET_LEAD, FIELDS)
    assert limiter.asked == len(lp.requests) + len(lp.tokens_asked) == 5
    assert not limiter.closed


def test_no_room_within_the_runs_time_is_an_error_that_names_the_setting() -> None:
    """R3: within the run's time, by the real clock."""
    error = fails(FakeLeadPerfection(), limiter=Count(grants=1), deadline=time.monotonic() + 60)
    assert "LP_RATE_PER_MINUTE=60000" in str(error)


def test_without_a_limiter_a_client_shares_the_data_folders(tmp_path: Path) -> None:
    """R3: nobody can forget the rate."""
    given = settings(LP_RATE_PER_MINUTE="3", LP_PIPELINE_DATA=str(tmp_path))
    lp = FakeLeadPerfection(replies=[response(RECORD)] * 3)
    soon = time.monotonic() + 30  # half of the period that the rate is counted in
    with lp.client(given, deadline=soon) as one, lp.client(given, deadline=soon) as other:
        one.call(GET_LEAD, FIELDS)
        with pytest.raises(LeadPerfectionError, match="LP_RATE_PER_MINUTE"):
            other.call(GET_LEAD, FIELDS)
    assert (tmp_path / FILE).exists()


def test_without_an_address_there_is_nothing_to_call() -> None:
    """House rules: an error that names the setting."""
    with pytest.raises(SettingsError, match="LP_API_URL"):
        Client(settings().model_copy(update={"lp_api_url": None}))


# Secrets


OUTCOMES: list[list[Reply]] = [
    [response(DENIED, 401), response(DENIED, 401)],
    [response({"Message": f"{PERSONAL} {' '.join(SECRETS)}"}, 500)] * 6,
    [response(TIMED_OUT | {"x": PERSONAL}, 500)] * 6,
    [response({"Message": " ".join((PERSONAL, *SECRETS))}, 400)],
    [response({"Message": PERSONAL}, 429)] * 20,
    [response(" ".join((PERSONAL, *SECRETS)))],
    [httpx.Response(200, content=f'[{{"email":"{PERSONAL}'.encode())] * 3,
    [httpx.ConnectError(f"{SECRETS[0]} {PERSONAL}")] * 6,
    [httpx.LocalProtocolError(f"Illegal header value {SECRETS[2]}")] * 6,
    [httpx.ReadTimeout(SECRETS[1])] * 3,
]


@pytest.mark.parametrize("replies", OUTCOMES, ids=range(len(OUTCOMES)))
@pytest.mark.parametrize("at_sign_in", [True, False])
def test_no_secret_and_no_personal_data_shows_in_errors_logs_or_output(
    replies: list[Reply], at_sign_in: bool, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """R4: secrets and personal data stay out of logs and error texts; nothing hangs on the error that holds them."""
    caplog.set_level(logging.DEBUG)
    lp = FakeLeadPerfection(sign_ins=list(replies)) if at_sign_in else FakeLeadPerfection(replies=list(replies))
    with lp.client() as client, pytest.raises(LeadPerfectionError) as caught:
        client.call(GET_LEAD, {**FIELDS, "notes": PERSONAL})
    printed = "\n".join([*texts(caught.value), caplog.text, *capfd.readouterr(), repr(client), repr(vars(client))])
    printed += "".join(repr(record.__dict__) for record in caplog.records)
    for secret in (PERSONAL, *SECRETS):
        assert secret not in printed


@pytest.mark.parametrize("failure", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.DecodingError("x")])
def test_no_error_drags_the_request_along(failure: Exception) -> None:
    """R4: an httpx error holds its request, and that one the password."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    exchange = Exchange("LeadPerfection", "https://api.example.test", httpx.MockTransport(fail), 1.0, 1.0, 1000)
    with pytest.raises(TransientError) as caught:
        exchange.send("POST", "/token", content=SECRETS[0].encode())
    exchange.close()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert (fails(FakeLeadPerfection(replies=[failure] * 6)).__context__) is None


def test_stamina_prints_nothing_of_its_own() -> None:
    """By itself it prints every retry to stdout, between the lines of whoever runs this."""
    assert stamina.instrumentation.get_on_retry_hooks() == ()
