"""Whom a communication belongs to in LeadPerfection (SPEC C5). Reads `published.duckdb` only, never the warehouse.

The rule stands in `sql/communications/`; here the question is put together from the outbox.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lp_pipeline.clients.contact_points import email_address
from lp_pipeline.storage.failures import plainly
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.sql import statement

WITHOUT_LEAD = "prospect-"  # how Hatch knows an opportunity that has no lead (SPEC D2)


@dataclass(frozen=True)
class Address:
    """Where a communication goes; `unmatched` says why it goes nowhere: none, several, not_read."""

    unmatched: str | None = None
    external_contact_id: str | None = None
    external_id: str | None = None
    job_id: str | None = None
    phone: str | None = None
    calls: Collection[Sequence[str | None]] = ()  # that LeadPerfection has shown: wall time and phone


@dataclass(frozen=True)
class _Question:
    communication_id: str
    contact_ids: list[str]
    lead_id: str | None
    phone: str | None
    email: str | None


def addresses(outbox: Outbox, published: Path, communications: Sequence[Row]) -> dict[str, Address]:
    """The address of each communication, by its id. Rows need the outbox's columns of a communication."""
    if not communications:
        return {}
    questions = _questions(outbox, communications)
    if not published.exists() or not _has_contact_points(published):
        return {each.communication_id: Address("not_read" if each.contact_ids else "none") for each in questions}
    with plainly(f"read {published}", if_damaged="The next sync makes it again."):
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
    """Whether this copy knows the forms of phones and e-mails; one that an older program made is soon made again."""
    with (
        plainly(f"read {published}", if_damaged="The next sync makes it again."),
        duckdb.connect(str(published), read_only=True) as connection,
    ):
        found = connection.execute(
            "from duckdb_tables() where schema_name = 'internal' and table_name = 'contact_points'"
        )
        return bool(found.fetchall())


def _questions(outbox: Outbox, communications: Sequence[Row]) -> list[_Question]:
    contact_ids = sorted({row["contact_id"] for row in communications if row["contact_id"]})
    known: dict[str, list[Row]] = {}
    for row in outbox.rows("known_contacts", {"contact_ids": json.dumps(contact_ids)}):
        known.setdefault(row["hatch_contact_id"], []).append(row)
    questions = {}
    for row in communications:
        contacts = known.get(row["contact_id"], [])
        # deliveries come first: where they know the contact, its history is not asked
        found = sorted({each["external_contact_id"] for each in contacts if each["source"] == "deliveries"}) or sorted(
            {each["external_contact_id"] for each in contacts if each["external_contact_id"]}
        )
        given = row["external_contact_id"]
        questions[row["communication_id"]] = _Question(
            row["communication_id"],
            [given] if given else found,
            None if (row["external_id"] or "").startswith(WITHOUT_LEAD) else row["external_id"],
            row["phone"] or next((each["phone"] for each in contacts if each["phone"]), None),
            email_address(row["email"] or next((each["email"] for each in contacts if each["email"]), None)),
        )
    return list(questions.values())
