"""One opportunity as the JSON body of Hatch's upsert (SPEC D2, contract 1): a pure function. What is sent, when, and in
which order is decided elsewhere.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from lp_pipeline.clients.contact_points import is_valid_phone
from lp_pipeline.clients.json_values import text_of
from lp_pipeline.clients.lp_dates import SENTINEL

Note = Literal["phone_invalid", "phone_shared", "email_invalid"]

NEVER_SENT = frozenset({"notes", "calls"})  # our own pushes would echo
MAPPED = frozenset(
    {
        "prospect.cst_id",
        "prospect.dateadded",
        "prospect.email",
        "prospect.firstname",
        "prospect.lastname",
        "prospect.phone1",
        "lead.id",
        "lead.disposition",
    }
)  # what the body's own fields carry; of the change stamps only the one that won is among them

_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Opportunity:
    """What of an opportunity goes to Hatch: J3's columns, and both objects as content in lower-case keys (SPEC F1)."""

    external_contact_id: str
    external_id: str | None
    external_created_at: datetime  # aware
    external_updated_at: datetime  # aware
    external_updated_at_source: str  # a path of J3, such as lead.jobs[0].contractdate
    email: str | None  # as LeadPerfection writes it, like the phone
    first_name: str | None
    last_name: str | None
    phone: str | None
    status: str | None
    email_address: str | None  # the normal form (SPEC J8); None if there is none
    phone_numbers: Sequence[str]  # ten digits each, in order
    shared_numbers: Collection[str]  # those of them that more than five contacts have
    prospect: Mapping[str, Any]  # without its leads
    lead: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Upsert:
    """A body, and what is to be known about it."""

    body: dict[str, Any]
    omitted: tuple[Note, ...]  # what went out as null, and why
    reachable: bool  # False if neither phone nor e-mail is left: never to be sent
    digest: str  # 32 hexadecimal digits, the same for the same body


def upsert_body(opportunity: Opportunity, source: str) -> Upsert:
    """The body under which Hatch knows this opportunity; `source` is the API name of a custom source (SPEC D2).

    Raises `ValueError` if one of its two times has no offset.
    """
    phone = next(filter(is_valid_phone, opportunity.phone_numbers), None)
    email = opportunity.email_address
    omitted: list[Note] = []
    if phone is None and _text(opportunity.phone):
        omitted.append("phone_invalid")
    if phone in opportunity.shared_numbers:
        omitted.append("phone_shared")
        phone = None
    if email is None and _text(opportunity.email):
        omitted.append("email_invalid")
    contact = _text(opportunity.external_contact_id)
    body = {
        "source": source,
        "externalID": _text(opportunity.external_id) or f"prospect-{contact}",
        "externalContactID": contact,
        "externalCreatedAt": _instant(opportunity.external_created_at),
        "externalUpdatedAt": _instant(opportunity.external_updated_at),
        "firstName": _text(opportunity.first_name),
        "lastName": _text(opportunity.last_name),
        "status": _text(opportunity.status),
        "email": email,
        "phoneNumber": phone,
        "details": details(opportunity.prospect, opportunity.lead, opportunity.external_updated_at_source),
    }
    digest = blake2b(_encode(body), digest_size=16).hexdigest()
    return Upsert(body, tuple(omitted), phone is not None or email is not None, digest)


def details(prospect: Mapping[str, Any], lead: Mapping[str, Any] | None, updated_at_source: str) -> dict[str, str]:
    """Every other field of both objects by its path, as text: `{"lead.jobs[0].jobstatus": "New"}` (SPEC D2).

    Left out are missing values, `notes` and `calls` at any depth, and what the body's own fields carry.
    """
    carried = MAPPED | {updated_at_source.lower()}
    found: dict[str, str] = {}
    for path, text in _fields({"prospect": prospect, "lead": lead or {}}, ""):
        if path not in carried:
            found.setdefault(path, text)
    return dict(sorted(found.items()))


def _fields(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case Mapping():
            for name in sorted(value):
                key = (_text(name) or "").lower()
                if key not in NEVER_SENT:
                    yield from _fields(value[name], f"{path}.{key}" if path else key)
        case list() | tuple():
            for place, element in enumerate(value):
                yield from _fields(element, f"{path}[{place}]")
        case _:
            text = _text(value)
            if text is not None and not SENTINEL.fullmatch(text):
                yield path, text


def _text(value: object) -> str | None:
    """Trimmed text that JSON can carry; None for what is missing."""
    return (text_of(value) or "").encode("utf-8", "replace").decode() or None


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a time without an offset is no instant")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
