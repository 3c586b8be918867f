"""Hatch's contacts, their opportunities (stored as the upserts that created them), and the rows of its exports.

Belongs here: matching, storing, listing. Not here: responses (api.py, export.py), generated conversations
(conversations.py).
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lp_pipeline.sandbox.world.stamps import Record
from lp_pipeline.sandbox.world.store import World

TIME_COLUMNS = ("occurred_at", "sent_at", "created_at", "inserted_at", "timestamp", "updated_at")
ORGANIZATION = {"organization_id": "5a7c2f7e-6c1a-5b5e-9d07-0e6d5b0c1a01", "organization_name": "Elm Street Exteriors"}
WORKSPACE = {"workspace_id": "5a7c2f7e-6c1a-5b5e-9d07-0e6d5b0c1a02", "workspace_name": "Capital Region"}
ADD = {  # a row of an export, by its data source
    "conversation_items": "insert into communications (day, made, item) values (?, ?, ?)",
    "contact_history": "insert into contact_history (day, made, item) values (?, ?, ?)",
}
FIND = {
    "conversation_items": "select made, item from communications where day between ? and ? order by day, id",
    "contact_history": "select made, item from contact_history where day between ? and ? order by day, id",
}


@dataclass(frozen=True)
class Contact:
    """A contact in Hatch."""

    id: str
    external_contact_id: str | None
    phone: str | None
    email: str | None


def upsert(world: World, body: Record, instant: datetime) -> str:
    """Apply an upsert to the contact with the same phone, else the same email, else a new one; returns its id."""
    with world.writing():
        known = _match(world, body.get("phoneNumber"), body.get("email"))
        contact = Contact(
            known.id if known else str(uuid.uuid4()),
            body.get("externalContactID") or (known.external_contact_id if known else None),
            body.get("phoneNumber") or (known.phone if known else None),
            body.get("email") or (known.email if known else None),
        )
        if known is None:
            enter(world, contact, instant)
        elif contact != known:
            values = (contact.external_contact_id, contact.phone, contact.email, contact.id)
            world.run("update contacts set external_contact_id = ?, phone = ?, email = ? where id = ?", values)
            _remember(world, contact, instant)
        world.run(
            "insert into upserts (contact_id, external_id, body) values (?, ?, ?)",
            (contact.id, body.get("externalID"), json.dumps(body, ensure_ascii=False)),
        )
    return contact.id


def enter(world: World, contact: Contact, instant: datetime, place: int | None = None) -> None:
    """Insert a new contact; initial contacts have a `place`."""
    world.run(
        "insert into contacts (id, external_contact_id, phone, email, place) values (?, ?, ?, ?, ?)",
        (contact.id, contact.external_contact_id, contact.phone, contact.email, place),
    )
    _remember(world, contact, instant)


def _match(world: World, phone: str | None, email: str | None) -> Contact | None:
    for statement, value in (
        ("select id, external_contact_id, phone, email from contacts where phone = ? order by number limit 1", phone),
        ("select id, external_contact_id, phone, email from contacts where email = ? order by number limit 1", email),
    ):
        if found := world.select(statement, (value,)):
            return Contact(*found[0])
    return None


def _remember(world: World, contact: Contact, instant: datetime) -> None:
    row: Record = {**ORGANIZATION, **WORKSPACE, "hatch_contact_id": contact.id}
    row |= {"external_contact_id": contact.external_contact_id, "email": contact.email, "phone": contact.phone}
    add_row(world, "contact_history", row | {"updated_at": iso(instant)}, instant)


def listed(world: World) -> list[Record]:
    """All contacts with their opportunities as last upserted, the most recent one last."""
    opportunities: dict[str, dict[object, Record]] = {}
    for number, contact_id, external_id, body in world.select("select * from upserts order by id"):
        own = opportunities.setdefault(contact_id, {})
        key = number if external_id is None else external_id
        own.pop(key, None)
        own[key] = json.loads(body)
    found = world.select("select id, external_contact_id, phone, email from contacts order by number")
    return [
        {**vars(contact), "opportunities": list(opportunities.get(contact.id, {}).values())}
        for contact in (Contact(*row) for row in found)
    ]


def upserts(world: World) -> list[Record]:
    """The bodies of all accepted upserts, in order."""
    return [json.loads(body) for (body,) in world.select("select body from upserts order by id")]


def add_row(world: World, source: str, row: Record, instant: datetime, *, made: bool = True) -> None:
    """Add a row to the exports, on the day of `instant` in the sandbox's zone."""
    day = instant.astimezone(world.zone).date().isoformat()
    world.run(ADD[source], (day, made, json.dumps(row, ensure_ascii=False)))


def put_row(world: World, source: str, row: Record, now: datetime) -> None:
    """Add a given row to the exports unchanged; its day comes from the first time column it has, else from `now`."""
    columns = (world.switches()["export_time_column"], *TIME_COLUMNS)
    moments = (moment for name in columns if (moment := _moment(row.get(name))))
    add_row(world, source, row, next(moments, now), made=False)


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def exported(world: World, source: str, days: Sequence[str], time_column: str) -> list[str]:
    """The rows between two days as JSON lines; generated rows have their time in `time_column`."""
    lines = []
    for made, item in world.select(FIND[source], days):
        if made and source == "conversation_items" and time_column != "occurred_at":
            row = {time_column if name == "occurred_at" else name: value for name, value in json.loads(item).items()}
            lines.append(json.dumps(row, ensure_ascii=False))
        else:
            lines.append(item)
    return lines


def iso(instant: datetime) -> str:
    """A datetime in Hatch's format."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
