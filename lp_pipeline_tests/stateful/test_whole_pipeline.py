"""R1, W, F, J, M, S1 over whole histories: whatever happens, once LeadPerfection rests everything is right.

A few hundred steps in the everyday suite; with `--hypothesis-profile drills` (in `make drills`) thousands.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from lp_pipeline.errors import LeadPerfectionError
from lp_pipeline.history import backfill
from lp_pipeline.sweeping import sweep
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.stateful.edits import Edit, People, edits
from lp_pipeline_tests.stateful.mortal import DisturbedAccount, Fate, Killed, MortalWarehouse, ignore
from lp_pipeline_tests.stateful.verdict import Triggers, Verdict

DRILLS = settings.get_current_profile_name() == "drills"
FAULTS = ("500", "503", "cut", "empty", "empty", "refuse", "broken_json", "html", "result0")
PAUSES = (
    *[timedelta(minutes=1), timedelta(minutes=15), timedelta(minutes=15), timedelta(hours=2)],
    *[timedelta(hours=25), timedelta(days=3), timedelta(days=12), timedelta(days=35)],
)
HOUR = timedelta(hours=1)
WHOLE = "2400"  # hours of a piece that holds a history

fates = st.builds(Fate, st.integers(1, 9), st.sampled_from(["before", "inside", "after"]))


class WholePipeline(RuleBasedStateMachine):
    """Edits, readings, merges, outages, faults, clocks and kills in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(TemporaryDirectory())
        self.account = self.stack.enter_context(account_of(DisturbedAccount, Path(folder)))
        self.account.environ |= {
            "LP_RATE_PER_MINUTE": "60000",
            "LP_HELD_AFTER": "1000000",
            "LP_IGNORE_FIELDS": "setter",
            "LP_PAGE_SIZE": "3",
        }
        self.people = People(self.account)
        self.triggers = Triggers()

    @initialize(paging=st.sampled_from(["page", "row"]), order=st.sampled_from(["cst_id", "lastchanged"]))
    def begin(self, paging: str, order: str) -> None:
        """LP has its oldest prospect, which the first sync reads."""
        self.account.lp.switch(paging=paging, order=order)
        self.account.disturb()
        self.people.begin()
        self._run(self.account.whole_sync, one_merge=True)

    @rule(several=st.lists(edits, min_size=1, max_size=5))
    def edit(self, several: list[Edit]) -> None:
        """Somebody edits LP."""
        for edit in several:
            self.account.later(seconds=20)
            self.people.apply(edit)

    @rule(several=st.lists(edits, min_size=1, max_size=5), pause=st.sampled_from(PAUSES))
    def edit_and_sync(self, several: list[Edit], pause: timedelta) -> None:
        """Somebody edits LP, time passes, and a sync reads it."""
        self.edit(several)
        self.account.now += pause
        self.sync()

    @rule(several=st.lists(st.tuples(st.integers(0, 8), edits), min_size=1, max_size=3))
    def edit_while_pages_are_read(self, several: list[tuple[int, Edit]]) -> None:
        """Somebody will edit LP while it is being read."""
        for after, edit in several:
            self.account.meanwhile.append((after, partial(self.people.apply, edit)))

    @rule(pause=st.sampled_from(PAUSES))
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

    @rule(kind=st.sampled_from(FAULTS), times=st.integers(1, 5), after=st.integers(0, 8))
    def fault(self, kind: str, times: int, after: int) -> None:
        """LP's next requests meet trouble."""
        self.account.lp.fault(kind, path="Customers", times=times, after=after)

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
        self._run(self.account.whole_sync, one_merge=True)

    @rule()
    def sync_again(self) -> None:
        """The job, a quarter of an hour later."""
        self.account.later()
        self._run(self.account.whole_sync, one_merge=True)

    @rule(which=st.sampled_from(["reads", "merges"]))
    def half_a_sync(self, which: Literal["reads", "merges"]) -> None:
        """W8: reading and merging may fail apart."""
        self._run(lambda: self.account.whole_sync(reads=which == "reads", merges=which == "merges"), one_merge=True)

    @rule(days=st.sampled_from([(60, 0), (20, 10), (3, 0)]), hours=st.sampled_from(["240", WHOLE]), busy=st.booleans())
    def backfill(self, days: tuple[int, int], hours: str, busy: bool) -> None:
        """W2: days of the past are read, perhaps while a sync goes on."""
        first, last = ((self.account.now - timedelta(days=each)).date() for each in days)
        self._past(lambda pipeline: backfill(pipeline, first, last, warn=ignore, info=ignore), hours, busy)

    @rule(full=st.booleans(), calls=st.sampled_from(["10", "600"]), busy=st.booleans())
    def sweep(self, full: bool, calls: str, busy: bool) -> None:
        """S1: what was active, a slice of all history, and what was rejected."""
        self.account.environ["LP_SWEEP_CALLS"] = calls
        self._past(lambda pipeline: sweep(pipeline, full=full, warn=ignore, info=ignore), WHOLE, busy)

    def _past(self, work: Callable[..., object], hours: str, busy: bool) -> None:
        """Run it with pieces of so many hours."""

        def read() -> None:
            with self.account.pipeline() as pipeline:
                work(pipeline)

        if busy:
            self.account.meanwhile.append((3, self._sync_meanwhile))
        usual = self.account.environ.pop("LP_PIECE_HOURS", None)
        self.account.environ["LP_PIECE_HOURS"] = hours
        self._run(read)
        self.account.environ.pop("LP_PIECE_HOURS")
        self.account.environ |= {"LP_PIECE_HOURS": usual} if usual else {}

    def _sync_meanwhile(self) -> None:
        """A sync of another process, while history is fetched; a sync itself holds the turn, so none comes then."""
        if self.in_the_past:
            self.account.whole_sync()

    in_the_past = False

    def _run(self, work: Callable[[], object], *, one_merge: bool = False) -> None:
        """Run something until its end, however it ends."""
        self.in_the_past = not one_merge
        self.account.later(seconds=20)
        with suppress(LeadPerfectionError, Killed):
            work()
        self.account.mortal.fate = None
        self.in_the_past = False
        self._no_trouble()
        self.triggers.note(self.account, one_merge=one_merge)

    def _no_trouble(self) -> None:
        if self.account.troubles:
            raise self.account.troubles[0]

    def teardown(self) -> None:
        """LP comes to rest; one sync and one full sweep later everything is as the SPEC says."""
        try:
            if sys.exception() is None:
                self.come_to_rest()
        finally:
            self.stack.close()

    def come_to_rest(self) -> None:
        """The end of every history."""
        account = self.account
        account.meanwhile, account.mortal.fate = [], None
        with account.lp.open() as world:
            world.run("delete from faults")
        if self.people.skew:
            self.clock_is_set()
        account.later(hours=2)
        account.environ["LP_PIECE_HOURS"] = WHOLE
        self._run(account.whole_sync, one_merge=True)
        rejected = {str(who) for (who,) in account.ask("select external_contact_id from rejected_records")}
        with account.pipeline() as pipeline:
            sweep(pipeline, full=True, warn=ignore, info=ignore)
        self.triggers.note(account, one_merge=False)
        wrong = Verdict(account, self.people, self.triggers, rejected).differences()
        assert not wrong, "\n".join(wrong)


TestWholePipeline = pytest.mark.slow(WholePipeline.TestCase)
TestWholePipeline.settings = settings(
    max_examples=150 if DRILLS else 4,
    stateful_step_count=50 if DRILLS else 30,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
