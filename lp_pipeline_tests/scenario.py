"""What tests share: made-up records, and a warehouse that is fed with readings by hand."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from lp_pipeline.clients.leadperfection import Reading, Window, as_sent
from lp_pipeline.extract.landing import Kind, Piece, store
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.account import remember_account
from lp_pipeline.storage.contents import objects
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline.transform.merge import MergeReport, merge, stage

Record = dict[str, Any]

PATIENCE = 600.0  # seconds; far more than anything takes on a busy machine, so that what hangs ends as a failure
NOON = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # noon in New York
ODD_NAMES = (  # of fields that a tenant may have added
    *(
        'Window width (24")',
        "",
        " ",
        "ends in \\",
        'quoted \\" twice',
        "it's",
        "$",
        "$.email",
        ".",
        "a.b",
        "*",
        "[0]",
        "leads[0]",
    ),
    *("#", "/", "`", "null", "two\nlines", "nul\x00", "Straße", "İ", "😀", "x" * 300),
)
LIVE = {
    "LP_API_URL": "https://lp.example",
    "LP_CLIENT_ID": "acme",
    "LP_USERNAME": "someone",
    "LP_PASSWORD": "not-a-real-password",
    "LP_APP_KEY": "not-a-real-key",
    "LP_TIMEZONE": "America/New_York",
}


def prospect(cst_id: object = "90211", *leads: Any, **fields: Any) -> Record:
    """A prospect with every mapped key; a field given as `...` is left out."""
    record = {
        "cst_id": cst_id,
        "firstname": "Ann",
        "lastname": "Field",
        "email": "ann@example.com",
        "phone1": "(518)555-0123",
        "dateadded": "2025-11-03T10:12:44.51",
        "lastchanged": "2026-03-02T09:51:07.3",
        "leads": list(leads),
        **fields,
    }
    return {name: value for name, value in record.items() if value is not ...}


def lead(lead_id: object = "120345", **fields: Any) -> Record:
    """A lead with every mapped key; a field given as `...` is left out."""
    record = {
        "id": lead_id,
        "disposition": "Set",
        "dateentered": "2026-02-27T16:20:05.033",
        "lastchangedon": "2026-03-02T11:51:07.297",
        "appointments": [],
        "jobs": [],
        **fields,
    }
    return {name: value for name, value in record.items() if value is not ...}


def live_settings(folder: Path, **values: str) -> Settings:
    """Settings of a made-up account whose clock shows noon, unless `LP_PIPELINE_NOW` is given."""
    return load_settings({**LIVE, "LP_PIPELINE_DATA": str(folder), "LP_PIPELINE_NOW": NOON.isoformat(), **values})


class Scenario:
    """A warehouse in a folder. Each `read` is a sync of one window; `merge` stages and merges what is unmerged."""

    def __init__(self, folder: Path, **values: str) -> None:
        self.folder = folder
        self.now = NOON
        self._values = values
        self.warehouse = Warehouse(folder)
        with_empty_warehouse(folder)
        self.outbox = Outbox(folder)

    @property
    def settings(self) -> Settings:
        """The settings as of this scenario's clock."""
        return live_settings(self.folder, **{**self._values, "LP_PIPELINE_NOW": self.now.isoformat()})

    def read(self, feed: str, *records: Any, minutes: int = 35, sync: int | None = None, kind: Kind = "sync") -> int:
        """Store records as one page of `feed`, read now from a window of the last `minutes`; how many were new."""
        window = Window(self.now - timedelta(minutes=minutes), self.now)
        sent = as_sent(window, ZoneInfo("America/New_York"))
        readings = [
            Reading(page=1, place=place, record=self._text(record), read_at=self.now, cst_id=None)
            for place, record in enumerate(records, 1)
        ]
        piece = Piece(window, sent, self.now, self.now, 1, readings, "read" if readings else "empty")
        with self._kept_open() as warehouse:
            sync_id = sync or begin_sync(warehouse, self.settings, str(uuid4()))
            with warehouse.transaction() as connection:
                remember_account(connection, self.settings)
                ignored = self.settings.lp_ignore_fields
                return store(connection, sync_id, feed, piece, first_page=0, ignored=ignored, moves=True, kind=kind)

    def merge(self) -> MergeReport:
        """Stage and merge, as one sync of its own."""
        with self._kept_open() as warehouse:
            sync_id = begin_sync(warehouse, self.settings, str(uuid4()))
            stage(warehouse, self.settings)
            return merge(warehouse, self.settings, sync_id)

    def sync(self, *records: Any, feed: str = "leads", minutes: int = 35) -> MergeReport:
        """Read the records from one feed and merge."""
        self.read(feed, *records, minutes=minutes)
        return self.merge()

    def set(self, **values: str) -> None:
        """Change settings."""
        self._values |= values

    def later(self, **delta: float) -> None:
        """Advance the clock (or set it back), by 15 minutes unless given."""
        self.now += timedelta(**(delta or {"minutes": 15}))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of work.duckdb."""
        with self.warehouse.connection() as connection:
            return connection.execute(query).fetchall()

    def objects(self) -> list[tuple[Record, Record | None]]:
        """The prospect and the lead that each opportunity was made of, in the opportunities' order."""
        rows = self.ask(
            "select coalesce(p.normal, p.record), o.older_keys, coalesce(l.normal, l.record), o.lead_place "
            "from opportunities as o inner join raw.readings as p on p.reading_no = o.reading_no "
            "left join raw.readings as l on l.reading_no = o.lead_no order by o.external_contact_id, o.external_id"
        )
        made = ((*((text or "").encode() for text in texts), place) for *texts, place in rows)
        return [objects(record, older, source, place) for record, older, source, place in made]

    def keys(self, where: str = "true") -> list[tuple[Any, ...]]:
        """Contact, lead and combination of the opportunities."""
        return self.ask(
            "select external_contact_id, external_id, combination from opportunities "
            f"where {where} order by all nulls first"
        )

    def gone(self) -> list[tuple[Any, ...]]:
        """Contact and lead of what is gone."""
        return self.ask(
            "select external_contact_id, external_id from opportunities where gone_since is not null order by all"
        )

    def rejected(self) -> list[tuple[Any, ...]]:
        """Contact, lead and missing columns of what is rejected."""
        return self.ask("select external_contact_id, external_id, missing from rejected_records order by all")

    @contextmanager
    def _kept_open(self) -> Iterator[Warehouse]:
        """The warehouse, opened once for the block, as a run has it."""
        warehouse = Warehouse(self.folder, keeps_open=True)
        try:
            yield warehouse
        finally:
            warehouse.let_go()

    @staticmethod
    def _text(record: Any) -> bytes:
        return record if isinstance(record, bytes) else json.dumps(record).encode()


def with_empty_warehouse(folder: Path) -> None:
    """Put the warehouse's file there as the pipeline makes it, unless there is one.

    To make it anew for each test would take twice as long as most tests.
    """
    path = Warehouse(folder).work
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(_empty_warehouse())


@cache
def _empty_warehouse() -> bytes:
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder))
        with warehouse.connection():
            pass
        return warehouse.work.read_bytes()


def only(rows: Iterable[tuple[Any, ...]]) -> Any:
    """The one value of the one row."""
    ((value,),) = rows
    return value
