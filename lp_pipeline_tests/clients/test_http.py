"""The exchange that both clients share: bounded in time and size, dates and charsets of any kind."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.http import Exchange, Received, http_date
from lp_pipeline.clients.retry import TransientError

JSON = "application/json"


def exchange(response: httpx.Response, *, patience: float = 30.0, largest: int = 1000) -> Exchange:
    transport = httpx.MockTransport(lambda _: response)
    return Exchange("LeadPerfection", "https://api.example.test", transport, patience, patience, largest)


def received(body: bytes, content_type: str = JSON, status: int = 200) -> Received:
    return exchange(httpx.Response(status, content=body, headers={"content-type": content_type})).send("GET", "/")


def failure(response: httpx.Response, *, time_left: float | None = None, patience: float = 30.0) -> TransientError:
    with pytest.raises(TransientError) as caught:
        exchange(response, patience=patience).send("GET", "/", time_left=time_left)
    return caught.value


class Trickle(httpx.SyncByteStream):
    """A byte now and then, without end."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(0.01)
            yield b" "


def test_no_answer_takes_all_the_memory() -> None:
    """R1: for LeadPerfection as for Hatch."""
    error = failure(httpx.Response(200, content=b" " * 1001))
    assert (error.kind, str(error)) == ("garbled", "LeadPerfection answered with more than 1000 bytes")
    assert received(b" " * 1000).body == b" " * 1000


def test_an_answer_that_trickles_in_is_slow_or_out_of_the_runs_time() -> None:
    """R3: within the run's time; a smaller window or page may pass only where it was not the run's time that was up."""
    assert failure(httpx.Response(200, stream=Trickle()), patience=0.05).kind == "slow"
    assert failure(httpx.Response(200, stream=Trickle()), time_left=0.05).kind == "out_of_time"


DATES = [
    ("Mon, 02 Mar 2026 17:00:05 GMT", datetime(2026, 3, 2, 17, 0, 5, tzinfo=UTC)),
    ("Mon, 02 Mar 2026 12:00:05 -0500", datetime(2026, 3, 2, 17, 0, 5, tzinfo=UTC)),
    ("Fri, 31 Dec 9999 23:59:59 -1400", None),
    ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ("Fri, 01 Jan 1960 00:00:00 GMT", None),
    ("Mon, 02 Mar 99999999999999999999 19:00:05 GMT", None),
    ("Mon, 02 Mar 2026 17:00:05 +9999999999999999999", None),
    *((text, None) for text in ("", "yesterday", "-5", ",", "0", "Mon, 99 Mar 2026 17:00:05 GMT")),
]


@pytest.mark.parametrize(("text", "instant"), DATES)
def test_a_date_outside_the_calendar_is_no_date(text: str, instant: datetime | None) -> None:
    """R3, W4: the headers of both servers; nonsense in one never ends a run."""
    assert http_date(text) == instant
    busy = httpx.Response(429, headers={"date": text, "retry-after": text})
    answer = exchange(busy).send("GET", "/")
    assert answer.date == instant
    assert answer.wished_pause is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d ([A-Z]{3}|[-+]\d{1,9})"))
def test_whatever_a_header_says_a_date_is_an_instant_or_none(text: str) -> None:
    """R3, of any text."""
    found = http_date(text)
    assert found is None or found.tzinfo is UTC
    pause = Received(429, b"", retry_after=text).wished_pause
    assert pause is None or 0 < pause < float("inf")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("José".encode("cp1252"), "application/json; charset=windows-1252"),
        ("José".encode("latin-1"), "application/json; charset=ISO-8859-1"),
        ("José".encode("utf-16"), "application/json; charset=utf-16"),
        ("José".encode("utf-16"), JSON),
        ("José".encode(), 'application/json; charset="UTF-8"'),
        ("José".encode(), "application/json; charset=nonsense"),
        ("José".encode(), JSON),
        ("José".encode(), ""),
    ],
)
def test_a_declared_charset_is_honoured(body: bytes, content_type: str) -> None:
    """Contract 2: from here on everything is UTF-8."""
    assert received(body, content_type).body == "José".encode()


def test_a_body_that_is_not_what_it_declares_is_an_error() -> None:
    """Contract 2: no replacement character in silence; where nothing is declared, JSON is repaired (W8)."""
    with pytest.raises(TransientError, match="are not utf-8, which they are said to be") as caught:
        received(b"Jos\xe9", "application/json; charset=utf-8")
    assert caught.value.kind == "garbled"
    assert received(b"Jos\xe9", JSON).body == b"Jos\xe9"
    assert received(b"Jos\xe9", "text/html; charset=utf-8", 503).status == 503
    assert received(b"PK\xe9", "application/zip; charset=utf-8").body == b"PK\xe9"
