"""What a Hatch answer says: the contact's id, or why not (contract 1). Bytes in, a value or an error out: no network.
Hatch's own words never enter a message (SPEC R4).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from lp_pipeline.clients.http import Received
from lp_pipeline.clients.json_repair import bare, decoded
from lp_pipeline.clients.retry import PermanentError, TransientError
from lp_pipeline.errors import HatchRefused, HatchStopped, HatchUnavailable

WORDS = 2000  # how much of Hatch's own words is kept
ABOUT_US = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 415, 426})  # of 4xx; the others are about one record

_POINTER = re.compile(r"[\w./~\[\]-]{1,200}", re.ASCII)
_SOURCE_POINTER = re.compile(r"/(data/)?(attributes/)?source", re.IGNORECASE)
_SOURCE_WORD = re.compile(r"(?<![\w./])source\b", re.IGNORECASE)
_OTHER_FIELD = re.compile(r"e-?mail|phone|status|external|details", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One reason that Hatch gives: its words, and a JSON pointer such as `/email` where it has one."""

    words: str
    field: str | None


def contact_id(body: bytes) -> str | None:
    """The id of `{"data":{"id":…}}`; None where there is none."""
    match decoded(body):
        case {"data": {"id": str() | int() as found}} if not isinstance(found, bool):
            return str(found).strip() or None
    return None


def complaints(body: bytes) -> list[Complaint]:
    """The reasons in an answer: a list of errors, or a single one as an object or a text, or by field."""
    match decoded(body):
        case {"errors": dict() | list() | str() as value}:
            return list(_complaints(value))
        case {"detail": str()} | {"message": str()} as value:
            return list(_complaints(value))
        case {"error": dict() | list() | str() as value}:
            return list(_complaints(value))
    return []


def words(body: bytes) -> str:
    """Hatch's own words, for a table only: its reasons where they are found, else the answer as it is."""
    said = "; ".join(each.words for each in complaints(body) if each.words)
    return (said or bare(body).decode("utf-8", "replace"))[:WORDS]


def is_json(body: bytes) -> bool:
    """Whether an answer is JSON at all."""
    return decoded(body, otherwise=...) is not ...


def upsert_refused(status: int, body: bytes, location: str = "") -> HatchRefused | HatchStopped:
    """The error for an upsert that was answered with a status that won't pass: about this record, or about all."""
    found = complaints(body)
    said = words(body)
    if status in ABOUT_US or not 400 <= status < 500:
        return stopped("the upsert", status, said, location, key="HATCH_API_KEY", address="HATCH_API_URL")
    pointers = [each.field for each in found if each.field]
    about_source = any(_SOURCE_POINTER.fullmatch(each) for each in pointers)
    if not pointers:
        about_source = any(_SOURCE_WORD.search(each.words) and not _OTHER_FIELD.search(each.words) for each in found)
    if status == 422 and about_source:
        return HatchStopped(
            "Hatch refused the source of the upsert (HTTP 422). Set HATCH_SOURCE to the API "
            "name of a custom source that exists in your Hatch account (custom:<slug>).",
            said,
        )
    field = pointers[0] if pointers else None
    return HatchRefused(
        f"Hatch refused the upsert of one opportunity (HTTP {status}{f', {field}' if field else ''}); its words are in "
        "hatch_deliveries. Correct the record in LeadPerfection: it is sent again when it changes.",
        said,
        code=status,
        field=field,
    )


def stopped(asked: str, status: int, said: str, location: str, *, key: str, address: str) -> HatchStopped:
    """The error for a status that means our settings; `key` and `address` name those."""
    if 300 <= status < 400:
        host = re.match(r"https?://([\w.-]{1,100})", location, re.ASCII)
        return HatchStopped(
            f"Hatch answered {asked} with a redirect (HTTP {status}{f' to {host[1]}' if host else ''}), which is never "
            f"followed: the key must not go elsewhere. Check {address}.",
            said,
        )
    match status:
        case 401:
            advice = f"the key is not accepted. Set {key} to a valid key of your Hatch account."
        case 403:
            advice = f"the key may not do this. Set {key} to a key with that right, or have Hatch grant it."
        case 404:
            advice = f"there is nothing at this address. Check {address}."
        case 407:
            advice = "a proxy between us and Hatch wants a sign-in. Check HTTPS_PROXY."
        case _:
            advice = f"nothing but a change will help. Check {address} and {key}."
    return HatchStopped(f"Hatch refused {asked} (HTTP {status}): {advice}", said)


def _complaints(value: object) -> Iterator[Complaint]:
    match value:
        case str():
            yield Complaint(value.strip(), None)
        case list():
            for each in value:
                yield from _complaints(each)
        case {"detail": str() as text} | {"message": str() as text} | {"title": str() as text}:
            yield Complaint(text.strip(), _pointer(value))
        case {"source": {"pointer": _}}:
            yield Complaint("", _pointer(value))
        case dict():  # by field: {"email": ["is invalid"]}
            for name, reasons in value.items():
                for each in [reasons] if isinstance(reasons, str) else reasons if isinstance(reasons, list) else []:
                    if isinstance(each, str):
                        yield Complaint(each.strip(), _named(f"/{name}"))


def _pointer(error: object) -> str | None:
    match error:
        case {"source": {"pointer": str() as pointer}}:
            return _named("/" + pointer.removeprefix("#").removeprefix("/"))
    return None


def _named(pointer: str) -> str | None:
    """The pointer, unless it may carry more than the names of fields."""
    return pointer if _POINTER.fullmatch(pointer) and len(pointer) > 1 else None


def check_transient(received: Received, asked: str) -> None:
    """Raise `TransientError` for an HTTP status that may pass: 408, 425, 429, 5xx."""
    status = received.status
    what = f"{asked} was answered with HTTP {status}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise TransientError("busy", what, words(received.body), received.wished_pause)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY):
        raise TransientError("failing", what, words(received.body), received.wished_pause)


def gave_up(failure: TransientError, host: str, spent: str) -> HatchUnavailable:
    """The error for an upsert that kept failing: what was tried, what came back, what to do."""
    later = "othing is lost: it is tried again at the next sync."
    advice = {
        "unreachable": f"Check HATCH_API_URL and the network; n{later}",
        "garbled": f"Check that HATCH_API_URL is Hatch's API address; n{later}",
        "busy": f"Lower HATCH_RATE_PER_MINUTE if this continues; n{later}",
    }.get(failure.kind, f"N{later}")
    return HatchUnavailable(f"{explained(failure, host)}, {spent}. {advice}", failure.words, wait=failure.wish)


def no_way(failure: PermanentError, host: str) -> HatchStopped:
    """The error for a server that is not asked, because of a proxy or a certificate."""
    return HatchStopped(f"Hatch can't be reached at {host}: {failure}")


def explained(failure: TransientError, host: str) -> str:
    """What was tried and what came back, without an end."""
    match failure.kind:
        case "unreachable":
            return f"Hatch could not be reached at {host}: {failure}"
        case "failing" | "silent":
            return f"Hatch failed: {failure}"
        case "slow":
            return f"Hatch timed out: {failure}"
        case "busy":
            return f"Hatch takes no more for now: {failure}"
        case _:
            return str(failure)
