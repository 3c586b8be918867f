"""Random histories of an account: their steps, and the final state once LeadPerfection stops changing.

Belongs here: edits, time, faults, kills and syncs, and what is compared after each run. Not here: what a particular
kind of history adds to it, and how it ends (test_whole_pipeline.py).
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from lp_pipeline.errors import LeadPerfectionError
from lp_pipeline.runs.connections import Connections
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.stateful.edits import PEOPLE, Edit, People
from lp_pipeline_tests.stateful.mortal import DisturbedAccount, Fate, Killed, MortalWarehouse
from lp_pipeline_tests.stateful.verdict import Shown, Triggers, Verdict

PAUSES = (
    *[timedelta(minutes=1), timedelta(minutes=15), timedelta(minutes=15), timedelta(hours=2)],
    *[timedelta(hours=25), timedelta(days=3), timedelta(days=12), timedelta(days=35)],
)
HOUR = timedelta(hours=1)
Job = Callable[[Connections], object]
WHOLE = "2400"  # hours of a piece that holds a history

pauses = st.sampled_from(PAUSES)
requests = st.integers(0, 8)  # that pass before something happens
switches = st.fixed_dictionaries(
    {
        "page_size": st.sampled_from(["1", "2", "3"]),
        "paging": st.sampled_from(["page", "row"]),
        "order": st.sampled_from(["lastchanged", "lastchanged", "cst_id"]),
    }
)
fates = st.builds(Fate, st.integers(1, 9), st.sampled_from(["before", "inside", "after"]))


class History(RuleBasedStateMachine):
    """Edits, readings, merges, outages, faults, clocks and kills in any order."""

    edits: st.SearchStrategy[Edit]
    faults: tuple[str, ...]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(TemporaryDirectory())
        self.account = self.stack.enter_context(account_of(DisturbedAccount, Path(folder)))
        self.account.environ |= {
            "LP_RATE_PER_MINUTE": "60000",
            "LP_HELD_AFTER": "1000000",
            "LP_IGNORE_FIELDS": "setter",
        }
        self.people = People(self.account)
        self.triggers = Triggers()
        self.verdict = Verdict(self.account, self.people, self.triggers)
        self.in_the_past = False

    def begin(self, page_size: str = "2", **switches: str) -> None:
        """LP has its oldest prospect, which the first sync reads."""
        self.account.environ["LP_PAGE_SIZE"] = page_size
        self.account.lp.switch(**switches)
        self.account.disturb()
        self.people.begin()
        self.sync()

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """Edit LP."""
        self._edit(data.draw(st.lists(self.edits, min_size=1, max_size=5)))

    @rule(data=st.data(), pause=pauses)
    def edit_and_sync(self, data: st.DataObject, pause: timedelta) -> None:
        """Edit LP, let time pass, and sync."""
        self.edit(data)
        self.account.now += pause
        self.sync()

    @rule(
        who=st.permutations(PEOPLE),
        kinds=st.sampled_from([("own",), ("own", "lead")]),  # what one feed shows, or both
        value=st.integers(0, 7),
        moved=st.integers(0, 2),
        after=st.integers(1, 6),
        minutes=st.sampled_from([1, 40, 120]),
    )
    def rows_move_between_pages(
        self, who: list[str], kinds: tuple[str, ...], value: int, moved: int, after: int, minutes: int
    ) -> None:
        """W4: of people who were edited in this order, one of the first is edited again after the first pages."""
        for number, each in enumerate(who):
            self._edit([Edit(kind, each, each, number % 4, value + number, stamp=True) for kind in kinds])
        self.account.now += timedelta(minutes=minutes)
        self.move(who[moved], after)
        self.sync()

    def move(self, who: str, after: int) -> None:
        """An edit that moves a row to another page, or out of its window, after `after` requests."""
        edit = Edit("own", who, who, 3, after, stamp=True)
        self.account.meanwhile.append((after, partial(self.people.apply, edit)))

    @rule(data=st.data())
    def edit_while_pages_are_read(self, data: st.DataObject) -> None:
        """Schedule an edit of LP during the next reading."""
        for after, edit in data.draw(st.lists(st.tuples(requests, self.edits), min_size=1, max_size=3)):
            self.account.meanwhile.append((after, partial(self.people.apply, edit)))

    @rule(pause=pauses)
    def time_passes(self, pause: timedelta) -> None:
        """Minutes, or an outage of days."""
        self.account.now += pause

    @rule()
    def clock_is_set(self) -> None:
        """Ours alone, by an hour; a second time it is put right."""
        step = HOUR if self.people.skew else -HOUR
        self.account.now += step
        self.people.skew -= step
        self.account.lp.switch(clock_skew_seconds=int(self.people.skew.total_seconds()))

    @rule(data=st.data(), times=st.integers(1, 5), after=requests)
    def fault(self, data: st.DataObject, times: int, after: int) -> None:
        """Queue faults for LP's next requests."""
        self.account.lp.fault(data.draw(st.sampled_from(self.faults)), path="Customers", times=times, after=after)

    @rule(fate=fates)
    def next_run_is_killed(self, fate: Fate) -> None:
        """The next run ends at one of its transactions."""
        self.account.mortal.fate = fate

    @rule()
    def restart(self) -> None:
        """All processes are new, and with them DuckDB."""
        fate = self.account.mortal.fate
        self.account.mortal = MortalWarehouse(self.account.folder)
        self.account.mortal.fate = fate

    @rule()
    def sync(self) -> None:
        """The job."""
        shown = self.verdict.shown()
        if self.run(self.account.whole_sync, one_merge=True) and not self.people.skew:
            self.has_read_all(shown)

    @rule()
    def sync_again(self) -> None:
        """The job, a quarter of an hour later."""
        self.account.later()
        self.sync()

    @rule(which=st.sampled_from(["reads", "merges"]))
    def half_a_sync(self, which: Literal["reads", "merges"]) -> None:
        """W8: reading and merging may fail apart."""
        self.run(lambda: self.account.whole_sync(reads=which == "reads", merges=which == "merges"), one_merge=True)

    def has_read_all(self, shown: Shown) -> None:
        """LP was read to the end; this is what it showed before."""

    def past(self, work: Job, hours: str, *, busy: bool = False) -> bool:
        """Backfill in pieces of `hours`, possibly during a sync; returns whether it finished."""

        def read() -> bool:
            with self.account.connections() as connections:
                work(connections)
            return True

        if busy:
            self.account.meanwhile.append((3, self._sync_meanwhile))
        self.account.environ["LP_PIECE_HOURS"] = hours
        did_end = self.run(read)
        del self.account.environ["LP_PIECE_HOURS"]
        return bool(did_end)

    def _edit(self, several: list[Edit]) -> None:
        for each in several:
            self.account.later(seconds=20)
            self.people.apply(each)

    def _sync_meanwhile(self) -> None:
        """A sync of another process, while history is fetched; a sync itself holds the turn, so none comes then."""
        if self.in_the_past:
            self.account.whole_sync()

    def run(self, work: Callable[[], object], *, one_merge: bool = False) -> object:
        """Run something until its end, however it ends; its result, unless it was cut short."""
        self.in_the_past = not one_merge
        self.account.later(seconds=20)
        result = None
        with suppress(LeadPerfectionError, Killed):
            result = work()
        self.account.mortal.fate = None
        self.in_the_past = False
        if self.account.errors:
            raise self.account.errors[0]
        self.triggers.note(self.account, one_merge=one_merge)
        self.right(self.verdict.after_a_run())
        return result

    def right(self, wrong: list[str]) -> None:
        """Nothing is wrong."""
        assert not wrong, "\n".join(wrong)

    def teardown(self) -> None:
        """Stop all changes in LP, then read it in the way that must be enough for this kind of history."""
        try:
            if sys.exception() is None:
                self._come_to_rest()
        finally:
            self.stack.close()

    def _come_to_rest(self) -> None:
        account = self.account
        account.meanwhile, account.mortal.fate = [], None
        with account.lp.open() as world:
            world.run("delete from faults")
        if self.people.skew:
            self.clock_is_set()
        account.later(hours=2)
        account.environ["LP_PIECE_HOURS"] = WHOLE
        self.sync()
        self.end()

    def end(self) -> None:
        """What is read besides the last sync, and the expected result."""
        raise NotImplementedError
