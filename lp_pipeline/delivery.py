"""Delivers opportunities to Hatch (SPEC D1 to D3).

Belongs here: the order, the ledger, and how failures are handled. Not here: which opportunities are due
(`sql/delivery/`), the request body (`clients/hatch/`).
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec

from lp_pipeline.clients.hatch import HatchClient, Opportunity, Upsert, upsert_body
from lp_pipeline.errors import HatchRefused, HatchStopped, HatchUnavailable, SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.storage import warehouse as database
from lp_pipeline.storage.contents import objects
from lp_pipeline.storage.outbox import Outbox, iso, run
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import Warehouse

THREADS = 8
UNAVAILABLE = 3  # consecutive unavailable upserts after which this run stops calling Hatch
NOW = "9999"  # sorts after every time in the ledger

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

    @property
    def notes(self) -> list[str]:
        """Notes for the ledger: omitted fields, overwrites."""
        return [*self.upsert.omitted, *(["overwrites_another_in_hatch"] if self.overwrites else [])]


def deliver(
    warehouse: Warehouse,
    outbox: Outbox,
    client: HatchClient,
    settings: Settings,
    on_progress: Callable[[int], None] = lambda _number: None,
) -> DeliveryReport:
    """Send the due opportunities to Hatch: several contacts in parallel, each in order, the current opportunity last.

    Hatch errors go into the report, not to the caller; what was not sent stays due.
    """
    return _Round(warehouse, outbox, client, settings, on_progress).run()


def ask_for(warehouse: Warehouse, settings: Settings, since: datetime, sync_id: int) -> None:
    """Mark everything that changed since then as due, at the user's request (SPEC D1)."""
    variables = {"since": since, "now_at": settings.now(), "sync_id": sync_id}
    with warehouse.transaction(variables) as connection:
        database.run(connection, "delivery/ask_for")


class _Round:
    def __init__(
        self,
        warehouse: Warehouse,
        outbox: Outbox,
        client: HatchClient,
        settings: Settings,
        on_progress: Callable[[int], None],
    ) -> None:
        self._warehouse = warehouse
        self._outbox = outbox
        self._client = client
        self._settings = settings
        self._on_progress = on_progress
        self._report = DeliveryReport()
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._answered = 0
        self._failures = 0  # consecutive
        self._settled: list[str] = []

    def run(self) -> DeliveryReport:
        with self._warehouse.connection() as connection:
            result = connection.execute(statement("delivery/due"))
            names = [column[0] for column in result.description]
            due = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        contacts = [list(rows) for _, rows in groupby(due, key=lambda row: row["external_contact_id"])]
        if not contacts:
            return self._report
        try:
            with ThreadPoolExecutor(THREADS) as pool:
                for _ in pool.map(
                    self._contact, contacts
                ):  # after an error, contacts that have not started are skipped
                    pass
        finally:
            self._settle()
        return self._report

    def _contact(self, rows: Sequence[dict[str, Any]]) -> None:
        contact = rows[0]["external_contact_id"]
        ledger = {
            (each["external_contact_id"], each["external_id"], each["external_created_local"]): each
            for each in self._outbox.rows("deliveries", {"contact_ids": json.dumps([contact])})
        }
        is_known = any(each["delivered_at"] for each in ledger.values())
        reordered_at = iso(rows[0]["reordered_at"]) if rows[0]["reordered_at"] else None
        sent_at = ""  # when an earlier one of this contact was last sent
        for place, row in enumerate(rows):
            delivery = _delivery(row, self._settings.hatch_source, ledger)
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
                self._count("known", row["is_due"])
            elif known and delivery.upsert.digest == known["delivered_digest"] and not again:
                if known["state"] != "delivered":
                    self._record(delivery, "known")
                self._count("known", row["is_due"])
            elif not again and (not row["is_due"] or (row["is_history"] and not delivered_at)):
                continue
            elif not delivery.upsert.reachable:
                self._record(delivery, "unreachable")
                self._count("unreachable")
            elif answer := self._send(delivery):
                sent_at = NOW if answer == "delivered" else sent_at
            else:
                self._count("waiting", max(1, sum(each["is_due"] for each in rows[place:])))
                return  # keep the order: the rest waits, and the contact stays due
        with self._lock:
            self._settled.append(contact)

    def _send(self, delivery: Delivery) -> str | None:
        """Returns "delivered" or "refused"; None if it was not sent or Hatch did not answer."""
        if self._end.is_set():
            return None
        answered_before = self._answered
        try:
            hatch_contact_id = self._client.upsert(delivery.upsert.body)
        except HatchRefused as refusal:
            answer = "refused"
            self._record(delivery, answer, refusal=refusal)
            with self._lock:
                self._report.refused[f"{refusal.code} {refusal.field or '(no field named)'}"] += 1
        except (HatchStopped, SettingsError) as stop:
            self._end.set()
            self._report.stopped = str(stop)
            return None
        except HatchUnavailable as error:
            with self._lock:
                self._report.unavailable = str(error)
                if self._answered == answered_before:  # otherwise Hatch is up and only this record fails
                    self._failures += 1
                if self._failures >= UNAVAILABLE:
                    self._end.set()
            return None
        else:
            answer = "delivered"
            self._record(delivery, answer, hatch_contact_id=hatch_contact_id)
            with self._lock:
                self._report.delivered += 1
                self._report.omitted.update(delivery.notes)
                self._on_progress(self._report.delivered)
        with self._lock:
            self._answered += 1
            self._failures = 0
        return answer

    def _record(
        self,
        delivery: Delivery,
        state: str,
        *,
        hatch_contact_id: str | None = None,
        refusal: HatchRefused | None = None,
    ) -> None:
        contact, lead, created = delivery.key
        values = {
            "external_contact_id": contact,
            "external_id": lead,
            "external_created_local": created,
            "state": state,
            "digest": delivery.upsert.digest,
            "content": msgspec.json.encode(delivery.upsert.body).decode(),
            "hatch_contact_id": hatch_contact_id,
            "error_code": refusal.code if refusal else None,
            "error_field": refusal.field if refusal else None,
            "words": refusal.words if refusal else None,
            "notes": json.dumps(delivery.notes),
            "now": iso(self._settings.now()),
        }
        with self._outbox.transaction() as connection:
            run(connection, "know_delivery" if state == "known" else "record_delivery", values)

    def _count(self, outcome: str, by: int = 1) -> None:
        with self._lock:
            setattr(self._report, outcome, getattr(self._report, outcome) + by)

    def _settle(self) -> None:
        """Runs after the ledger is written: if killed in between, the next run sends nothing twice."""
        if self._settled:
            with self._warehouse.transaction({"contact_ids": self._settled}) as connection:
                database.run(connection, "delivery/settle")


def _delivery(row: dict[str, Any], source: str, ledger: dict[Key, Any]) -> Delivery:
    key = (row["external_contact_id"], row["external_id"] or "", row["external_created_local"].isoformat(" "))
    record, older, lead_record = (
        row[name].encode() if row[name] else b"" for name in ("prospect_record", "older_keys", "lead_record")
    )
    prospect, lead = objects(record, older, lead_record, row["lead_place"])
    opportunity = Opportunity(**{name: row[name] for name in COLUMNS}, prospect=prospect, lead=lead)
    overwrites = any(known[:2] == key[:2] and known != key and each["delivered_at"] for known, each in ledger.items())
    return Delivery(key, upsert_body(opportunity, source), overwrites)


COLUMNS = tuple(each.name for each in fields(Opportunity) if each.name not in ("prospect", "lead"))
