"""Temporary faults: what the next few requests get instead of their normal response.

Belongs here: the kinds of faults and how they change a response. Not here: their queue (world/store.py), permanent
quirks (switches.py).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

JSON_TYPE, HTML_TYPE = "application/json; charset=utf-8", "text/html; charset=utf-8"
DENIED = {"Message": "Authorization has been denied for this request."}
TIMEOUT = {
    "Message": "An error has occurred. Execution Timeout Expired.  The timeout period elapsed prior to completion "
    "of the operation or the server is not responding."
}


@dataclass(frozen=True)
class Answer:
    """One HTTP response; `sent` is the number of bytes of the body sent before the connection is cut (None = all)."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None


@dataclass(frozen=True)
class Fault:
    """One fault applied to a request."""

    kind: str
    details: Mapping[str, Any]


def as_json(status: int, value: object) -> Answer:
    """A response with a JSON body."""
    return Answer(status, json.dumps(value, ensure_ascii=False).encode())


def _too_many(details: Mapping[str, Any]) -> Answer:
    seconds, where = details.get("retry_after", 30), details.get("where", "body")
    body: dict[str, Any] = {"Message": "API calls quota exceeded!"}
    if where in ("body", "both"):
        body["retryAfterSeconds"] = seconds
    headers = {"Retry-After": str(seconds)} if where in ("header", "both") else {}
    return replace(as_json(429, body), headers=headers)


def _said(details: Mapping[str, Any]) -> str:
    return str(details.get("message", "Error: the request could not be processed."))


INSTEAD: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
    "401": lambda _: as_json(401, DENIED),
    "403": lambda _: as_json(403, DENIED),
    "429": _too_many,
    "500": lambda _: as_json(500, TIMEOUT),
    "503": lambda _: Answer(503, b"<html><body><h1>Service Unavailable</h1></body></html>", HTML_TYPE),
    "html": lambda _: Answer(200, b"<!DOCTYPE html><html><body>Scheduled maintenance</body></html>", HTML_TYPE),
    "empty": lambda _: as_json(200, []),
    "blank": lambda _: Answer(200, b""),
    "null": lambda _: as_json(200, None),
    "result0": lambda details: as_json(200, [{"Result": 0, "Message": _said(details)}]),
    "message": lambda details: as_json(
        200, {"message": _said(details), "status": details.get("status", 400), "error": details.get("error", "Error")}
    ),
    "string": lambda details: as_json(200, _said(details)),
    "answer": lambda details: Answer(200, str(details.get("body", '{"data": [], "total": 0}')).encode()),
}
AROUND = ("cut", "refuse", "lost", "late", "slow", "broken_json")
KINDS = (*INSTEAD, *AROUND)


def check(kind: str, times: int, after: int) -> None:
    """Raise ValueError, with the reason, for a fault that can't be queued."""
    if kind not in KINDS:
        raise ValueError(f"Unknown fault {kind!r}. Choose from: {', '.join(KINDS)}.")
    if times < 1 or after < 0:
        raise ValueError("A fault needs times >= 1 and after >= 0.")


def answer_with(
    fault: Fault, normal: Callable[[], Answer], later: Callable[[float], object], wait: Callable[[float], object]
) -> Answer | None:
    """The response to a request with this fault; None closes the connection without a response.

    `refuse` executes nothing, `lost` executes the request, `late` executes it after `seconds`; `late` can first `hold`
    the connection open for a number of seconds.
    """
    if fault.kind in INSTEAD:
        return INSTEAD[fault.kind](fault.details)
    if fault.kind == "refuse":
        return None
    if fault.kind == "lost":
        normal()
        return None
    if fault.kind == "late":
        later(float(fault.details.get("seconds", 1)))
        wait(float(fault.details.get("hold", 0)))
        return None
    if fault.kind == "slow":
        wait(float(fault.details.get("seconds", 1)))
        return normal()
    answer = normal()
    half = len(answer.body) // 2
    if fault.kind == "broken_json":
        return replace(answer, body=answer.body[:half])
    return replace(answer, sent=half)
