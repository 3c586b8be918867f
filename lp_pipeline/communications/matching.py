"""Finds the prospect, lead and job of a communication (SPEC C5). Asks the published data, never the warehouse.

The rule is in `sql/communications/`; this module gathers its input from the outbox.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from lp_pipeline.clients.contact_points import email_address
from lp_pipeline.clients.leadperfection import feeds
from lp_pipeline.communications.open_push import Address, OpenPush
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.publish import ask
from lp_pipeline.storage.sql import statement

WITHOUT_LEAD = "prospect-"  # begins the id of an opportunity without a lead in Hatch (SPEC D2)


@dataclass(frozen=True)
class _Question:
    communication_id: str
    contact_ids: list[str]
    lead_id: str | None
    phone: str | None
    email: str | None


@dataclass(frozen=True)
class Person:
    """A prospect as a user knows them."""

    external_contact_id: str
    name: str | None = None
    phone: str | None = None
    email: str | None = None


def addressed(outbox: Outbox, settings: Settings, pushes: Sequence[OpenPush]) -> list[OpenPush]:
    """The pushes with their addresses: the fixed one, or else where the communication belongs now."""
    found = addresses(outbox, settings, [push for push in pushes if not push.is_fixed])
    return [push if push.is_fixed else _to(push, found[push.communication_id]) for push in pushes]


def _to(push: OpenPush, found: Address) -> OpenPush:
    return replace(push, address=replace(found, phone=push.phone or found.phone))


def is_read(outbox: Outbox, settings: Settings, external_contact_id: str) -> bool:
    """Whether this prospect has been read."""
    values = {"external_contact_id": external_contact_id}
    query = statement("communications/is_read")
    return bool(ask(outbox, settings, lambda connection: connection.execute(query, values).fetchall()))


def read_until(outbox: Outbox, settings: Settings) -> datetime | None:
    """Until when the published data has what changed in LeadPerfection; None if nothing was ever read."""
    values = {"feeds": [feed.name for feed in feeds(settings) if feed]}
    query = statement("communications/read_until")
    found = ask(outbox, settings, lambda connection: connection.execute(query, values).fetchall())
    return found[0][0] if found else None


def addresses(outbox: Outbox, settings: Settings, pushes: Sequence[OpenPush]) -> dict[str, Address]:
    """Where each communication belongs, by its id; `phone` is the prospect's."""
    if not pushes:
        return {}
    questions = _questions(outbox, pushes)
    found = ask(outbox, settings, lambda connection: _answers(connection, questions))
    if found is None:  # nothing was ever read
        return {each.communication_id: Address("not_read" if each.contact_ids else "none") for each in questions}
    return found


def people(outbox: Outbox, settings: Settings, contact_ids: Sequence[str]) -> dict[str, Person]:
    """How these prospects are called, by id; those that were never read are missing."""
    values, query = {"ids": contact_ids}, statement("communications/people")
    rows = ask(outbox, settings, lambda connection: connection.execute(query, values).fetchall()) if contact_ids else []
    return {row[0]: Person(*row) for row in rows or []}


def searched_by(outbox: Outbox, pushes: Sequence[OpenPush]) -> dict[str, tuple[str | None, str | None]]:
    """The phone and the email address by which each communication's prospect is looked for, by its id."""
    return {each.communication_id: (each.phone, each.email) for each in _questions(outbox, pushes)}


def _answers(connection: duckdb.DuckDBPyConnection, questions: Sequence[_Question]) -> dict[str, Address] | None:
    if not connection.execute(statement("communications/has_contact_points")).fetchall():
        return None  # an older program's copy, which the next sync replaces
    parameters = {
        "communication_id": [each.communication_id for each in questions],
        "given_contact_ids": [each.contact_ids for each in questions],
        "given_lead_id": [each.lead_id for each in questions],
        "phone": [each.phone for each in questions],
        "email": [each.email for each in questions],
    }
    connection.execute(statement("communications/prepare"), parameters).fetchall()
    rows = connection.execute(statement("communications/addresses")).fetchall()
    return {communication_id: Address(*found) for communication_id, *found in rows}


def _questions(outbox: Outbox, pushes: Sequence[OpenPush]) -> list[_Question]:
    contact_ids = sorted({push.contact_id for push in pushes if push.contact_id})
    known: dict[str, list[Row]] = {}
    for row in outbox.rows("known_contacts", {"contact_ids": json.dumps(contact_ids)}):
        known.setdefault(row["hatch_contact_id"], []).append(row)
    questions = {}
    for push in pushes:
        contacts = known.get(push.contact_id or "", [])
        # deliveries come first: the contact history counts only if they don't know the contact
        found = sorted({each["external_contact_id"] for each in contacts if each["source"] == "deliveries"}) or sorted(
            {each["external_contact_id"] for each in contacts if each["external_contact_id"]}
        )
        given = push.external_contact_id
        questions[push.communication_id] = _Question(
            push.communication_id,
            [given] if given else found,
            None if (push.external_id or "").startswith(WITHOUT_LEAD) else push.external_id,
            push.phone or next((each["phone"] for each in contacts if each["phone"]), None),
            email_address(push.email or next((each["email"] for each in contacts if each["email"]), None)),
        )
    return list(questions.values())
