"""R1, W, F, J, M, S1 over whole histories: once LeadPerfection stops changing, the result is correct.

A short history every day; with `--hypothesis-profile drills` (in `make drills`) thousands of steps, others each time.
"""

from datetime import timedelta
from functools import partial

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from lp_pipeline.runs.backfill import backfill
from lp_pipeline.runs.sweep import sweep
from lp_pipeline.transform.held import settle_held
from lp_pipeline.transform.replay import replay
from lp_pipeline_tests.scenario import NOON
from lp_pipeline_tests.stateful.edits import PEOPLE, announced_edits, any_edits
from lp_pipeline_tests.stateful.machine import WHOLE, History, fates, requests, switches
from lp_pipeline_tests.stateful.mortal import Fate, ignore
from lp_pipeline_tests.stateful.verdict import Shown

DRILLS = settings.get_current_profile_name() == "drills"
HONEST = ("500", "503", "cut", "refuse", "broken_json", "html", "result0")  # faults that do not look like an answer


class AnyHistory(History):
    """Edits of every kind, announced or not, backfills, sweeps, and the identity guard."""

    edits = any_edits
    faults = (*HONEST, "empty", "empty")

    @initialize(switches=switches, held_after=st.sampled_from(["0", "1", "1000000"]))
    def begins(self, switches: dict[str, str], held_after: str) -> None:
        """M9: more suspects than this are held."""
        self.account.environ["LP_HELD_AFTER"] = held_after
        self.begin(**switches)

    @rule(days=st.sampled_from([(60, 0), (20, 10), (3, 0)]), hours=st.sampled_from(["240", WHOLE]), busy=st.booleans())
    def backfill(self, days: tuple[int, int], hours: str, busy: bool) -> None:
        """W2: backfill some days, possibly during a sync."""
        first, last = ((self.account.now - timedelta(days=each)).date() for each in days)
        self.past(lambda run: backfill(run, first, last, warn=ignore, info=ignore), hours, busy=busy)

    @rule(full=st.booleans(), calls=st.sampled_from(["10", "600"]), busy=st.booleans())
    def sweep(self, full: bool, calls: str, busy: bool) -> None:
        """S1: what was active, a slice of all history, and what was rejected."""
        self.account.environ["LP_SWEEP_CALLS"] = calls
        self.past(lambda run: sweep(run, full=full, warn=ignore, info=ignore), WHOLE, busy=busy)

    @rule()
    def accept_held(self) -> None:
        """M9: accept or drop held rows."""
        self.run(lambda: settle_held(self.account.load(), "accept", []))

    def end(self) -> None:
        """After one full sweep everything matches LP; E4: a replay gives the same result."""
        self.verdict.rejected_before = {
            str(who) for (who,) in self.account.ask("select external_contact_id from rejected_records")
        }
        self.sweep(full=True, calls="600", busy=False)
        self.accept_held()
        self.right(self.verdict.at_rest())
        self.right([f"replayed otherwise: {row}" for row in replay(self.account.load()).rows])


class AnnouncedHistory(History):
    """W1 to W5: what LP announces arrives by syncs alone, and what it announced before, by one backfill."""

    edits = announced_edits
    faults = HONEST

    @initialize(switches=switches, fate=st.none() | fates, after=requests, moved=st.integers(0, 2))
    def begins(self, switches: dict[str, str], fate: Fate | None, after: int, moved: int) -> None:
        """LP has a past, which moves between pages while it is read."""
        self.begin(**switches)
        for days, who in enumerate(reversed(PEOPLE), 22):
            self.people.add_old(who, days=days)
        shown = self.verdict.shown()
        self.move(PEOPLE[moved], after)
        first, last = ((NOON - timedelta(days=each)).date() for each in (60, 20))
        self.account.mortal.fate = fate
        while not self.past(partial(backfill, first=first, last=last, warn=ignore, info=ignore), WHOLE):
            continue  # it was killed
        self.has_read_all(shown)

    def has_read_all(self, shown: Shown) -> None:
        """Every edit that LP announced has arrived, except for records edited during the reading."""
        now = self.verdict.shown()
        at_rest = {feed: {who: it for who, it in now[feed].items() if shown[feed].get(who) == it} for feed in now}
        self.right(self.verdict.at_rest(at_rest))

    def end(self) -> None:
        """Nothing more: every edit is there."""
        self.right(self.verdict.at_rest())


def go(kind: type[History]) -> None:
    """One history of this kind, or very many."""
    depth = settings(
        max_examples=40 if DRILLS else 1,
        stateful_step_count=50 if DRILLS else 14,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(kind, settings=depth)


def test_after_any_history_everything_is_as_leadperfection_shows_it() -> None:
    """R1, W, F, J, M, S1, E4: correct after a sync and a full sweep; every change is logged once (M7)."""
    go(AnyHistory)


def test_what_is_announced_arrives_by_syncs_alone() -> None:
    """W1 to W5: after every sync that read all, though rows moved, outages, faults, kills and clocks came between."""
    go(AnnouncedHistory)
