"""The sandbox's database: records as served, the stamps that time windows match, switches and faults.

Belongs here: transactions and the SQL of prospects. Not here: the tables (schema.py), record formats, HTTP, the clock,
the SQL of other tables.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from lp_pipeline.sandbox.faults import Fault
from lp_pipeline.sandbox.switches import DEFAULTS, Switches
from lp_pipeline.sandbox.world.schema import COUNTED, SCHEMA, VERSION
from lp_pipeline.sandbox.world.stamps import Record, id_of, objects, sortable, stamps_of, value_of

WINDOW = """
with page as materialized (  -- ids first: sorting whole records takes twice as long
  select cst_id from prospects
  where cst_id in (select cst_id from stamps where stamp between :start and :end and kind & :kinds)
    and (:cst_id = '' or cst_id = :cst_id)
    and (:lds_id = '' or cst_id in (select cst_id from leads where lead_id = :lds_id))
    and (:ils_id = '' or cst_id in (select cst_id from leads where ils_id = :ils_id))
  order by case :order when 'lastchanged_desc' then lastchanged end desc,
  case :order when 'lastchanged' then lastchanged end, number, cst_id
  limit :limit offset :offset
)
select prospects.cst_id, record, made from page cross join prospects on prospects.cst_id = page.cst_id
order by case :order when 'lastchanged_desc' then lastchanged end desc,
  case :order when 'lastchanged' then lastchanged end, number, prospects.cst_id
"""


@dataclass(frozen=True)
class Row:
    """One stored prospect; `made` is True for generated ones, False for those added verbatim by `put`."""

    cst_id: str
    text: str
    made: bool


@dataclass(frozen=True)
class Addition:
    """One element that a write appended; an empty `lead_id` means the prospect itself."""

    cst_id: str
    lead_id: str
    array: str
    element: Record


class World:
    """One connection to the file. Use it from one thread at a time, and close it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=60, isolation_level=None, check_same_thread=False
        )
        self._zone: ZoneInfo | None = None
        try:
            self._db.execute("pragma synchronous = normal").close()
        except BaseException:  # damaged
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @property
    def complete(self) -> bool:
        """Whether the file has this version's schema."""
        return bool(self.select("pragma user_version")[0][0] >= VERSION)

    def prepare(self, fill: Callable[["World"], None]) -> None:
        """Create or upgrade the schema, then call `fill` on it."""
        self._db.executescript(f"begin immediate;\n{SCHEMA}\ncommit;")  # one transaction: one wait for the disk
        with self.writing():
            if not self.complete:  # another process may have done it meanwhile
                fill(self)
                self.run(f"pragma user_version = {VERSION}")
        self._db.execute("pragma journal_mode = wal").close()  # last: otherwise the draft's log is left behind

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction that locks at the start, so that it can't fail halfway; nested ones join the outer one."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # on a full disk SQLite rolls back by itself
                self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def select(self, statement: str, values: Sequence[Any] | Record = ()) -> list[Any]:
        """The rows of a query."""
        return self._db.execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] | Record = ()) -> int:
        """Execute a statement; returns the id of the inserted row, or 0."""
        return self._db.execute(statement, values).lastrowid or 0

    def fact(self, name: str, default: Any = None) -> Any:
        """A stored fact (zone, seed, counters), or `default`."""
        row = self._db.execute("select value from facts where name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def keep(self, name: str, value: Any) -> None:
        """Store a fact; `value` must be JSON serializable."""
        self._db.execute("insert or replace into facts values (?, ?)", (name, json.dumps(value)))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of LP's wall clock, fixed when the file is created."""
        if self._zone is None:
            name = self.fact("zone")
            if name is None:
                raise sqlite3.DatabaseError("malformed: the sandbox has no zone")
            self._zone = ZoneInfo(name)
        return self._zone

    def switches(self) -> Switches:
        """The current value of every switch."""
        kept = self._db.execute("select name, value from switches").fetchall()
        return {**DEFAULTS, **{name: json.loads(value) for name, value in kept}}

    def set_switches(self, values: Switches) -> None:
        """Set some switches, for all processes."""
        rows = [(name, json.dumps(value)) for name, value in values.items()]
        self._db.executemany("insert or replace into switches values (?, ?)", rows)

    def queue_fault(self, fault: Fault, path: str, times: int, after: int) -> None:
        """Append a fault to the queue."""
        self._db.execute(
            "insert into faults (kind, path, times, after, details) values (?, ?, ?, ?, ?)",
            (fault.kind, path.lower(), times, after, json.dumps(fault.details)),
        )

    def faults(self) -> list[Record]:
        """The queued faults."""
        rows = self._db.execute("select kind, path, times, after, details from faults order by id").fetchall()
        return [
            {"kind": kind, "path": path, "times": times, "after": after, **json.loads(details)}
            for kind, path, times, after, details in rows
        ]

    def take_fault(self, path: str) -> Fault | None:
        """The fault for a request to this path: the first in the queue whose `after` is used up."""
        if not self.faults():
            return None
        with self.writing():
            found = self._db.execute(
                "select id, kind, times, after, details from faults where instr(?, path) order by id", (path.lower(),)
            ).fetchall()
            for number, kind, times, after, details in found:
                if after:
                    self._db.execute("update faults set after = after - 1 where id = ?", (number,))
                    continue
                if times > 1:
                    self._db.execute("update faults set times = times - 1 where id = ?", (number,))
                else:
                    self._db.execute("delete from faults where id = ?", (number,))
                return Fault(kind, json.loads(details))
        return None

    def store(self, text: str, *, made: bool, hidden: Iterable[tuple[int, str]] = ()) -> str:
        """Insert or replace a record, stored as exactly this text; returns its id.

        `hidden` are stamps that LP has but the record does not show (jobs have none); earlier ones are kept.
        """
        record = json.loads(text)
        if not isinstance(record, dict):
            raise TypeError("A prospect must be a JSON object.")
        cst_id = id_of(record, "cst_id", "cstid")
        self._db.execute("delete from stamps where cst_id = ? and not hidden", (cst_id,))
        self._db.execute("delete from leads where cst_id = ?", (cst_id,))
        shown = {(kind, stamp) for kind, value in stamps_of(record) if (stamp := sortable(value, self.zone))}
        rows = [(cst_id, kind, stamp, 0) for kind, stamp in sorted(shown)]
        rows += [(cst_id, kind, stamp, 1) for kind, value in hidden if (stamp := sortable(value, self.zone))]
        self._db.executemany("insert into stamps values (?, ?, ?, ?)", rows)
        self._db.executemany(
            "insert into leads values (?, ?, ?)",
            [(cst_id, id_of(lead, "id"), id_of(lead, "ils_id")) for lead in objects(record, "leads")],
        )
        number = int(cst_id) if cst_id.isdecimal() and len(cst_id) < 19 else 0
        changed = sortable(value_of(record, "lastchanged"), self.zone) or ""
        self._db.execute(
            "insert or replace into prospects values (?, ?, ?, ?, ?)", (cst_id, number, changed, made, text)
        )
        return cst_id

    def put(self, text: str) -> None:
        """Replace a record by exactly this text, with its stamps and leads; keeps what was written through the API."""
        with_id = json.loads(text)
        if isinstance(with_id, dict):
            self.remove(id_of(with_id, "cst_id", "cstid"))
        self.store(text, made=False)

    def find(self, cst_id: str) -> Row | None:
        """The prospect with this id, or None."""
        row = self._db.execute("select cst_id, record, made from prospects where cst_id = ?", (cst_id,)).fetchone()
        return None if row is None else Row(*row)

    def remove(self, cst_id: str) -> None:
        """Delete a prospect; what was written to it through the API is kept."""
        for statement in (
            "delete from prospects where cst_id = ?",
            "delete from leads where cst_id = ?",
            "delete from stamps where cst_id = ?",
        ):
            self._db.execute(statement, (cst_id,))

    def window(self, values: Record) -> list[Row]:
        """The prospects of a page, in order; `values` are the parameters of WINDOW."""
        return [Row(*row) for row in self._db.execute(WINDOW, values).fetchall()]

    def additions(self, rows: list[Row]) -> list[Addition]:
        """The elements written to these prospects, oldest first."""
        statement = """
            select cst_id, lead_id, array, element from additions
            where cst_id in (select value from json_each(?)) order by id"""
        found = self._db.execute(statement, (json.dumps([row.cst_id for row in rows]),)).fetchall()
        return [Addition(cst_id, lead_id, array, json.loads(element)) for cst_id, lead_id, array, element in found]

    def add(self, addition: Addition) -> None:
        """Store an element that a write appended."""
        self.run(
            "insert into additions (cst_id, lead_id, array, element) values (?, ?, ?, ?)",
            (addition.cst_id, addition.lead_id, addition.array, json.dumps(addition.element, ensure_ascii=False)),
        )

    def hide(self, cst_id: str, kind: int, value: str) -> None:
        """Add a stamp that the prospect's record does not show."""
        self.run("insert into stamps values (?, ?, ?, 1)", (cst_id, kind, sortable(value, self.zone)))

    def counts(self) -> Record:
        """The row counts of the main tables."""
        return {name: self.select(f"select count(*) from {name}")[0][0] for name in COUNTED}  # noqa: S608
