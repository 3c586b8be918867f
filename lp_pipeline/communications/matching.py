"""Whom a communication belongs to in LeadPerfection (SPEC C5). Asks the published data, never the warehouse.

The rule stands in `sql/communications/`; here the question is put together from the outbox.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb

from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.publish import ask
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


def addresses(outbox: Outbox, settings: Settings, communications: Sequence[Row]) -> dict[str, Address]:
    """The address of each communication, by its id. Rows need the outbox's columns of a communication."""
    if not communications:
        return {}
    questions = _questions(outbox, communications)
    found = ask(outbox, settings, lambda connection: _answers(connection, questions))
    if found is None:  # nothing was ever read
        return {each.communication_id: Address("not_read" if each.contact_ids else "none") for each in questions}
    return found


def _answers(connection: duckdb.DuckDBPyConnection, questions: Sequence[_Question]) -> dict[str, Address]:
    parameters = {
        "communication_id": [each.communication_id for each in questions],
        "given_contact_ids": [each.contact_ids for each in questions],
        "given_lead_id": [each.lead_id for each in questions],
        "phone": [each.phone for each in questions],
        "email": [each.email for each in questions],
    }
    macro, table = statement("communications/prepare").split(";\n", 1)
    connection.execute(macro)
    connection.execute(table, parameters).fetchall()
    rows = connection.execute(statement("communications/addresses")).fetchall()
    return {communication_id: Address(*found) for communication_id, *found in rows}


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
            (row["email"] or next((each["email"] for each in contacts if each["email"]), None) or "").lower() or None,
        )
    return list(questions.values())
