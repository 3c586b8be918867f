"""A Hatch for the tests: an httpx transport that answers as the contract says; settings, and made-up records.
No network and no waiting; what a test wants to know about is kept.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from lp_pipeline.clients.contact_points import email_address, phone_numbers
from lp_pipeline.clients.hatch import HatchClient, Opportunity
from lp_pipeline.settings import Settings, load_settings

API_KEY, EXPORT_KEY = "upsert-key-1", "export-key-2"
PERSONAL = "ann.field@example.com"
SECRETS = (API_KEY, EXPORT_KEY, PERSONAL)
CONTACT = "0b9c6f0e-7a43-4f38-9a2c-1de2a7c2a111"
BODY = {"source": "custom:lp", "externalID": "120345", "email": PERSONAL, "phoneNumber": None, "details": {"a": "é"}}


def settings(**changes: str) -> Settings:
    """The settings of a real account, without any rate limit."""
    return load_settings(
        {
            "LP_API_URL": "https://api.example.test",
            "LP_CLIENT_ID": "acme",
            "LP_USERNAME": "robot",
            "LP_PASSWORD": "x",
            "LP_APP_KEY": "y",
            "LP_TIMEZONE": "America/New_York",
            "LP_PIPELINE_DATA": "/nonexistent",
            "HATCH_API_URL": "https://hatch.example.test",
            "HATCH_API_KEY": API_KEY,
            "HATCH_SOURCE": "custom:lp",
            "HATCH_EXPORT_URL": "https://export.example.test",
            "HATCH_EXPORT_KEY": EXPORT_KEY,
            "HATCH_RATE_PER_MINUTE": "60000",
            **changes,
        }
    )


def response(value: object, status: int = 200, **headers: str) -> httpx.Response:
    """A JSON answer."""
    return httpx.Response(status, json=value, headers={k.replace("_", "-"): v for k, v in headers.items()})


def accepted() -> httpx.Response:
    """What Hatch says to an upsert that it takes."""
    return response({"data": {"id": CONTACT}})


def unprocessable(pointer: str | None, detail: str = f"{PERSONAL} is invalid", key: str = "detail") -> httpx.Response:
    """What Hatch says to a record that it won't have."""
    source = {"source": {"pointer": pointer}} if pointer is not None else {}
    return response({"errors": [{"title": "Invalid value", **source, key: detail}]}, 422)


def zipped(*files: bytes) -> bytes:
    """A zip with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"export-{number}.ndjson", content)
    return buffer.getvalue()


def exported(lines: Iterable[bytes]) -> httpx.Response:
    """A bulk export of these lines."""
    content = zipped(b"\n".join(lines))
    return httpx.Response(200, content=content, headers={"content-type": "application/zip"})


Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class FakeHatch:
    """Answers from `replies` as long as there are any, then takes everything."""

    replies: list[Reply] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if self.replies else accepted()
        if isinstance(reply, Exception):
            raise reply
        return reply(request) if callable(reply) else reply

    def client(self, given: Settings | None = None, **more: Any) -> HatchClient:
        return HatchClient(given or settings(), transport=httpx.MockTransport(self), **{"pace": 0.0, **more})


def texts(error: BaseException) -> Iterator[str]:
    """All that an error and whatever hangs on it could print."""
    seen: BaseException | None = error
    while seen is not None:
        yield from (str(seen), repr(seen), repr(seen.args))
        yield from (repr(value) for name, value in vars(seen).items() if name != "words")
        seen = seen.__cause__ or seen.__context__


def opportunity(**changes: Any) -> Opportunity:
    """An opportunity of a lead and its prospect."""
    values: dict[str, Any] = {
        "external_contact_id": "90211",
        "external_id": "120345",
        "external_created_at": datetime(2025, 11, 3, 15, 12, 44, tzinfo=UTC),
        "external_updated_at": datetime(2026, 3, 2, 14, 51, 7, 300_000, tzinfo=UTC),
        "external_updated_at_source": "prospect.lastchanged",
        "email": PERSONAL,
        "first_name": "Ann",
        "last_name": "Field",
        "phone": "(518)555-0123",
        "status": "Set",
        "prospect": {
            "cst_id": "90211",
            "firstname": "Ann",
            "lastname": "Field",
            "email": PERSONAL,
            "phone1": "(518)555-0123",
            "altphones": [{"phone": "5185550124"}],
            "city": "Troy",
            "dateadded": "2025-11-03T10:12:44",
            "lastchanged": "2026-03-02T09:51:07.3",
        },
        "lead": {
            "id": "120345",
            "source": "Internet",
            "disposition": "Set",
            "lastchangedon": "2026-03-02T09:51:07.297",
            "jobs": [{"id": "7001", "jobstatus": "New", "contractdate": "2026-03-01T00:00:00"}],
        },
    }
    values |= changes
    written = {"email_address": email_address(values["email"]), "phone_numbers": phone_numbers(values["phone"])}
    return Opportunity(**{**written, "shared_numbers": (), **values})


def item(**changes: object) -> bytes:
    """A line of the export; a column given as `...` is left out."""
    values = {
        "organization_id": 1,
        "id": "5f1c",
        "conversation_id": "77",
        "contact_id": CONTACT,
        "actor_type": "contact",
        "category": "sms",
        "type": "text",
        "direction": "inbound",
        "body": "Can we move it?",
        "delivery_status": "delivered",
        "created_at": "2026-03-02T15:05:00Z",
        **changes,
    }
    return json.dumps({name: value for name, value in values.items() if value is not ...}).encode()
