"""Upserts: how they look on the wire, what each kind of answer leads to, and that nothing private leaves by the side
door."""

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.clients.hatch.responses import complaints, contact_id, upsert_refused, words
from lp_pipeline.errors import HatchError, HatchRefused, HatchStopped, HatchUnavailable, PipelineError, SettingsError

from .fakes import (
    API_KEY,
    BODY,
    CONTACT,
    PERSONAL,
    SECRETS,
    FakeHatch,
    Reply,
    accepted,
    response,
    settings,
    texts,
    unprocessable,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["errors", "detail", "source", "data", "id"]) | st.text(), inner)
    ),
    max_leaves=10,
)


class Count:
    """A limiter that counts, and grants so many requests."""

    def __init__(self, grants: int) -> None:
        self.asked = 0
        self.grants = grants

    def acquire(self, timeout: float | None) -> bool:
        self.asked += 1
        return self.asked <= self.grants


def fails(*replies: Reply, **more: Any) -> HatchError:
    with FakeHatch(list(replies)).client(**more) as client, pytest.raises(HatchError) as caught:
        client.upsert(BODY)
    return caught.value


# How an upsert looks


def test_an_upsert_is_a_put_of_json_under_the_key_and_brings_the_contacts_id() -> None:
    """Contract 1: PUT /v1/contacts, Bearer, JSON; the contact's id, never the opportunity's."""
    hatch = FakeHatch()
    with hatch.client() as client:
        assert client.upsert(BODY) == CONTACT
    (request,) = hatch.requests
    assert (request.method, str(request.url)) == ("PUT", "https://hatch.example.test/v1/contacts")
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == BODY
    assert "é".encode() in request.content


def test_another_address_may_be_given() -> None:
    """The sandbox's Hatch has a port of its own."""
    hatch = FakeHatch()
    with hatch.client(address="http://127.0.0.1:8123/") as client:
        client.upsert(BODY)
    assert str(hatch.requests[0].url) == "http://127.0.0.1:8123/v1/contacts"


@pytest.mark.parametrize(("key", "words"), [("", "is not set"), ("clé", "no key has"), ("two\nlines", "no key has")])
def test_a_key_that_cannot_be_sent_is_an_error_that_names_it(key: str, words: str) -> None:
    """R4: the key itself is not shown."""
    with FakeHatch().client(settings(HATCH_API_KEY=key)) as client, pytest.raises(SettingsError, match=words) as caught:
        client.upsert(BODY)
    assert "HATCH_API_KEY" in str(caught.value)
    assert not key or all(key not in text for text in texts(caught.value))


# What passes


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("x"),
        httpx.ReadTimeout("x"),
        httpx.ReadError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.PoolTimeout("x"),
        *(httpx.Response(status) for status in (408, 425, 429, 500, 502, 503, 504, 520)),
        response({"errors": {"detail": "slow down"}}, 429, retry_after="2"),
        httpx.Response(200, html="<html>maintenance</html>"),
        httpx.Response(200, content=b""),
        response({"data": {}}),
        response({"data": {"id": None}}),
        response({"data": {"id": " "}}),
        response(CONTACT),
    ],
)
def test_a_passing_failure_is_tried_again(failure: Reply) -> None:
    """R3: connection errors, time-outs, 5xx, 408, 429, and an answer that is none; an upsert may be repeated."""
    hatch = FakeHatch([failure, failure, accepted()])
    with hatch.client() as client:
        assert client.upsert(BODY) == CONTACT
    assert len(hatch.requests) == 3
    assert len({request.content for request in hatch.requests}) == 1


@pytest.mark.parametrize(
    ("failure", "words", "tries"),
    [
        (httpx.ConnectError("x"), "could not be reached at https://hatch.example.test: no connection, 4 tries", 4),
        (httpx.ReadTimeout("x"), "timed out: no whole answer within 30 s, 4 tries", 4),
        (httpx.Response(503, text=PERSONAL), "failed: the upsert was answered with HTTP 503, 4 tries", 4),
        (httpx.Response(429), "no more for now: the upsert was answered with HTTP 429, 8 tries", 8),
        (httpx.Response(200, html="<p>"), r"not JSON \(HTTP 200, text/html, 3 bytes\), 4 tries", 4),
        (response({"ok": PERSONAL}), r"JSON without a contact's id \(HTTP 200, application/json", 4),
    ],
)
def test_a_lasting_failure_ends_with_one_message(failure: Reply, words: str, tries: int) -> None:
    """R3: what was tried, what came back, what to do."""
    hatch = FakeHatch([failure] * 20)
    with hatch.client() as client, pytest.raises(HatchUnavailable, match=words) as caught:
        client.upsert(BODY)
    assert len(hatch.requests) == tries
    assert "nothing is lost" in str(caught.value).lower()


def test_hatchs_wish_is_waited_for_and_handed_on() -> None:
    """R3: Retry-After; one of hours is left to the next sync."""
    error = fails(httpx.Response(429, headers={"retry-after": "7200"}))
    assert isinstance(error, HatchUnavailable)
    assert error.wait == 7200


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Mon, 02 Mar 2026 19:00:05 GMT", 7205),
        ("Mon, 02 Mar 2026 16:00:05 GMT", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("Mon, 02 Mar 99999999999999999999 19:00:05 GMT", None),
    ],
)
def test_retry_after_may_be_a_date(header: str, wait: float | None) -> None:
    """R3: by Hatch's own clock; nonsense is no wish."""
    busy = httpx.Response(429, headers={"retry-after": header, "date": "Mon, 02 Mar 2026 17:00:00 GMT"})
    error = fails(*[busy] * 8)
    assert isinstance(error, HatchUnavailable)
    assert error.wait == wait


def test_nothing_is_tried_after_the_deadline() -> None:
    """R3: within the run's time."""
    hatch = FakeHatch([httpx.Response(503)] * 9)
    with hatch.client(deadline=time.monotonic() + 1800, pace=3600.0) as client:
        with pytest.raises(HatchUnavailable, match=r"1 try in [0-9]+ s, and the run's time is up"):
            client.upsert(BODY)
        assert len(hatch.requests) == 1
    with hatch.client(deadline=time.monotonic() - 1) as client, pytest.raises(HatchUnavailable, match="not asked"):
        client.upsert(BODY)
    assert len(hatch.requests) == 1


def test_every_try_asks_the_limiter_and_one_that_would_take_too_long_is_not_made() -> None:
    """Contract 1: 100 requests in 10 s, retries included."""
    limiter = Count(2)
    error = fails(*[httpx.Response(503)] * 9, limiter=limiter)
    assert limiter.asked == 3
    assert isinstance(error, HatchUnavailable)
    assert "HATCH_RATE_PER_MINUTE" in str(error)


# What does not pass


@pytest.mark.parametrize(
    ("reply", "code", "field", "said"),
    [
        (unprocessable("/email"), 422, "/email", f"{PERSONAL} is invalid"),
        (unprocessable("/email", "bad", "message"), 422, "/email", "bad"),
        (unprocessable("#/details/lead.source", "source of x"), 422, "/details/lead.source", "source of x"),
        (unprocessable("email"), 422, "/email", f"{PERSONAL} is invalid"),
        (unprocessable(None, "phone is bad"), 422, None, "phone is bad"),
        (unprocessable(None, "the email's source is bad"), 422, None, "the email's source is bad"),
        (unprocessable(f"/{PERSONAL}"), 422, None, f"{PERSONAL} is invalid"),
        (response({"errors": [{"source": {"pointer": "/status"}}]}, 422), 422, "/status", None),
        (response({"errors": {"email": ["is taken"], "x": 1}}, 422), 422, "/email", "is taken"),
        (response({"error": "Bad Request", "message": "no"}, 400), 400, None, "no"),
        (response({"error": "Bad Request"}, 400), 400, None, "Bad Request"),
        (httpx.Response(400, text="what?"), 400, None, "what?"),
        (httpx.Response(413), 413, None, ""),
        (response([1], 409), 409, None, "[1]"),
    ],
)
def test_a_record_that_hatch_will_not_have_is_refused_in_its_words(
    reply: httpx.Response, code: int, field: str | None, said: str | None
) -> None:
    """D3, R4: code, field and words; the words stay out of the message; the next record fares on its own."""
    hatch = FakeHatch([reply])
    with hatch.client() as client:
        with pytest.raises(HatchRefused) as caught:
            client.upsert(BODY)
        assert client.upsert(BODY) == CONTACT
    error = caught.value
    assert (error.code, error.field) == (code, field)
    assert said is None or error.words == said
    assert f"HTTP {code}" in str(error)
    assert PERSONAL not in str(error)


@pytest.mark.parametrize(
    ("reply", "names"),
    [
        (response({"errors": {"detail": "Unauthorized"}}, 401), "HATCH_API_KEY"),
        (response({"message": "Unauthorized"}, 401), "HATCH_API_KEY"),
        (httpx.Response(401), "HATCH_API_KEY"),
        (httpx.Response(403, html="<p>no"), "HATCH_API_KEY"),
        (httpx.Response(404), "HATCH_API_URL"),
        (httpx.Response(405), "HATCH_API_URL"),
        (httpx.Response(407), "HTTPS_PROXY"),
        (httpx.Response(301, headers={"location": f"https://other.test/?{PERSONAL}"}), "to other.test"),
        (httpx.Response(304), "HATCH_API_URL"),
        (unprocessable("/source"), "HATCH_SOURCE"),
        (unprocessable("/data/attributes/source"), "HATCH_SOURCE"),
        (unprocessable(None, "Source does not exist"), "HATCH_SOURCE"),
        (response({"errors": {"source": ["is unknown"]}}, 422), "HATCH_SOURCE"),
    ],
)
def test_what_means_every_record_stops_at_once_with_one_message(reply: httpx.Response, names: str) -> None:
    """D3: 401, 403 and a 422 about the source stop the delivery; what was tried, what came back, what to do."""
    hatch = FakeHatch([reply])
    with hatch.client() as client:
        messages = set()
        for _ in range(3):
            with pytest.raises(HatchStopped) as caught:
                client.upsert(BODY)
            messages.add(str(caught.value))
    assert len(hatch.requests) == 1
    (message,) = messages
    assert names in message
    assert f"HTTP {reply.status_code}" in message
    assert PERSONAL not in message


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(401, json={"errors": {"detail": f"{PERSONAL} {API_KEY}"}}),
        unprocessable("/email", f"{PERSONAL} {API_KEY}"),
        httpx.Response(500, text=f"{PERSONAL} {API_KEY}"),
        httpx.Response(200, text=f"{PERSONAL} {API_KEY}"),
        httpx.ConnectError(f"{PERSONAL} {API_KEY}"),
        httpx.LocalProtocolError(f"Illegal header value b'Bearer {API_KEY}'"),
        httpx.ReadTimeout(f"{PERSONAL} {API_KEY}"),
    ],
)
def test_no_error_drags_a_key_or_personal_data_along(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """R4: secrets and personal data stay out of logs and error texts."""
    caplog.set_level(logging.INFO, "lp_pipeline")
    error = fails(*[reply] * 9)
    assert not any(secret in text for text in [*texts(error), caplog.text] for secret in SECRETS)


def test_a_redirect_is_not_followed() -> None:
    """R4: the key goes nowhere else."""
    hatch = FakeHatch([httpx.Response(307, headers={"location": "https://other.test/v1/contacts"})])
    with hatch.client() as client, pytest.raises(HatchStopped, match="never followed"):
        client.upsert(BODY)
    assert len(hatch.requests) == 1


def test_every_error_belongs_to_the_family() -> None:
    """House rules: one error family."""
    for kind in (HatchRefused, HatchStopped, HatchUnavailable):
        assert issubclass(kind, HatchError)
    assert issubclass(HatchError, PipelineError)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.integers(300, 499))
def test_whatever_body_comes_with_a_refusal_it_is_read_without_a_fault(body: bytes, status: int) -> None:
    """Contract 1: the 401's body is unknown; be tolerant."""
    error = upsert_refused(status, body)
    assert isinstance(error, HatchRefused | HatchStopped)
    assert str(error).startswith("Hatch ")
    assert len(words(body)) <= 2000
    assert all(isinstance(each.words, str) for each in complaints(body))
    assert contact_id(body) is None or contact_id(body)


def test_several_threads_may_share_a_client() -> None:
    """D1: deliveries go out side by side."""
    lock = threading.Lock()
    seen: set[str] = set()

    def behave(request: httpx.Request) -> httpx.Response:
        number = json.loads(request.content)["externalID"]
        with lock:
            first = number not in seen
            seen.add(number)
        return httpx.Response(503) if first else response({"data": {"id": number}})

    transport = httpx.MockTransport(behave)
    with HatchClient(settings(), transport=transport, pace=0.0) as client, ThreadPoolExecutor(8) as pool:
        upsert: Callable[[int], str] = lambda number: client.upsert({"externalID": str(number)})  # noqa: E731
        assert list(pool.map(upsert, range(200))) == [str(number) for number in range(200)]
