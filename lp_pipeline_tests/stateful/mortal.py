"""An account whose runs can be killed at a transaction, and whose LeadPerfection is edited while it is being read.

Belongs here: what disturbs a run. Not here: which disturbance comes when (test_whole_pipeline.py).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import duckdb

from lp_pipeline.runs.backfill import HistoryReport, checked_merge
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import read_feed
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline_tests.account import PACE, Account

Moment = Literal["before", "inside", "after"]
A_REQUEST = timedelta(seconds=3)  # on LP's clock, so that timestamps show what happened before and after a page


class Killed(BaseException):
    """The process ends here: nothing of ours may catch it."""


class Fate:
    """Kills a run at its transaction number `number`: before it begins, before it commits, or right after."""

    def __init__(self, number: int, moment: Moment) -> None:
        self._left, self._moment = number, moment

    def next(self) -> Moment | None:
        """What happens at this transaction."""
        self._left -= 1
        return self._moment if self._left == 0 else None


class MortalWarehouse(Warehouse):
    """A warehouse at whose transactions its run may be killed; what a killed one has not committed is not there."""

    fate: Fate | None = None

    @contextmanager
    def transaction(self, variables: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """As ever, or the end."""
        moment = self.fate.next() if self.fate else None
        if moment == "before":
            raise Killed
        with super().transaction(variables) as connection:
            yield connection
            if moment == "inside":
                raise Killed
        if moment == "after":
            raise Killed


class MortalConnections(Connections):
    """A run with a fate."""

    mortal: MortalWarehouse

    def _new_warehouse(self) -> Warehouse:
        return self.mortal


class DisturbedAccount(Account):
    """An account whose next run has `fate`, and in whose LeadPerfection things happen between two requests."""

    def disturb(self) -> None:
        """From now on each request takes LP's clock on, and may find something changed."""
        self.folder.mkdir()
        self.mortal = MortalWarehouse(self.folder, keeps_open=True)
        self.meanwhile: list[tuple[int, Callable[[], object]]] = []  # requests to let pass, and what happens then
        self.errors: list[BaseException] = []
        self.lp.before_request = self._before_request

    def _before_request(self, path: str, _fields: dict[str, str]) -> None:
        if path.lower() == "/token":
            return
        self.now += A_REQUEST
        due = [happens for left, happens in self.meanwhile if left <= 0]
        self.meanwhile = [(left - 1, happens) for left, happens in self.meanwhile if left > 0]
        for happens in due:
            try:
                happens()
            except Killed:
                continue
            except BaseException as error:  # in the server's thread, where it would go unnoticed
                self.errors.append(error)

    @contextmanager
    def connections(self) -> Iterator[Connections]:
        """One run's connections; it dies as its fate says."""
        with MortalConnections(str(uuid4()), self.load, pace=PACE) as connections:
            connections.mortal = self.mortal
            yield connections

    def whole_sync(self, *, reads: bool = True, merges: bool = True) -> bool:
        """One run of the sync job: both feeds, staging, its checks, the merge; or a part of it. Whether it read all."""
        with self.connections() as connections:
            names = ("leads", "prospects") if reads else ()
            reports = [read_feed(connections, name, warn=ignore, info=ignore) for name in names]
            if merges:
                checked_merge(connections.warehouse, connections.settings, connections.sync_id, HistoryReport())
            return not any(report.error or report.unread_since for report in reports)


def ignore(_message: str) -> None:
    """Nobody listens."""
