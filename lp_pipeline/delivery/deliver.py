"""Delivers opportunities to Hatch (SPEC D1 to D3): sends them, keeps the ledger, and handles failures.

Not here: which ones are due (`sql/delivery/`), which of them are sent in which order (`round`), the request body
(`clients/hatch/`).
"""

import json
import threading
from collections.abc import Callable
from datetime import datetime

import msgspec

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.delivery.round import Delivery, DeliveryReport, Round, due
from lp_pipeline.errors import HatchRefused, HatchStopped, HatchUnavailable, SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.storage import warehouse as database
from lp_pipeline.storage.outbox import Outbox, iso, run
from lp_pipeline.storage.warehouse import Warehouse

THREADS = 8
UNAVAILABLE = 3  # consecutive unavailable upserts after which this run stops calling Hatch


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
    return _Sending(warehouse, outbox, client, settings, on_progress).run()


def ask_for(warehouse: Warehouse, settings: Settings, since: datetime, sync_id: int) -> None:
    """Mark everything that changed since then as due, at the user's request (SPEC D1)."""
    variables = {"since": since, "now_at": settings.now(), "sync_id": sync_id}
    with warehouse.transaction(variables) as connection:
        database.run(connection, "delivery/ask_for")


class _Sending(Round):
    def __init__(
        self,
        warehouse: Warehouse,
        outbox: Outbox,
        client: HatchClient,
        settings: Settings,
        on_progress: Callable[[int], None],
    ) -> None:
        super().__init__(outbox, settings.hatch_source, threads=THREADS)
        self._warehouse = warehouse
        self._outbox = outbox
        self._client = client
        self._settings = settings
        self._on_progress = on_progress
        self._end = threading.Event()
        self._answered = 0
        self._failures = 0  # consecutive

    def run(self) -> DeliveryReport:
        """Send what is due; the report."""
        with self._warehouse.connection() as connection:
            rows = due(connection)
        try:
            self.go_through(rows)
        finally:
            self._settle()
        return self.report

    def send(self, delivery: Delivery) -> str | None:
        """Returns "delivered" or "refused"; None if it was not sent or Hatch did not answer."""
        if self._end.is_set():
            return None
        answered_before = self._answered
        try:
            hatch_contact_id = self._client.upsert(delivery.upsert.body)
        except HatchRefused as refusal:
            answer = "refused"
            self.record(delivery, answer, refusal=refusal)
            with self.lock:
                self.report.refused[f"{refusal.code} {refusal.field or '(no field named)'}"] += 1
        except (HatchStopped, SettingsError) as stop:
            self._end.set()
            self.report.stopped = str(stop)
            return None
        except HatchUnavailable as error:
            with self.lock:
                self.report.unavailable = str(error)
                if self._answered == answered_before:  # otherwise Hatch is up and only this record fails
                    self._failures += 1
                if self._failures >= UNAVAILABLE:
                    self._end.set()
            return None
        else:
            answer = "delivered"
            self.record(delivery, answer, hatch_contact_id=hatch_contact_id)
            with self.lock:
                self.report.delivered += 1
                self.report.omitted.update(delivery.notes)
                self._on_progress(self.report.delivered)
        with self.lock:
            self._answered += 1
            self._failures = 0
        return answer

    def record(
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

    def _settle(self) -> None:
        """Runs after the ledger is written: if killed in between, the next run sends nothing twice."""
        if self.settled:
            with self._warehouse.transaction({"contact_ids": self.settled}) as connection:
                database.run(connection, "delivery/settle")
