"""What a LeadPerfection answer says by its status, and how its values are looked up (contract, sections 2 and 6).

No network; what a page of records is: `page`. LeadPerfection's own words never enter a message (SPEC R4).
"""

import html
import re
from collections.abc import Mapping
from typing import Any

import httpx

from lp_pipeline.clients.http import Received
from lp_pipeline.clients.json_repair import bare, decoded
from lp_pipeline.clients.json_shapes import Shaped
from lp_pipeline.clients.json_values import id_of
from lp_pipeline.clients.retry import PermanentError, TransientError
from lp_pipeline.errors import LeadPerfectionError, OutOfTime, SlowQuery

WORDS = 2000  # how much of LeadPerfection's own words is kept
GATEWAY = (502, 503, 504)  # what a proxy says if the system behind it is down
TITLE = 80  # characters of a web page's title that are shown
JSON_BEGINS = (b"[", b"{", b'"')

_TITLE = re.compile(rb"<title[^>]{0,200}>(.{0,500}?)</title", re.IGNORECASE | re.DOTALL)


def lookup(value: object, *names: str, default: Any = None) -> Any:
    """The first of these keys that an object has, whatever their case; `default` if it has none or is no object."""
    if type(value) is not dict and not isinstance(value, Mapping):  # the first is nearly always all that is asked
        return default
    for name in names:
        if name in value:
            return value[name]
    lowered = {key.lower(): each for key, each in value.items()}
    return next((lowered[name] for name in names if name in lowered), default)


def identity(value: object) -> str | None:
    """A record's prospect id as text, whether `cst_id` or `CstID`, text or a number; None if it has none."""
    if isinstance(value, Shaped):
        return value.key
    if type(value) is dict and type(found := value.get("cst_id")) is str and found.isalnum():  # nearly always
        return found
    return id_of(lookup(value, "cst_id", "cstid"))


def words(body: bytes) -> str:
    """LeadPerfection's own words, for the ledger only."""
    return bare(body).decode("utf-8", "replace")[:WORDS]


def timed_out(said: str) -> bool:
    """Whether LeadPerfection's words are those of a query that took too long."""
    return "timeout expired" in said.lower()


def not_json(body: bytes, asked: str, status: int, media_type: str) -> str:
    """What to say of an answer that is no JSON: its kind and length, the title of a web page, no other text of it."""
    size = Received(status, body, media_type).size
    return f"LeadPerfection answered {asked} with something that is not JSON ({size}), {_kind(bare(body))}"


def not_json_words(body: bytes) -> str | None:
    """LeadPerfection's own words, unless they are half a record."""
    return None if bare(body).startswith(JSON_BEGINS) else words(body)


def _kind(text: bytes) -> str:
    if text.startswith(JSON_BEGINS):
        return "broken JSON"
    if re.match(rb"<(!doctype )?html", text, re.IGNORECASE):
        title = " ".join(_printable(_TITLE.search(text)).split())
        return f"a web page titled '{title[:TITLE]}'" if title else "a web page without a title"
    first = text[:4].decode("utf-8", "replace")[:1]
    return f"text beginning with {'a letter' if first.isalpha() else 'a digit' if first.isdigit() else 'a sign'}"


def _printable(title: re.Match[bytes] | None) -> str:
    text = html.unescape(title[1].decode("utf-8", "replace")) if title else ""
    return "".join(each if each.isprintable() else " " for each in text)


def check_transient(received: Received, asked: str) -> None:
    """Raise `TransientError` for an HTTP status that may pass: 408, 429, 5xx."""
    said = words(received.body)
    what = f"{asked} was answered with HTTP {received.status}"
    if received.status == httpx.codes.TOO_MANY_REQUESTS:
        raise TransientError("busy", what, said, _wished_pause(received), done_nothing=True)
    if received.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        slow = timed_out(said) or received.status == httpx.codes.GATEWAY_TIMEOUT
        raise TransientError("slow" if slow else "failing", what, said, unanswered=received.status in GATEWAY)
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
            advice = "Lower LP_RATE_PER_MINUTE if this continues"
        case _:
            what, advice = f"LeadPerfection failed: {failure}", "Its words are in sync_runs.error"
    error = SlowQuery if failure.kind == "slow" else LeadPerfectionError
    return error(f"{what}, {spent}. {advice}; {reads_on}", failure.words)


def no_way(failure: PermanentError, host: str) -> LeadPerfectionError:
    """The error for a server that is not asked, because of a proxy or a certificate."""
    return LeadPerfectionError(
        f"LeadPerfection can't be reached at {host}: {failure} Nothing is lost: the next sync reads the gap."
    )


def out_of_time(per_minute: int) -> OutOfTime:
    """The error for what was not asked, or not answered, before the run had to end."""
    return OutOfTime(
        f"The run's time was up before all was done, at LP_RATE_PER_MINUTE={per_minute}. "
        "Nothing is lost: the next run continues. A larger LP_PAGE_SIZE makes fewer requests."
    )


def _other_host(location: str) -> str:
    found = re.match(r"https?://([\w.-]{1,100})", location, re.ASCII)
    return f" to {found[1]}" if found else ""
