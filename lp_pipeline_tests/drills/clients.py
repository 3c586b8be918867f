"""Clients that open, hold, lock, damage, delete and replace the published file at each step of a sync (SPEC Q1, R2)."""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import duckdb

from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline_tests import meddling
from lp_pipeline_tests.account import account_of, failures
from lp_pipeline_tests.communications.talk import LONG_AGO, Talk
from lp_pipeline_tests.meddling import HARMFUL, HARMLESS, Act
from lp_pipeline_tests.scenario import lead, prospect

ASSETS = (
    *("raw_leads", "raw_prospects", "staged_opportunities", "opportunities"),
    *("hatch_deliveries", "raw_communications", "published"),
)
IN_THE_DRAFT, IN_PLACE, NOTHING_NEW = "in the draft", "in place", "nothing new"
STEPS = (*ASSETS, IN_THE_DRAFT, IN_PLACE, NOTHING_NEW)
Strike = Callable[[], None]


class StruckOutbox(Outbox):
    """The draft is half written when the client strikes."""

    strike: Strike

    def rows(self, name: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """As ever, but for the strike."""
        if name == "published_communication_pushes":
            self.strike()
        return super().rows(name, values)


class StruckWarehouse(Warehouse):
    """The new file has its name, and is not yet written down as published, when the client strikes."""

    strike: Strike

    @contextmanager
    def transaction(self, variables: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """As ever, but for the strike."""
        self.strike()
        with super().transaction(variables) as connection:
            yield connection


class Office:
    """One account, and a client that interferes with its published file."""

    def __init__(self, account: Talk) -> None:
        self._account = account
        self._file = account.folder / "published.duckdb"
        self.people = 0
        self.texts = 0

    def somebody_new(self) -> None:
        """LeadPerfection has one prospect more."""
        self._account.later()
        self.people += 1
        stamp = self._account.wall(minutes=1)
        one = prospect(str(self.people), lead(f"{self.people}0", lastchangedon=stamp), lastchanged=stamp)
        self._account.lp.put(one | {"phone1": f"518555{self.people:04}", "email": f"p{self.people}@example.com"})

    def sync(self, act: Act | None = None, step: str = "") -> list[str]:
        """One sync, with the act at that step; then a push. What went wrong."""
        with ExitStack() as stack:
            if step != NOTHING_NEW:
                self.somebody_new()

            def strike() -> None:
                if act:
                    meddling.do(act, self._file, stack)

            wrong = self._sync(strike, step)
            if step == IN_PLACE:  # what is done to the new file is for the next sync to find
                self._account.later()
                wrong += self._sync(lambda: None, NOTHING_NEW)
            wrong += self._read()
            strike()
            wrong += self._push()
        return [f"{act.__name__ if act else 'no client'}, {step}: {each}" for each in wrong]

    def _sync(self, strike: Strike, step: str) -> list[str]:
        if step == NOTHING_NEW:
            strike()
            return failures(self._account.run())
        first = ASSETS.index(step) if step in ASSETS else len(ASSETS) - 1  # of those that run after the act
        wrong = failures(self._account.run(select=list(ASSETS[:first]))) if first else []
        if step in (IN_THE_DRAFT, IN_PLACE):
            self._publish(strike, step)
            return wrong
        strike()
        return wrong + failures(self._account.run(select=list(ASSETS[first:])))

    def _publish(self, strike: Strike, step: str) -> None:
        warehouse = StruckWarehouse(self._account.folder)
        warehouse.strike = strike if step == IN_PLACE else lambda: None
        with StruckOutbox(self._account.folder) as outbox:
            outbox.strike = strike if step == IN_THE_DRAFT else lambda: None
            publish(warehouse, outbox=outbox, now=self._account.now, zone="America/New_York")

    def _read(self) -> list[str]:
        try:
            with duckdb.connect(str(self._file), read_only=True) as connection:
                ((found,),) = connection.execute("select count(*) from opportunities").fetchall()
                theirs = connection.execute("from duckdb_tables() where table_name = 'theirs'").fetchall()
        except duckdb.Error as error:
            return [f"the next reader: {error}"]
        wrong = [] if found == self.people else [f"the next reader sees {found} of {self.people}"]
        return wrong + (["the next reader sees a table of the client's"] if theirs else [])

    def _push(self) -> list[str]:
        self.texts += 1
        identity = f"c{self.texts}"
        self._account.text(identity, str(self.people))
        report = self._account.push()
        state = self._account.states()[identity]
        return [*report.errors, *([] if state == "sent" else [f"a push is {state}"])]


def meddled(folder: Path) -> tuple[str, list[str]]:
    """Each act at each step of a sync, and before a push."""
    wrong: list[str] = []
    with redirect_stderr(io.StringIO()), account_of(Talk, folder) as account:  # Dagster logs each step
        account.environ["PUSH_SINCE"] = LONG_AGO
        office = Office(account)
        wrong += office.sync()
        for act in (*HARMLESS, *HARMFUL):
            for step in STEPS:
                wrong += office.sync(act, step)
    acts = len(HARMLESS) + len(HARMFUL)
    return f"{acts} acts of clients at {len(STEPS)} steps of a sync, and before {office.texts} pushes.", wrong
