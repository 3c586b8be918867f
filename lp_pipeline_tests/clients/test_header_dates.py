"""Clocks of servers that show what no calendar has, or its last second (SPEC R3, W4)."""

from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.clients.leadperfection import Client, feeds, read_window
from lp_pipeline.errors import HatchUnavailable, LeadPerfectionError
from lp_pipeline_tests.clients.hatch import fakes as hatch
from lp_pipeline_tests.clients.leadperfection import fakes as leadperfection

HEADERS = [
    "Mon, 01 Jan 0000 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Fri, 31 Dec 1969 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 -1400",
    "Sat, 01 Jan 10000 00:00:00 GMT",
    "Mon, 02 Mar 2026 17:00:05 +9999999999999999999",
    "99999999999999999999",
    "-99999999999999999999",
    "1e400",
    "nan",
]


@pytest.mark.parametrize("header", HEADERS)
def test_a_window_is_read_whatever_leadperfections_clock_shows(header: str) -> None:
    """W4: whether rows shifted is judged by that clock; by ours, if it shows nothing that can be."""
    rows = [leadperfection.prospect(number) for number in range(3)]
    server = leadperfection.FakeLeadPerfection(rows=rows, date=None)

    def answer(request: httpx.Request) -> httpx.Response:
        response = server(request)
        response.headers["date"] = header
        return response

    given = leadperfection.settings(LP_PAGE_SIZE="2")
    with Client(given, transport=httpx.MockTransport(answer), pace=0.0) as client:
        read = read_window(client, feeds(given)[0], leadperfection.HOUR, given, trust_short_page=True)
    assert (read.ids, read.several, read.shifted) == (frozenset("012"), True, False)


def _sign_in(transport: httpx.MockTransport) -> None:
    with Client(leadperfection.settings(), transport=transport, pace=0.0) as client:
        client.sign_in()


def _upsert(transport: httpx.MockTransport) -> None:
    with HatchClient(hatch.settings(), transport=transport, pace=0.0) as client:
        client.upsert(hatch.BODY)


def _export(transport: httpx.MockTransport) -> None:
    with HatchClient(hatch.settings(), transport=transport, pace=0.0) as client:
        client.export("conversation_items", date(2026, 3, 1), date(2026, 3, 1))


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    ("ask", "error"),
    [(_sign_in, LeadPerfectionError), (_upsert, HatchUnavailable), (_export, HatchUnavailable)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_no_calendar_has_ends_in_the_usual_message(
    header: str, ask: Callable[[Any], None], error: type[Exception], status: int
) -> None:
    """R3: both APIs, and the export: `Retry-After` and `Date` may say anything."""
    response = httpx.Response(status, headers={"retry-after": header, "date": header})
    with pytest.raises(error, match=str(status)):
        ask(httpx.MockTransport(lambda _: response))
