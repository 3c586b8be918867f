"""One communication, or one line of the contact history, as Hatch's export shows it and as the inbox takes it (contract
2, SPEC C1, C2): JSON in, a typed record out, or what is wrong with it. Whom it concerns is found elsewhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lp_pipeline.clients.contact_points import first_phone
from lp_pipeline.clients.hatch.values import instant, links, seconds, text_of
from lp_pipeline.clients.json_repair import json_object, json_text

Channel = Literal["text", "email", "call", "message"]
Direction = Literal["inbound", "outbound"]

# The names of these columns are not published; what can't be read in them is passed over.
ACTOR_NAMES = ("actor_name", "user_name")
DURATIONS = ("duration_seconds", "duration", "call_duration_seconds", "call_duration", "duration_in_seconds")
LINKS = (
    *("recording_url", "recording_urls", "call_recording_url", "recording", "recordings", "voicemail_url", "voicemail"),
    *("media_url", "media_urls", "media", "attachment_url", "attachment_urls", "attachment", "attachments"),
)

CHANNELS: tuple[tuple[Channel, frozenset[str]], ...] = (
    ("text", frozenset({"sms", "mms", "text", "texts"})),
    ("email", frozenset({"email", "emails", "mail"})),
    ("call", frozenset({"call", "calls", "voice", "phone", "phonecall", "voicemail"})),
)
DIRECTIONS: dict[str, Direction] = {
    **dict.fromkeys(("inbound", "incoming", "in"), "inbound"),
    **dict.fromkeys(("outbound", "outgoing", "out"), "outbound"),
}


@dataclass(frozen=True, slots=True)
class Communication:
    """A text, e-mail, call or other message. What Hatch doesn't say is None."""

    id: str
    contact_id: str | None  # Hatch's
    external_contact_id: str | None
    external_id: str | None
    phone: str | None  # ten digits
    email: str | None
    channel: Channel
    category: str | None  # in Hatch's words, like the next one
    type: str | None
    direction: Direction | None
    actor_type: str | None
    actor_name: str | None
    body: str | None
    delivery_status: str | None
    occurred_at: datetime  # UTC
    duration_seconds: int | None
    links: tuple[str, ...]  # https only
    record: str  # as received, JSON


@dataclass(frozen=True, slots=True)
class ContactHistory:
    """Which LeadPerfection contact a Hatch contact is, as far as Hatch knows."""

    hatch_contact_id: str
    external_contact_id: str | None
    email: str | None
    phone: str | None  # ten digits
    updated_at: datetime | None  # UTC


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that can't be used; `reason` names the columns and says what is wrong, without values (SPEC R4)."""

    reason: str
    record: str  # JSON; a line that is none, as a JSON string


class _Columns:
    """The columns of one record, and what was found wrong with them."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields
        self.problems: list[str] = []

    def text(self, name: str, *, required: bool = False) -> str | None:
        """A text; a number will do, anything else is a problem."""
        value = self._fields.get(name)
        found = text_of(value)
        if found is None and value is not None and not isinstance(value, str):
            self.problems.append(f"{name} must be text, not {_KINDS.get(type(value), 'this')}")
        elif found is None and required:
            self.problems.append(f"{name} is missing")
        return found

    def time(self, names: Iterable[str]) -> datetime | None:
        """The first of these columns that holds a time; it is a problem if none does."""
        wanted = [name.strip().lower() for name in names]
        for name in wanted:
            if found := instant(self._fields.get(name)):
                return found
        there = [name for name in wanted if self._fields.get(name) not in (None, "")]
        if there:
            self.problems.append(f"no readable time in {', '.join(there)}: an ISO 8601 time is wanted")
        else:
            self.problems.append(f"no time: none of {', '.join(wanted)} is there")
        return None

    def every(self, names: Iterable[str]) -> list[Any]:
        """The values of those of these columns that are there."""
        return [self._fields[name] for name in names if self._fields.get(name) is not None]


def communication(line: bytes, time_columns: Sequence[str]) -> Communication | Malformed:
    """Read one JSON object; columns are found whatever their case, unknown ones are kept in `record` and ignored.

    Its time is the first of `time_columns` that holds one. Never raises.
    """
    found = json_object(line)
    if found is None:
        return Malformed("it is no JSON object", json_text(line))
    columns = _Columns(found.fields)
    identity = columns.text("id", required=True)
    occurred_at = columns.time(time_columns)
    category, kind = columns.text("category"), columns.text("type")
    direction = columns.text("direction")
    texts = {name: columns.text(name) for name in ("contact_id", "external_contact_id", "external_id", "email")}
    phone = columns.text("phone")
    body, actor_type, status = columns.text("body"), columns.text("actor_type"), columns.text("delivery_status")
    if columns.problems or identity is None or occurred_at is None:
        return Malformed("; ".join(columns.problems), found.text)
    return Communication(
        id=identity,
        **texts,
        phone=first_phone(phone),
        channel=channel(category or kind),
        category=category,
        type=kind,
        direction=DIRECTIONS.get((direction or "").lower()),
        actor_type=actor_type,
        actor_name=next((name for each in columns.every(ACTOR_NAMES) if (name := text_of(each))), None),
        body=body,
        delivery_status=status,
        occurred_at=occurred_at,
        duration_seconds=next(
            (length for each in columns.every(DURATIONS) if (length := seconds(each)) is not None), None
        ),
        links=links(*columns.every(LINKS)),
        record=found.text,
    )


def contact_history(line: bytes) -> ContactHistory | Malformed:
    """Read one line of the contact history. Never raises."""
    found = json_object(line)
    if found is None:
        return Malformed("it is no JSON object", json_text(line))
    columns = _Columns(found.fields)
    identity = columns.text("hatch_contact_id", required=True)
    external, email, phone = (columns.text(name) for name in ("external_contact_id", "email", "phone"))
    if columns.problems or identity is None:
        return Malformed("; ".join(columns.problems), found.text)
    return ContactHistory(identity, external, email, first_phone(phone), instant(found.fields.get("updated_at")))


def channel(category: str | None) -> Channel:
    """The kind of communication that Hatch's category means: sms and mms are texts, what is unknown is a message."""
    tokens = set(re.findall(r"[a-z]+", (category or "").lower().replace("-", "")))
    return next((name for name, words in CHANNELS if tokens & words), "message")


_KINDS: dict[type, str] = {bool: "true or false", list: "a list", dict: "an object"}
