"""Shows exactly what a delivery would send to Hatch. Nothing is sent, and nothing is written down."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from lp_pipeline.delivery.round import Delivery, DeliveryReport, Round, due
from lp_pipeline.settings import Settings
from lp_pipeline.storage import warehouse as database
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.warehouse import Warehouse

NOTES = {
    "phone_invalid": "without the phone number, which is not a valid one",
    "phone_shared": "without the phone number, which more than five contacts have",
    "email_invalid": "without the email, which is not an address",
    "overwrites_another_in_hatch": "in place of the same lead with another creation date",
}
NO_SOURCE = "(HATCH_SOURCE is not set)"


@dataclass
class DryRun:
    """What would be sent, in order, and what would not."""

    sent: list[Delivery] = field(default_factory=list)
    report: DeliveryReport = field(default_factory=DeliveryReport)

    @property
    def notes(self) -> Counter[str]:
        """What would be left out or overwritten, by kind."""
        return Counter(note for each in self.sent for note in each.notes)


def dry_run(warehouse: Warehouse, outbox: Outbox, settings: Settings, since: datetime) -> DryRun:
    """What `lp-pipeline deliver --since` would send now, if Hatch took all of it."""
    variables = {"since": since, "now_at": settings.now(), "sync_id": 0}
    with warehouse.connection(variables) as connection:
        connection.execute("begin")
        try:
            database.run(connection, "delivery/ask_for")
            rows = due(connection)
        finally:
            connection.execute("rollback")
    planned = _Planning(outbox, settings.hatch_source or NO_SOURCE, threads=1)
    planned.go_through(rows)
    return DryRun(planned.sent, planned.report)


class _Planning(Round):
    def __init__(self, outbox: Outbox, source: str, *, threads: int) -> None:
        super().__init__(outbox, source, threads=threads)
        self.sent: list[Delivery] = []

    def send(self, delivery: Delivery) -> str | None:
        """Only kept."""
        self.sent.append(delivery)
        return "delivered"

    def record(self, delivery: Delivery, state: str) -> None:
        """Nothing is written down; it is counted."""


def as_pages(found: DryRun, host: str) -> Iterator[str]:
    """A dry run as text: how many would go where, then each request's body, word for word."""
    new = sum(not each.updates for each in found.sent)
    contacts = len({each.key[0] for each in found.sent})
    yield (
        f"To Hatch ({host}): {_count(len(found.sent), 'opportunity', 'opportunities')} of "
        f"{_count(contacts, 'contact')}: {new:,} new there, {len(found.sent) - new:,} changed. Nothing was sent.\n"
    )
    if found.report.known:
        yield f"Not sent, for Hatch has or refused them as they are: {found.report.known:,}\n"
    if found.report.unreachable:
        yield f"Not sent, for they have neither a valid phone number nor an email: {found.report.unreachable:,}\n"
    for note, number in sorted(found.notes.items()):
        yield f"Sent {NOTES.get(note, note)}: {number:,}\n"
    for each in found.sent:
        contact, lead, _ = each.key
        what = f"lead {lead} of prospect {contact}" if lead else f"prospect {contact}"
        body = msgspec.json.format(msgspec.json.encode(each.upsert.body), indent=2).decode()
        yield f"\n{what} ({'changed' if each.updates else 'new'})\n{body}\n"


def _count(number: int, noun: str, nouns: str = "") -> str:
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"
