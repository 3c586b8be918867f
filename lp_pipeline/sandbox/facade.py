"""`Sandbox`, the one thing that others use: serve it, put records in, change them, make trouble.

Belongs here: the public face and LP's clock. Not here: how anything is stored, answered or made up.
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

from lp_pipeline.sandbox import events, faults, history
from lp_pipeline.sandbox.server import Server
from lp_pipeline.sandbox.stamps import Record, id_of, key_of, objects, wall
from lp_pipeline.sandbox.switches import checked
from lp_pipeline.sandbox.world import World, create


class Sandbox:
    """A LeadPerfection on loopback over `<folder>/sandbox.sqlite`; see the package's docstring.

    `clock` returns aware UTC instants. The world is made at first use, as of then; a folder that has one keeps it,
    with its zone, seed and population. With `population=0` it holds only what is put there, and nothing happens by
    itself. `before_request(path, fields)` is called in the server's thread before each call is answered.
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
        """Answer on 127.0.0.1 until the block ends; yields the address."""
        with self.open():  # held open, so that the write-ahead log is not made anew for each connection
            server = Server(self, port)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.stop()
                thread.join()

    def put(self, record: Record | str) -> None:
        """Keep a prospect as it is, in place of the one with its cst_id; text arrives at the client byte for byte."""
        text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
        with self.open() as world, world.writing():
            world.put(text)

    def get(self, cst_id: object) -> Record:
        """The record of a prospect; KeyError if there is none."""
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
        """Change a prospect; its `lastchanged`, or the `lastchangedon` of the lead given, becomes now unless
        `stamp=False`. `hidden` is an option bit (32768 for jobs): LP then knows of a change now whose
        stamp it does not show.
        """
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
        """LP has this prospect no more."""
        with self.open() as world, world.writing():
            world.remove(str(cst_id).strip())

    def switch(self, **values: Any) -> None:
        """Set switches (switches.py), for all processes and for good."""
        with self.open() as world, world.writing():
            world.set_switches(checked(values))

    def fault(self, kind: str, *, path: str = "", times: int = 1, after: int = 0, **details: Any) -> None:
        """Let the next `times` requests whose path contains `path` meet this fault, once `after` of them have passed.

        Faults queue up: a request meets the first one that is ready, and the others don't count it.
        """
        if kind not in faults.KINDS:
            raise ValueError(f"No fault is called {kind!r}. There are: {', '.join(faults.KINDS)}.")
        if times < 1 or after < 0:
            raise ValueError("A fault needs times of 1 or more and after of 0 or more.")
        with self.open() as world, world.writing():
            world.queue_fault(faults.Fault(kind, details), path, times, after)

    def advance(self, world: World | None = None) -> int:
        """Let everything happen that is due by now; returns how many events that was."""
        if world is not None:
            return events.advance(world, self.clock())
        with self.open() as own:
            return events.advance(own, self.clock())

    @property
    def requests(self) -> list[tuple[str, dict[str, str]]]:
        """The calls that this object's servers have seen in this process: path and fields, without passwords."""
        with self._lock:
            return list(self._requests)

    def saw(self, path: str, fields: dict[str, str]) -> None:
        """Remember a call."""
        kept = {name: value for name, value in fields.items() if name.lower() != "password"}
        with self._lock:
            self._requests.append((path, kept))

    def state(self) -> Record:
        """What a person wants to know about this sandbox."""
        with self.open() as world:
            return {
                "clock": self.clock().astimezone(UTC).isoformat(),
                "lp_clock": self.lp_now(world).isoformat(),
                "zone": world.zone.key,
                "created": world.fact("created"),
                "counts": {**world.counts(), "events": world.fact("events")},
                "switches": {name: value for name, value in world.switches().items() if name != "password"},
                "faults": world.faults(),
            }

    def lp_utc_now(self, world: World) -> datetime:
        """LP's clock, which may be wrong, in UTC."""
        return self.clock().astimezone(UTC) + timedelta(seconds=world.switches()["clock_skew_seconds"])

    def lp_now(self, world: World) -> datetime:
        """LP's clock in its own zone."""
        return self.lp_utc_now(world).astimezone(world.zone)

    def open(self) -> World:
        """A connection to the world, which is made if there is none."""
        if not self.path.exists():
            create(self.path, self._fill)
        return World(self.path)

    def _fill(self, world: World) -> None:
        created = self.clock().astimezone(UTC)
        facts = {**self._plan, "created": created.isoformat(), "secret": secrets.token_hex(32), "events": 0}
        for name, value in facts.items():
            world.keep(name, value)
        history.populate(world, created)

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
