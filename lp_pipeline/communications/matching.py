"""Finds the prospect, lead and job of a communication (SPEC C5). Reads `published.duckdb` only, never the warehouse.

The rule is in `sql/communications/`; this module gathers its input from the outbox.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from lp_pipeline.clients.contact_points import email_address
from lp_pipeline.communications.open_push import Address, OpenPush
from lp_pipeline.storage.failures import plainly
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.sql import statement

WITHOUT_LEAD = "prospect-"  # begins the id of an opportunity without a lead in Hatch (SPEC D2)


@dataclass(frozen=True)
class _Question:
    communication_id: str
    contact_ids: list[str]
    lead_id: str | None
    phone: str | None
    email: str | None


def addressed(outbox: Outbox, published: Path, pushes: Sequence[OpenPush]) -> list[OpenPush]:
    """The pushes with their addresses: the fixed one, or else where the communication belongs now."""
    found = addresses(outbox, published, [push for push in pushes if not push.is_fixed])
    return [push if push.is_fixed else _to(push, found[push.communication_id]) for push in pushes]


def _to(push: OpenPush, found: Address) -> OpenPush:
    return replace(push, address=replace(found, phone=push.phone or found.phone))


def is_read(published: Path, external_contact_id: str) -> bool:
    """Whether this prospect has been read and published."""
    if not published.exists():
        return False
    values = {"external_contact_id": external_contact_id}
    with (
        plainly(f"read {published}", if_damaged="The next sync rebuilds it."),
        duckdb.connect(str(published), read_only=True) as connection,
    ):
        return bool(connection.execute(statement("communications/is_read"), values).fetchall())


def addresses(outbox: Outbox, published: Path, pushes: Sequence[OpenPush]) -> dict[str, Address]:
    """Where each communication belongs, by its id; `phone` is the prospect's."""
    if not pushes:
        return {}
    questions = _questions(outbox, pushes)
    if not published.exists() or not _has_contact_points(published):
        return {each.communication_id: Address("not_read" if each.contact_ids else "none") for each in questions}
    with plainly(f"read {published}", if_damaged="The next sync rebuilds it."):
        connection = duckdb.connect(str(published), read_only=True)
        try:
            parameters = {
                "communication_id": [each.communication_id for each in questions],
                "given_contact_ids": [each.contact_ids for each in questions],
                "given_lead_id": [each.lead_id for each in questions],
                "phone": [each.phone for each in questions],
                "email": [each.email for each in questions],
            }
            connection.execute(statement("communications/prepare"), parameters).fetchall()
            rows = connection.execute(statement("communications/addresses")).fetchall()
        finally:
            connection.close()
    return {communication_id: Address(*found) for communication_id, *found in rows}


def _has_contact_points(published: Path) -> bool:
    """Whether this copy knows the normal forms of phones and e-mails; an older program's copy is soon replaced."""
    with (
        plainly(f"read {published}", if_damaged="The next sync rebuilds it."),
        duckdb.connect(str(published), read_only=True) as connection,
    ):
        found = connection.execute(
            "from duckdb_tables() where schema_name = 'internal' and table_name = 'contact_points'"
        )
        return bool(found.fetchall())


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
