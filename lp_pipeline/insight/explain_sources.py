"""What the published copy and the outbox know of one prospect, for `explain` (SPEC E1). Only reads, judges nothing."""

from datetime import datetime
from typing import Any

import duckdb
import msgspec

from lp_pipeline.communications.manual import Choice
from lp_pipeline.communications.review import listed, why
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row, instant_of
from lp_pipeline.storage.publish import ask
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import rows_of

Rows = list[dict[str, Any]]


class Published(msgspec.Struct, frozen=True):
    """Rows of `published.duckdb` about one contact, each by column name; `windows` are those of each feed."""

    opportunities: Rows = []
    changes: Rows = []
    rejected: Rows = []
    held: Rows = []
    windows: Rows = []


class Push(msgspec.Struct, frozen=True):
    """A communication on its way to one target; `why` says in words why it is not there. Without a target the push has
    not looked at it yet."""

    communication_id: str
    occurred_at: datetime
    channel: str
    direction: str | None
    target: str | None
    state: str
    why: str | None
    words: str | None
    next_try_at: datetime | None
    updated_at: datetime


def whom(outbox: Outbox, settings: Settings, identity: str) -> list[tuple[str, str | None]]:
    """Whose id it is: contact and, if it is a lead's, lead."""
    return ask(outbox, settings, lambda found: _run(found, "whom", id=identity)) or []


def published_of(outbox: Outbox, settings: Settings, contact: str) -> Published:
    """What people can query of a contact; empty if nothing was ever published."""

    def question(connection: duckdb.DuckDBPyConnection) -> Published:
        connection.execute("set timezone = 'UTC'")
        names = ("opportunities", "changes", "rejected", "held")
        found = {name: _rows(connection, name, contact=contact) for name in names}
        for row in found["opportunities"]:
            for name in ("prospect", "lead"):
                row[name] = msgspec.json.decode(row[name]) if row[name] else None
        return Published(**found, windows=_rows(connection, "windows"))

    return ask(outbox, settings, question) or Published()


def windows_with(outbox: Outbox, settings: Settings, instant: datetime) -> list[tuple[Any, ...]]:
    """The last window of each feed that contained an instant: feed, begin, end, when it was read."""
    return ask(outbox, settings, lambda found: _run(found, "windows_with", instant=instant)) or []


def deliveries_of(outbox: Outbox, contact: str) -> Rows:
    """The ledger of deliveries to Hatch, by column name."""
    return [dict(row) for row in outbox.rows("deliveries_of", {"contact": contact})]


def pushes_of(outbox: Outbox, contact: str) -> list[Push]:
    """The communications of a contact and what became of them, oldest first."""
    return [_push(row) for row in outbox.rows("communications_of", {"contact": contact})]


def may_be_from(outbox: Outbox, settings: Settings, contact: str) -> list[Push]:
    """The communications that match several prospects, one of which is this contact."""
    return [
        Push(
            each.push.communication_id,
            each.push.occurred_at,
            each.push.channel,
            each.push.direction,
            each.push.target,
            each.push.state,
            each.why,
            None,
            None,
            each.push.first_seen_at,
        )
        for each in listed(outbox, settings, Choice(state="unmatched"))
        if contact in {one.external_contact_id for one in each.candidates}
    ]


def _push(row: Row) -> Push:
    again = row["next_try_at"]
    return Push(
        row["communication_id"],
        instant_of(row["occurred_at"]),
        row["channel"],
        row["direction"],
        row["target"],
        row["state"] or "landed",
        why(row["reason"]) or None,
        row["words"],
        instant_of(again) if again and again < "9999" else None,
        instant_of(row["updated_at"] or row["landed_at"]),
    )


def _run(connection: duckdb.DuckDBPyConnection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    return connection.execute(statement(f"explain/{name}"), values).fetchall()


def _rows(connection: duckdb.DuckDBPyConnection, name: str, **values: Any) -> Rows:
    return rows_of(connection, statement(f"explain/{name}"), values)
