"""Validates upserts, and builds Hatch's error responses.

Belongs here: field checks, the formats of error responses. Not here: keys, limits (api.py, export.py).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lp_pipeline.sandbox.faults import Answer, as_json
from lp_pipeline.sandbox.request import Request
from lp_pipeline.sandbox.world.stamps import Record

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
PHONE = re.compile(r"[0-9]{10}")


def said(status: int, detail: str) -> Answer:
    """An error response about the whole request."""
    return as_json(status, {"errors": {"detail": detail}})


def invalid(errors: Mapping[str, str]) -> Answer:
    """A 422 response with the reason for each field."""
    return as_json(
        422,
        {
            "errors": [
                {"title": "Invalid value", "source": {"pointer": f"/{name}"}, "detail": detail}
                for name, detail in errors.items()
            ]
        },
    )


def too_many(request: Request) -> Answer:
    """A 429 response, with Retry-After if the switch sets one."""
    seconds = request.switches["hatch_retry_after"]
    answer = said(429, "Too Many Requests")
    return replace(answer, headers={"Retry-After": str(seconds)}) if seconds else answer


def complaints(request: Request, body: Record) -> dict[str, str]:
    """The invalid fields of an upsert, each with the reason."""
    switches = request.switches
    if body.get("source") is None:
        return {"source": "Missing field: source"}
    found: dict[str, str] = {}
    for name, (kind, words, good) in FIELDS.items():
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, kind):
            found[name] = f"Invalid {words}. Got: {type(value).__name__}"
        elif not good(value):
            found[name] = f"Invalid format. Expected {words}"
    if not found and body["source"] != switches["hatch_source"]:
        found["source"] = "Source does not exist"
    if switches["hatch_refuse_email"] and body.get("email") == switches["hatch_refuse_email"]:
        found["email"] = "Email is not deliverable"
    return found


def _date_time(value: str) -> bool:
    try:
        return "T" in value and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _anything(_: object) -> bool:
    return True


FIELDS: dict[str, tuple[type, str, Callable[[Any], object]]] = {
    **dict.fromkeys(("source", "externalID", "externalContactID"), (str, "string", _anything)),
    **dict.fromkeys(("externalCreatedAt", "externalUpdatedAt"), (str, "date-time", _date_time)),
    **dict.fromkeys(("firstName", "lastName", "status"), (str, "string", _anything)),
    "email": (str, "email", EMAIL.fullmatch),
    "phoneNumber": (str, "phone number of ten digits", PHONE.fullmatch),
    "details": (dict, "object", _anything),
}
