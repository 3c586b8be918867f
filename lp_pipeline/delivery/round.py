"""Which of the opportunities that are due have to be sent to Hatch, and in which order (SPEC D1, D3).

Decided from the rows and the ledger alone. What sending is, and what is written down, differs: `deliver`, `dry_run`.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from lp_pipeline.clients.hatch import Opportunity, Upsert, upsert_body
from lp_pipeline.storage.contents import objects
from lp_pipeline.storage.outbox import Outbox, iso
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import rows_of

NOW = "9999"  # sorts after every time in the ledger
Row = dict[str, Any]

_decode = msgspec.json.Decoder(float_hook=Decimal).decode

Key = tuple[str, str, str]  # contact, lead or "", External Created At on LP's wall clock


@dataclass
class DeliveryReport:
    """The counts of one delivery, and what stopped it, if anything."""

    delivered: int = 0
    known: int = 0  # Hatch already has this content, or rejected it before
    unreachable: int = 0
    waiting: int = 0  # left for a later run
    refused: Counter[str] = field(default_factory=Counter)  # by code and field
    omitted: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None  # someone has to fix a setting
    unavailable: str | None = None  # temporary failure


@dataclass(frozen=True)
class Delivery:
    """One opportunity to send."""

    key: Key
    upsert: Upsert
    overwrites: bool  # Hatch has this opportunity under another External Created At
    updates: bool  # Hatch has it

    @property
    def notes(self) -> list[str]:
        """Notes for the ledger: omitted fields, overwrites."""
        return [*self.upsert.omitted, *(["overwrites_another_in_hatch"] if self.overwrites else [])]


def due(connection: Any) -> list[Row]:
    """What is due, and the current opportunity of each contact of it; a contact's rows next to each other."""
    return rows_of(connection, statement("delivery/due"))


class Round:
    """Works through the rows that are due, contact by contact: several in parallel, each in order."""

    def __init__(self, outbox: Outbox, source: str, *, threads: int) -> None:
        self._outbox = outbox
        self._source = source
        self._threads = threads
        self.report = DeliveryReport()
        self.lock = threading.Lock()
        self.settled: list[str] = []  # contacts of which nothing is left to do

    def send(self, delivery: Delivery) -> str | None:
        """Returns "delivered" or "refused"; None if it was not sent or Hatch did not answer."""
        raise NotImplementedError

    def record(self, delivery: Delivery, state: str) -> None:
        """Write down that this is `known` to Hatch already, or `unreachable`."""
        raise NotImplementedError

    def go_through(self, rows: Iterable[Row]) -> None:
        """Each contact's rows in order; after an error, contacts that have not started are skipped."""
        contacts = [list(each) for _, each in groupby(rows, key=lambda row: row["external_contact_id"])]
        with ThreadPoolExecutor(self._threads) as pool:
            for _ in pool.map(self._contact, contacts):
                pass

    def count(self, outcome: str, by: int = 1) -> None:
        """Add to one of the report's numbers."""
        with self.lock:
            setattr(self.report, outcome, getattr(self.report, outcome) + by)

    def _contact(self, rows: Sequence[Row]) -> None:
        contact = rows[0]["external_contact_id"]
        ledger = {
            (each["external_contact_id"], each["external_id"], each["external_created_local"]): each
            for each in self._outbox.rows("deliveries", {"contact_ids": json.dumps([contact])})
        }
        is_known = any(each["delivered_at"] for each in ledger.values())
        reordered_at = iso(rows[0]["reordered_at"]) if rows[0]["reordered_at"] else None
        sent_at = ""  # when an earlier one of this contact was last sent
        for place, row in enumerate(rows):
            delivery = _delivery(row, self._source, ledger)
            known = ledger.get(delivery.key)
            delivered_at = (known and known["delivered_at"]) or ""
            # the current opportunity must be sent last, also after an interrupted run
            again = (
                row["is_current"]
                and is_known
                and ("" < delivered_at < sent_at or (reordered_at is not None and delivered_at <= reordered_at))
            )
            sent_at = max(sent_at, delivered_at)
            if known and delivery.upsert.digest == known["refused_digest"]:
                self.count("known", row["is_due"])
            elif known and delivery.upsert.digest == known["delivered_digest"] and not again:
                if known["state"] != "delivered":
                    self.record(delivery, "known")
                self.count("known", row["is_due"])
            elif not again and (not row["is_due"] or (row["is_history"] and not delivered_at)):
                continue
            elif not delivery.upsert.reachable:
                self.record(delivery, "unreachable")
                self.count("unreachable")
            elif answer := self.send(delivery):
                sent_at = NOW if answer == "delivered" else sent_at
            else:
                self.count("waiting", max(1, sum(each["is_due"] for each in rows[place:])))
                return  # keep the order: the rest waits, and the contact stays due
        with self.lock:
            self.settled.append(contact)


def _delivery(row: dict[str, Any], source: str, ledger: dict[Key, Any]) -> Delivery:
    key = (row["external_contact_id"], row["external_id"] or "", row["external_created_local"].isoformat(" "))
    record, older, lead_record = (
        row[name].encode() if row[name] else b"" for name in ("prospect_record", "older_keys", "lead_record")
    )
    prospect, lead = objects(record, older, lead_record, row["lead_place"])
    opportunity = Opportunity(**{name: row[name] for name in COLUMNS}, prospect=prospect, lead=lead)
    overwrites = any(known[:2] == key[:2] and known != key and each["delivered_at"] for known, each in ledger.items())
    known = ledger.get(key)
    return Delivery(key, upsert_body(opportunity, source), overwrites, bool(known and known["delivered_at"]))


COLUMNS = tuple(each.name for each in fields(Opportunity) if each.name not in ("prospect", "lead"))
