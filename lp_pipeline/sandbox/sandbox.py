"""`Sandbox`, the public API: serve it, add and edit records, queue faults, inspect what was written.

Belongs here: the public methods and LP's clock. Not here: storage, responses, generated data.
"""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lp_pipeline.sandbox import events, faults, lost_answers
from lp_pipeline.sandbox.faults import Answer
from lp_pipeline.sandbox.hatch import api as hatch
from lp_pipeline.sandbox.hatch import contacts, conversations
from lp_pipeline.sandbox.leadperfection import api as leadperfection
from lp_pipeline.sandbox.leadperfection import writes
from lp_pipeline.sandbox.request import Call, Request
from lp_pipeline.sandbox.server import Server
from lp_pipeline.sandbox.switches import checked
from lp_pipeline.sandbox.world import seed
from lp_pipeline.sandbox.world.create import check, opened
from lp_pipeline.sandbox.world.stamps import Record, id_of, key_of, objects, wall
from lp_pipeline.sandbox.world.store import World


class Sandbox:
    """A simulated LeadPerfection and Hatch on loopback, stored in `<folder>/sandbox.sqlite`; see the package docstring.

    `clock` returns timezone-aware UTC datetimes. The data is created at first use, as of that time; an existing file
    keeps its zone, seed and population. With `population=0` it holds only records that you add, and nothing changes
    by itself. `before_request(path, fields)` is called in the server's thread before each call is answered.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], datetime],
        zone: str = "America/New_York",
        population: int = 2400,
        seed: int = 20260302,
    ) -> None:
        self.path = folder / "sandbox.sqlite"
        self.clock = clock
        self.before_request: Callable[[str, dict[str, str]], None] | None = None
        self._plan = {"zone": str(ZoneInfo(zone)), "population": population, "seed": seed}
        self._requests: list[tuple[str, dict[str, str]]] = []
        self._lock = threading.Lock()

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serve on 127.0.0.1 until the block ends; yields the base URL. Port 0 picks a free port."""
        with self.open() as world:  # kept open so that the write-ahead log is not recreated for each connection
            check(world)
            server = Server(self, port)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.stop()
                thread.join()

    def put(self, record: Record | str) -> None:
        """Insert or replace a prospect by its cst_id; text is served byte for byte."""
        text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
        with self.open() as world, world.writing():
            world.put(text)

    def get(self, cst_id: object) -> Record:
        """A prospect's record. Raises KeyError if there is none."""
        with self.open() as world:
            return self._found(world, cst_id)[0]

    def edit(
        self,
        cst_id: object,
        change: Callable[[Record], object] = lambda _: None,
        *,
        stamp: bool = True,
        lead: object = None,
        hidden: int = 0,
    ) -> None:
        """Change a prospect. Its `lastchanged`, or the given lead's `lastchangedon`, becomes now unless `stamp=False`.

        `hidden` is an option bit (32768 for jobs): it records a change at this time whose stamp LP does not show."""
        with self.open() as world, world.writing():
            record, made = self._found(world, cst_id)
            change(record)
            now = wall(self.lp_utc_now(world), world.zone)
            if stamp:
                owner, name = (record, "lastchanged") if lead is None else (_lead(record, lead), "lastchangedon")
                owner[key_of(owner, name) or name] = now
            if id_of(record, "cst_id", "cstid") != str(cst_id).strip():
                world.remove(str(cst_id).strip())
            world.store(json.dumps(record, ensure_ascii=False), made=made, hidden=[(hidden, now)] if hidden else ())

    def remove(self, cst_id: object) -> None:
        """Delete a prospect."""
        with self.open() as world, world.writing():
            world.remove(str(cst_id).strip())

    def switch(self, **values: Any) -> None:
        """Set switches (switches.py), permanently and for all processes."""
        with self.open() as world, world.writing():
            world.set_switches(checked(values))

    def fault(self, kind: str, *, path: str = "", times: int = 1, after: int = 0, **details: Any) -> None:
        """Apply this fault to the next `times` requests whose path contains `path`, after skipping `after` of them.

        Faults form a queue: a request gets the first one that is ready, and later ones don't count that request.
        """
        faults.check(kind, times, after)
        with self.open() as world, world.writing():
            world.queue_fault(faults.Fault(kind, details), path, times, after)

    def notes(self, cst_id: object) -> list[str]:
        """The texts of all notes written to a prospect or its leads, oldest first."""
        return [text for owner, text in self.all_notes() if owner == str(cst_id)]

    def job_notes(self, job_id: object) -> list[str]:
        """The texts of all notes written to a job, oldest first."""
        return [text for owner, text in self.all_job_notes() if owner == str(job_id)]

    def call_logs(self, cst_id: object) -> list[Record]:
        """All calls logged for a prospect, in LP's format, oldest first (LP itself shows only a week)."""
        return [call for owner, call in self.all_call_logs() if owner == str(cst_id)]

    def all_notes(self) -> list[tuple[str, str]]:
        """The cst_id and text of every note."""
        return self._seen(writes.notes)

    def all_job_notes(self) -> list[tuple[str, str]]:
        """The job id and text of every job note."""
        return self._seen(writes.job_notes)

    def all_call_logs(self) -> list[tuple[str, Record]]:
        """The cst_id and record of every logged call."""
        return self._seen(writes.call_logs)

    def hatch_contacts(self) -> list[Record]:
        """Hatch's contacts: id, external_contact_id, phone, email, opportunities (most recently upserted last)."""
        return self._seen(contacts.listed)

    def hatch_writes(self) -> list[Record]:
        """The bodies of all upserts that Hatch accepted, in order."""
        return self._seen(contacts.upserts)

    def put_communication(self, **columns: Any) -> None:
        """Add a row to Hatch's conversation_items export, unchanged, on the day of its first time column."""
        with self.open() as world, world.writing():
            contacts.put_row(world, "conversation_items", columns, self.utc_now())

    def put_contact_history(self, **columns: Any) -> None:
        """Add a row to Hatch's contact_history export."""
        with self.open() as world, world.writing():
            contacts.put_row(world, "contact_history", columns, self.utc_now())

    def advance(self, world: World | None = None) -> int:
        """Apply all due events and postponed calls; returns the number of events applied."""
        if world is None:
            with self.open() as own:
                return self.advance(own)
        self._carry_out(world)
        return events.advance(world, self.clock())

    def answer(self, world: World, call: Call, instant: datetime | None = None) -> Answer:
        """LeadPerfection's or Hatch's response at `instant`, by default now."""
        request = Request(world, world.switches(), call, instant or self.utc_now())
        return hatch.answer(request) if hatch.owns(call.path) else leadperfection.answer(request)

    @property
    def requests(self) -> list[tuple[str, dict[str, str]]]:
        """The calls that this object's servers have seen in this process: path and fields, without passwords."""
        with self._lock:
            return list(self._requests)

    def saw(self, path: str, fields: dict[str, str]) -> None:
        """Record a call, without its password."""
        kept = {name: value for name, value in fields.items() if name.lower() != "password"}
        with self._lock:
            self._requests.append((path, kept))

    def state(self) -> Record:
        """The sandbox's clock, counts, switches and queued faults, without the password."""
        with self.open() as world:
            return {
                "clock": self.utc_now().isoformat(),
                "lp_clock": self.lp_now(world).isoformat(),
                "zone": world.zone.key,
                "created": world.fact("created"),
                "counts": {**world.counts(), "events": world.fact("events")},
                "switches": {name: value for name, value in world.switches().items() if name != "password"},
                "faults": world.faults(),
            }

    def utc_now(self) -> datetime:
        """The actual time, which Hatch uses."""
        return self.clock().astimezone(UTC)

    def lp_utc_now(self, world: World) -> datetime:
        """LP's clock in UTC, including its skew."""
        return self.utc_now() + timedelta(seconds=world.switches()["clock_skew_seconds"])

    def lp_now(self, world: World) -> datetime:
        """LP's clock in its own zone."""
        return self.lp_utc_now(world).astimezone(world.zone)

    def open(self) -> World:
        """A connection to the database, which is created if missing and upgraded if it has an older version."""
        return opened(self.path, self._fill, self._fill_hatch)

    def _fill(self, world: World) -> None:
        created = self.utc_now()
        facts = {**self._plan, "created": created.isoformat(), "secret": secrets.token_hex(32), "events": 0}
        for name, value in facts.items():
            world.keep(name, value)
        seed.populate(world, created)
        self._fill_hatch(world)

    def _fill_hatch(self, world: World) -> None:
        conversations.begin(world, self.utc_now())

    def _seen(self, what: Callable[[World], list[Any]]) -> list[Any]:
        """Query after executing the postponed calls that are due."""
        with self.open() as world:
            self._carry_out(world)
            return what(world)

    def _carry_out(self, world: World) -> None:
        lost_answers.carry_out(world, self.utc_now(), lambda call, instant: self.answer(world, call, instant))

    def _found(self, world: World, cst_id: object) -> tuple[Record, bool]:
        row = world.find(str(cst_id).strip())
        if row is None:
            raise KeyError(f"The sandbox has no prospect {cst_id}.")
        record: Record = json.loads(row.text)
        return record, row.made


def _lead(record: Record, lead: object) -> Record:
    for candidate in objects(record, "leads"):
        if id_of(candidate, "id") == str(lead).strip():
            return candidate
    raise KeyError(f"This prospect has no lead {lead}.")
