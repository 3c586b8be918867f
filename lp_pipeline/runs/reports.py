"""What a step leaves to the later steps and checks of its run, whichever process they run in: kept in the outbox, or in
the window ledger. A check judges by what is there, never by what is missing.
"""

from typing import TypeVar

import msgspec

from lp_pipeline.clients.leadperfection import feeds
from lp_pipeline.runs.connections import Connections
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.warehouse import run


class UnreadFeed(msgspec.Struct, frozen=True):
    """A feed that its last sync could not read, and why; `kind` is the kind of error, None if it was never read."""

    feed: str
    why: str
    kind: str | None
    sync_id: int | None


class DeliveryOutcome(msgspec.Struct, frozen=True):
    """How the last delivery to Hatch ended; `refused` counts records by code and field."""

    stopped: str | None = None
    unavailable: str | None = None
    refused: dict[str, int] = {}


class ExportOutcome(msgspec.Struct, frozen=True):
    """How the last reading of Hatch's export ended."""

    stopped: str | None = None
    unavailable: str | None = None


class PushOutcome(msgspec.Struct, frozen=True):
    """What makes the last push a failure, each a whole message."""

    errors: list[str] = []


Outcome = TypeVar("Outcome", bound=DeliveryOutcome | ExportOutcome | PushOutcome)
NAMES: dict[type, str] = {
    DeliveryOutcome: "last_delivery",
    ExportOutcome: "last_export",
    PushOutcome: "last_push",
}


def keep(outbox: Outbox, outcome: Outcome) -> None:
    """Remember how a step ended, instead of how the last one like it did."""
    outbox.keep(NAMES[type(outcome)], msgspec.json.encode(outcome).decode())


def last(outbox: Outbox, kind: type[Outcome]) -> Outcome | None:
    """How the last step of this kind ended; None if there was none."""
    kept = outbox.fact(NAMES[kind])
    return msgspec.json.decode(kept, type=kind) if kept else None


def unread_feeds(connections: Connections) -> list[UnreadFeed]:
    """The feeds that are on and that their last sync did not read, by the window ledger (SPEC W8)."""
    names = [feed.name for feed in feeds(connections.settings) if feed]
    with connections.warehouse.connection({"feeds": names}) as connection:
        return [UnreadFeed(*row) for row in run(connection, "checks/unread_feeds")]
