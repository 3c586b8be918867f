"""The numbers of the report (SPEC E8): what `sql/report/` counts in the published file. Counts and times only, nobody's
data; what they mean is said in `findings.py`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import first_row, rows_of


@dataclass(frozen=True)
class Overview:
    """The day so far and the last 7 days, each with the same time a week before; speed to lead in minutes, None if
    there is nothing to measure. `published_at` is the data's age, `now_local` the same in the account's zone."""

    published_at: datetime
    zone: str
    now_local: datetime
    opportunities: int
    today: int
    today_before: int
    leads: int
    leads_before: int
    appointments: int
    appointments_before: int
    sold: int
    sold_before: int
    speed_today: float | None
    speed: float | None
    speed_before: float | None


@dataclass(frozen=True)
class Day:
    """How many of something there were on a day; `texts`, `emails` and `calls` are parts of it, for messages."""

    day: date
    number: int
    texts: int = 0
    emails: int = 0
    calls: int = 0


@dataclass(frozen=True)
class Group:
    """How many there are of a status, source, state or column; `appointments` is a part of it, for sources."""

    name: str
    number: int
    appointments: int = 0


@dataclass(frozen=True)
class Week:
    """Speed to lead of the week from Monday `week`: new opportunities, and how many within so many minutes."""

    week: date
    number: int
    within_5: int
    within_15: int
    within_60: int


@dataclass(frozen=True)
class Unread:
    """A feed (leads, prospects) that the last sync could not read, and up to when it has been read (None: never)."""

    feed: str
    read_to: datetime | None


@dataclass(frozen=True)
class Facts:
    """All of it; lists are empty, or all zero, where nothing has happened yet."""

    overview: Overview
    leads: list[Day]
    statuses: list[Group]
    sources: list[Group]
    weeks: list[Week]
    messages: list[Day]
    pushes: list[Group]
    rejected: list[Group]
    unread: list[Unread]
    rejected_records: int
    gone_opportunities: int
    sync_id: int | None
    swept_at: datetime | None


def read_facts(connection: duckdb.DuckDBPyConnection) -> Facts:
    """Ask the published file; raises `duckdb.Error` if it is not one."""

    def rows(name: str) -> list[dict[str, Any]]:
        return rows_of(connection, statement(f"report/{name}"))

    return Facts(
        overview=Overview(**first_row(connection, statement("report/overview"))),
        leads=[Day(**row) for row in rows("leads_by_day")],
        statuses=[Group(**row) for row in rows("by_status")],
        sources=[Group(**row) for row in rows("by_source")],
        weeks=[Week(**row) for row in rows("speed_by_week")],
        messages=[Day(**row) for row in rows("messages_by_day")],
        pushes=[Group(**row) for row in rows("pushes")],
        unread=[Unread(**row) for row in rows("unread_feeds")],
        rejected=[Group(**row) for row in rows("rejected")],
        **first_row(connection, statement("report/small_print")),
    )
