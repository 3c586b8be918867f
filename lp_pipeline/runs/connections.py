"""What one run works with: its settings, its turn, the warehouse, the outbox, LeadPerfection and Hatch.

Opened at first need, closed at the end of the run, so that loading the definitions touches nothing. What is done with
them is in `steps`.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from types import TracebackType
from typing import Self

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.clients.leadperfection import Client, RateLimiter
from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.account import check_warehouse, open_outbox
from lp_pipeline.storage.duckdb_zones import with_both_readings, zone_warning
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import ANOTHER, BRIEF, NEXT, PATIENCE_SECONDS, Turn, briefly
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline.storage.warehouse import Warehouse

SHARE_FOR_SYNCS = 5  # one call in so many is left to syncs
RUN_SECONDS = 12 * 60.0  # R3: nothing is retried after this


class Connections:
    """One run's. `load` gives the settings, `pace` multiplies the waits between tries, `seconds` is how long the run
    may work, `tell` shows its progress in the shell that started it, `who` names it to those who wait for their turn,
    `brief` says that a sync had better wait. Everything raises `SettingsError` or `WarehouseError` at its first use,
    also if the folder holds another account's data (SPEC J5)."""

    def __init__(
        self,
        run_id: str,
        load: Callable[[], Settings] = load_settings,
        *,
        pace: float = 1.0,
        seconds: float = RUN_SECONDS,
        tell: Callable[[str], object] | None = None,
        who: str = ANOTHER,
        brief: bool = False,
    ) -> None:
        self.run_id = run_id
        self.load = load
        self.tell = tell
        self._who = who
        self._brief = brief
        self._pace = pace
        self._seconds = seconds
        self._warned_of_zones = False
        self._stack = ExitStack()
        self.deadline = time.monotonic() + seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what was begun and give the turn back."""
        self._stack.close()

    @cached_property
    def settings(self) -> Settings:
        """The settings as they were when the run first asked."""
        return with_both_readings(self.load())

    def warn_of_zones(self, warn: Callable[[str], None]) -> None:
        """Say it, once a run, if DuckDB reads the account's time zone differently (SPEC J5)."""
        if not self._warned_of_zones and (message := zone_warning(self.settings)):
            self._warned_of_zones = True
            warn(message)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The warehouse, once it is this run's turn, which the run then keeps to its end."""
        with ExitStack() as stack:  # given back if the warehouse can't be used: the next step would wait for this run
            stack.enter_context(self._turn())
            stack.callback(self._let_go)
            self.deadline = time.monotonic() + self._seconds  # waiting is not working
            warehouse = self._checked_warehouse
            self._stack.push(stack.pop_all())
        return warehouse

    @property
    def has_warehouse(self) -> bool:
        """Whether this run has opened the warehouse, and so has the turn."""
        return "warehouse" in vars(self)

    @contextmanager
    def warehouse_briefly(self) -> Iterator[Warehouse]:
        """The warehouse for a moment, for work that lets syncs go first, however long they take (SPEC W2)."""
        os.umask(0o077)
        with briefly(self.settings.data, self._who):
            try:
                yield self._checked_warehouse
            finally:
                self._let_others()

    @cached_property
    def _checked_warehouse(self) -> Warehouse:
        """First asked for with the turn taken, so that looking whose it is waits for nobody."""
        check_warehouse(self._files, self.settings)
        return self._files

    @cached_property
    def _files(self) -> Warehouse:
        return self._new_warehouse()

    def _new_warehouse(self) -> Warehouse:
        return Warehouse(self.settings.data, keeps_open=True)

    def _let_others(self) -> None:
        """Close the warehouse for a while: this run is about to wait, or somebody else has the turn."""
        if "_files" in vars(self):
            self._files.let_go(at_rest=False)

    def _let_go(self) -> None:
        """Close it at the end."""
        if "_files" in vars(self):
            self._files.let_go()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        os.umask(0o077)  # R4: whatever this run writes is its owner's
        began = time.monotonic()
        with ExitStack() as stack:
            with Turn(self.settings.data, NEXT):
                left = max(0.0, PATIENCE_SECONDS - (time.monotonic() - began))
                stack.enter_context(Turn(self.settings.data, who=self._who, patience_seconds=left))
            if self._brief:
                stack.enter_context(Turn(self.settings.data, BRIEF))
            yield

    @cached_property
    def sync_id(self) -> int:
        """The number of this run's sync."""
        return begin_sync(self.warehouse, self.settings, self.run_id)

    @cached_property
    def outbox(self) -> Outbox:
        """What came in from Hatch, and what went out."""
        os.umask(0o077)
        return self._stack.enter_context(open_outbox(self.settings))

    @cached_property
    def leadperfection(self) -> Client:
        """LeadPerfection for syncs, or the sandbox's if no address is set."""
        return self._client(leave=0, deadline=self.deadline)

    @cached_property
    def leadperfection_for_pushes(self) -> Client:
        """For pushes, which leave a part of the rate to syncs (SPEC R3)."""
        deadline = time.monotonic() + self._seconds  # waiting for other pushes is not working
        return self._client(leave=self.settings.lp_rate_per_minute // SHARE_FOR_SYNCS, deadline=deadline)

    @cached_property
    def leadperfection_for_history(self) -> Client:
        """For backfills and sweeps, which leave a part too, and take the time that they take."""
        return self._client(leave=self.settings.lp_rate_per_minute // SHARE_FOR_SYNCS, deadline=None)

    def hatch(self) -> HatchClient:
        """Hatch, or the sandbox's; a new client each time, since waiting for the turn moves the deadline."""
        address = self._sandbox
        client = HatchClient(
            self.settings,
            address=address,
            export_address=address,
            deadline=self.deadline,
            pace=self._pace,
            before_waiting=self._let_others,
        )
        return self._stack.enter_context(client)

    @cached_property
    def _sandbox(self) -> str | None:
        """The address of the sandbox's LeadPerfection and Hatch; None if a real one is set."""
        if self.settings.lp_api_url:
            return None
        sandbox = Sandbox(self.settings.data, clock=self.settings.now, zone=self.settings.lp_timezone)
        advice = "Delete it: the next sync makes a new world (and move work.duckdb aside, which knows the old one)."
        with readable_errors(f"start the sandbox of {sandbox.path}", if_damaged=advice):
            self.settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._stack.enter_context(sandbox.serve())

    def _client(self, *, leave: int, deadline: float | None) -> Client:
        limiter = RateLimiter(self.settings.data, self.settings.lp_rate_per_minute, leave=leave)
        self._stack.callback(limiter.close)
        client = Client(
            self.settings,
            address=self._sandbox,
            limiter=limiter,
            deadline=deadline,
            pace=self._pace,
            before_waiting=self._let_others,
        )
        return self._stack.enter_context(client)
