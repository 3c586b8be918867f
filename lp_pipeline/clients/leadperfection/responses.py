"""What a LeadPerfection answer says: its records as received, or the error it carries behind an HTTP 200 (contract,
sections 2 and 6). Bytes in, bytes out: no network. LeadPerfection's own words never enter a message (SPEC R4).
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from lp_pipeline.clients.http import Received
from lp_pipeline.clients.json_repair import UNREADABLE, bare, decoded, readable
from lp_pipeline.clients.retry import PermanentError, TransientError
from lp_pipeline.errors import LeadPerfectionError, OutOfTime, SlowQuery

WORDS = 2000  # how much of LeadPerfection's own words is kept
BEGINNING = 80  # how much of an answer that is no JSON is shown


class NotJson(LeadPerfectionError):
    """The answer is no JSON at all; under load that passes."""


def records(body: bytes, asked: str, status: int = 200, media_type: str = "") -> list[bytes]:
    """The elements of the array that a call named `asked` brought, each verbatim; they are UTF-8 and valid JSON.

    Raises `NotJson`, or `LeadPerfectionError` for an error of LeadPerfection's own.
    """
    text = bare(body)
    if not text:
        return []
    try:
        text, value = readable(text)
    except UNREADABLE:
        raise NotJson(not_json(body, asked, status, media_type), words(body)) from None
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if refusal := _refusal(value):
        said = words(text)
        kind = SlowQuery if timed_out(said) else LeadPerfectionError
        raise kind(
            f"LeadPerfection answered {asked} with an error of its own ({refusal}); its words are in sync_runs.error. "
            "If they name a setting or a permission, correct that; otherwise the next sync tries again.",
            said,
        )
    if isinstance(value, list):
        return [bytes(element) for element in msgspec.json.decode(text, type=list[msgspec.Raw])]
    return [text]


def lookup(value: object, *names: str, default: Any = None) -> Any:
    """The first of these keys that an object has, whatever their case; `default` if it has none or is no object."""
    if not isinstance(value, Mapping):
        return default
    for name in names:
        if name in value:
            return value[name]
    lowered = {key.lower(): each for key, each in value.items()}
    return next((lowered[name] for name in names if name in lowered), default)


def identity(value: object) -> str | None:
    """A record's prospect id as text, whether `cst_id` or `CstID`, text or a number; None if it has none."""
    found = lookup(value, "cst_id", "cstid")
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found).strip() or None


def words(body: bytes) -> str:
    """LeadPerfection's own words, for the ledger only."""
    return bare(body).decode("utf-8", "replace")[:WORDS]


def timed_out(said: str) -> bool:
    """Whether LeadPerfection's words are those of a query that took too long."""
    return "timeout expired" in said.lower()


def _refusal(value: object) -> str | None:
    """Which of the contract's dialects of a business error this is."""
    if isinstance(value, list):
        return _refusal(value[0]) if len(value) == 1 and isinstance(value[0], dict) else None
    if isinstance(value, str):
        return "a bare text"
    if not isinstance(value, dict):
        return f"{type(value).__name__} instead of a list"
    keys = {key.lower() for key in value}
    if keys & {"cst_id", "cstid"}:
        return None
    result = lookup(value, "result")
    if result is False or str(result).strip().lower() in {"0", "false", "0.0"}:
        return "Result 0"
    if "result" not in keys and keys & {"message", "error"}:
        return "a message instead of records"
    return None


def not_json(body: bytes, asked: str, status: int, media_type: str) -> str:
    """What to say about an answer that is no JSON; its beginning too, unless that may hold personal data."""
    size = Received(status, body, media_type).size
    text = bare(body)
    beginning = ""
    if text[:1] not in (b"[", b"{", b'"'):  # broken JSON may hold personal data
        shown = text[:BEGINNING].decode("utf-8", "replace")
        shown = "".join(each if each.isprintable() else " " for each in shown)
        beginning = f", beginning '{shown}{'…' if len(text) > BEGINNING else ''}'"
    return f"LeadPerfection answered {asked} with something that is not JSON ({size}){beginning}"


def check_transient(received: Received, asked: str) -> None:
    """Raise `TransientError` for an HTTP status that may pass: 408, 429, 5xx."""
    said = words(received.body)
    what = f"{asked} was answered with HTTP {received.status}"
    if received.status == httpx.codes.TOO_MANY_REQUESTS:
        raise TransientError("busy", what, said, _wished_pause(received), done_nothing=True)
    if received.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        slow = timed_out(said) or received.status == httpx.codes.GATEWAY_TIMEOUT
        raise TransientError("slow" if slow else "failing", what, said)
    if received.status == httpx.codes.REQUEST_TIMEOUT:
        raise TransientError("failing", what, said)


def check_permanent(received: Received, asked: str, path: str, not_found: str) -> None:
    """Raise `LeadPerfectionError` for every other status that is no success; `not_found` is what to do about a 404."""
    status = received.status
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise LeadPerfectionError(
            f"LeadPerfection answered {asked} with a redirect (HTTP {status}{_other_host(received.location)}), which "
            "is never followed: the sign-in must not go elsewhere. Check LP_API_URL.",
            received.location,
        )
    if status == httpx.codes.NOT_FOUND:
        raise LeadPerfectionError(f"LeadPerfection knows no {path} (HTTP 404). {not_found}", words(received.body))
    raise LeadPerfectionError(
        f"LeadPerfection refused {asked} with HTTP {status}; its words are in sync_runs.error. "
        "Check the settings that go into this call: nothing but a change will help.",
        words(received.body),
    )


def _wished_pause(received: Received) -> float | None:
    try:
        wish = float(str(lookup(decoded(received.body), "retryafterseconds")))
    except ValueError:
        return received.wished_pause
    return wish if wish > 0 else None


def gave_up(failure: TransientError, asked: str, host: str, spent: str) -> LeadPerfectionError:
    """The error for a failure that did not pass: what was tried, what came back, what to do."""
    reads_on = "nothing is lost: the next sync reads the gap."
    match failure.kind:
        case "unreachable":
            what, advice = (
                f"LeadPerfection could not be reached at {host}: {failure}",
                "Check LP_API_URL and the network",
            )
        case "slow":
            what, advice = f"LeadPerfection timed out: {failure}", "A smaller window or LP_PAGE_SIZE may pass"
        case "garbled":
            what, advice = str(failure), "Check that LP_API_URL is LeadPerfection's API address"
        case "busy":
            what = f"LeadPerfection would not take {asked} yet: {failure}"
            advice = "Lower LP_RATE_PER_MINUTE if this goes on"
        case _:
            what, advice = f"LeadPerfection failed: {failure}", "Its words are in sync_runs.error"
    error = SlowQuery if failure.kind == "slow" else LeadPerfectionError
    return error(f"{what}, {spent}. {advice}; {reads_on}", failure.words)


def no_way(failure: PermanentError, host: str) -> LeadPerfectionError:
    """The error for a server that is not asked, because a proxy or a certificate stands in the way."""
    return LeadPerfectionError(
        f"LeadPerfection can't be reached at {host}: {failure} Nothing is lost: the next sync reads the gap."
    )


def out_of_time(per_minute: int) -> OutOfTime:
    """The error for what was not asked, or not answered, before the run had to end."""
    return OutOfTime(
        f"The run's time was up before all was done, at LP_RATE_PER_MINUTE={per_minute}. "
        "Nothing is lost: the next run goes on. A larger LP_PAGE_SIZE makes fewer requests."
    )


def _other_host(location: str) -> str:
    found = re.match(r"https?://([\w.-]{1,100})", location, re.ASCII)
    return f" to {found[1]}" if found else ""
