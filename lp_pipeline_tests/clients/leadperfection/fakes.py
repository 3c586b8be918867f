"""A LeadPerfection for the tests: an httpx transport that signs in, pages and fails as the contract says; and settings.
No network and no waiting; what a test wants to know about is counted or kept.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from lp_pipeline.clients.leadperfection.client import Client
from lp_pipeline.clients.leadperfection.windows import Window
from lp_pipeline.settings import Settings, load_settings

SECRETS = ("pass-w0rd-1", "app-key-2", "t0ken-3")
PERSONAL = "ann.field@example.com"
NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # noon in New York
HOUR = Window(NOON - timedelta(hours=1), NOON)


def settings(**changes: str) -> Settings:
    """The settings of a real account, whose clock shows `NOON`."""
    return load_settings(
        {
            "LP_API_URL": "https://api.example.test",
            "LP_CLIENT_ID": "acme",
            "LP_USERNAME": "robot",
            "LP_PASSWORD": SECRETS[0],
            "LP_APP_KEY": SECRETS[1],
            "LP_TIMEZONE": "America/New_York",
            "LP_RATE_PER_MINUTE": "60000",
            "LP_PIPELINE_DATA": str(Path("/nonexistent")),
            "LP_PIPELINE_NOW": NOON.isoformat(),
            **changes,
        }
    )


def prospect(number: int, **more: object) -> dict[str, Any]:
    """A prospect record as LeadPerfection shows it."""
    return {"cst_id": str(number), "firstname": "Ann", "lastchanged": "2026-03-02T09:51:07.3", "leads": [], **more}


@dataclass(frozen=True)
class Request:
    """What a call asked for."""

    path: str
    fields: Mapping[str, str]
    authorization: str
    body: str


def response(value: object, status: int = 200, **headers: str) -> httpx.Response:
    """A JSON answer."""
    return httpx.Response(status, json=value, headers=headers)


Reply = httpx.Response | Exception | Callable[[Request], httpx.Response]


@dataclass
class FakeLeadPerfection:
    """Answers from `replies` as long as there are any (for the sign-in: `sign_ins`), then with pages of `rows`."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: str = "page"  # what StartIndex counts: page, row or nothing
    cap: int = 10_000  # the largest page
    replies: list[Reply] = field(default_factory=list)
    sign_ins: list[Reply] = field(default_factory=list)
    token: dict[str, Any] = field(default_factory=lambda: {"access_token": SECRETS[2], "expires_in": 86399})
    date: datetime | None = NOON
    slow: frozenset[str] = frozenset()  # ids of prospects on which every query times out
    empty_answers: set[int] = field(default_factory=set)  # which answers (from 1) are empty although there are rows
    requests: list[Request] = field(default_factory=list)
    tokens_asked: list[Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        text = request.content.decode()
        asked = Request(request.url.path, dict(parse_qsl(text)), request.headers.get("authorization", ""), text)
        if asked.path == "/token":
            self.tokens_asked.append(asked)
            return _given(self.sign_ins.pop(0), asked) if self.sign_ins else response(self.token)
        self.requests.append(asked)
        if self.replies:
            return _given(self.replies.pop(0), asked)
        page = [] if len(self.requests) in self.empty_answers else self.page(asked)
        if any(each["cst_id"] in self.slow for each in page):
            return response({"Message": "Execution Timeout Expired"}, 500)
        date = "" if self.date is None else format_datetime(self.date, usegmt=True)
        return response(page, date=date)

    def page(self, asked: Request) -> list[dict[str, Any]]:
        """The rows that StartIndex and PageSize point at, as far as this LeadPerfection heeds them."""
        size = min(int(asked.fields["PageSize"]), self.cap)
        index = {"page": int(asked.fields["StartIndex"]), "row": int(asked.fields["StartIndex"]), "nothing": 1}
        first = index[self.counts] - 1 if self.counts == "row" else (index[self.counts] - 1) * size
        return self.rows[first : first + size]

    @property
    def start_indexes(self) -> list[int]:
        return [int(each.fields["StartIndex"]) for each in self.requests]

    def client(self, given: Settings | None = None, **more: Any) -> Client:
        return Client(given or settings(), transport=httpx.MockTransport(self), **{"pace": 0.0, **more})


def _given(reply: Reply, asked: Request) -> httpx.Response:
    if isinstance(reply, Exception):
        raise reply
    return reply(asked) if callable(reply) else reply


def texts(error: BaseException) -> Iterator[str]:
    """All that an error and whatever hangs on it could print."""
    seen: BaseException | None = error
    while seen is not None:
        yield from (str(seen), repr(seen), repr(seen.args))
        yield from (repr(value) for name, value in vars(seen).items() if name != "words")
        seen = seen.__cause__ or seen.__context__


def body(value: object) -> bytes:
    return json.dumps(value).encode()
