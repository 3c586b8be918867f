"""`dagster dev` and all that it started, killed in the middle of a sync, a push and a backfill while others are queued,
and started again, several times: nothing hangs, nothing is lost or duplicated (R1)."""

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster._core.scheduler.instigation import InstigatorTick, TickStatus

from lp_pipeline.storage.locks import BRIEF, PAST, PUSH_TURN, Turn
from lp_pipeline.storage.warehouse import run
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.drills.deployment import Deployment, Status, until
from lp_pipeline_tests.drills.drill import PEOPLE, Drill
from lp_pipeline_tests.scenario import lead, prospect

DOUBT = 3.0  # seconds
TEXTS = 10  # that land before each kill
BRAKE = 1.0  # seconds that each LeadPerfection answer takes while a process is about to be killed
A_TICK = 16 * 60.0  # seconds in which the schedule ticks for sure
DAYS = timedelta(days=60)  # a backfill that is not over before it is killed


class Mortal:
    """An account with a deployment that is killed, and a LeadPerfection that can be held up."""

    def __init__(self, account: Drill, home: Path, rng: random.Random) -> None:
        self.account, self.rng = account, rng
        account.environ |= {"LP_RATE_PER_MINUTE": "6000"}
        account.begin(DOUBT)
        account.lp.clock = lambda: datetime.now(UTC)
        account.lp.before_request = lambda *_: self._hold()
        self.deployment = Deployment(account, home)
        self.killed: set[str] = set()
        self.queued: list[str] = []
        self.processes = self.texts = self.people = 0
        self._gate = threading.Event()
        self._brake = BRAKE

    def _hold(self) -> None:
        self._gate.wait()
        time.sleep(self._brake)

    def let_go(self) -> None:
        """From now on LeadPerfection answers at once."""
        self._brake = 0.0
        self._gate.set()

    def say(self, number: int) -> None:
        """So many texts land."""
        self.account.say(self.texts, self.texts + number)
        self.texts += number

    def somebody_new(self) -> None:
        """LeadPerfection has one more prospect."""
        self.account.now = datetime.now(UTC)
        stamp, number = self.account.wall(), PEOPLE + self.people
        self.account.lp.put(prospect(str(number), lead(f"{number}0", lastchangedon=stamp), lastchanged=stamp))
        self.people += 1

    def in_progress(self) -> bool:
        """Whether a sync, a push and a backfill are, all at once."""
        turn, brief, push, past = (Turn(self.account.folder, name) for name in ("turn", BRIEF, PUSH_TURN, PAST))
        return turn.is_taken() and not brief.is_taken() and push.is_taken() and past.is_taken()

    def kill(self) -> None:
        """Kill everything at a random moment of all three, while a sync and a push are queued."""
        self.somebody_new()
        self.say(TEXTS)
        until(self.in_progress, "a sync, a push and a backfill never overlap")
        self._gate.set()
        time.sleep(self.rng.uniform(0.0, 3 * BRAKE))
        self._gate.clear()
        self.deployment.freeze_daemon()
        self.queued = [self.deployment.launch(job) for job in ("sync", "push_communications")]
        if not self.in_progress():
            raise TimeoutError("one of the three was over before it was to be killed")
        self.processes += self.deployment.kill()
        if (states := self.deployment.states(self.queued)) != {Status.QUEUED}:
            raise TimeoutError(f"what was to be queued is {states}")
        dead = set(self.deployment.under_way()) - set(self.queued)
        if {self.deployment.runs()[run_id][0] for run_id in dead} != {"sync", "push_communications", "backfill"}:
            raise TimeoutError("Dagster does not believe that all three run")
        self.killed |= dead

    def tick(self, name: str, after: float, patience: float) -> str:
        """Wait for the daemon's next tick that starts a run, and for that run to succeed; returns a summary."""
        skipped: list[InstigatorTick] = []

        def started() -> list[InstigatorTick]:
            ticks = self.deployment.ticks(name, after)
            skipped[:] = [tick for tick in ticks if tick.status == TickStatus.SKIPPED]
            return [tick for tick in ticks if tick.status == TickStatus.SUCCESS]

        until(started, f"{name} started nothing", patience)
        (run_id, *_) = started()[0].run_ids
        until(lambda: self.deployment.states([run_id]) == {Status.SUCCESS}, f"the run of {name} never ended well")
        moment = datetime.fromtimestamp(started()[0].timestamp, UTC)
        return f"{name} ticked at {moment:%H:%M:%S} UTC and its run ended well ({len(skipped)} skipped before)"

    def recover(self, *, wait_for_tick: bool) -> str:
        """Start again, wait until everything has come to its end, then for the next ticks; what happened, in a line."""
        deployment = self.deployment
        self.let_go()
        began = time.monotonic()
        deployment.start()
        until(lambda: deployment.states(self.killed) == {Status.FAILURE}, "a dead run is still under way")
        summary = f"dead runs were marked as failed {time.monotonic() - began:.0f} s after the last start"
        until(lambda: deployment.states(self.queued) == {Status.SUCCESS}, "what was queued has not ended well")
        summary += f", what was queued well after {time.monotonic() - began:.0f} s"
        until(lambda: ("backfill", Status.SUCCESS) in deployment.runs().values(), "the backfill did not continue")
        summary += f", the backfill by itself after {time.monotonic() - began:.0f} s"
        until(lambda: not deployment.under_way() and not self.account.open_pushes(), "something never ends")
        moment = time.time()
        self.say(1)
        summary += f"; {self.tick('push_when_communications_arrive', moment, patience=60.0)}"
        until(lambda: not deployment.under_way(), "something never ends")
        if wait_for_tick:
            self.somebody_new()
            moment = time.time()
            summary += f"; {self.tick('sync_every_15_minutes', moment, A_TICK)}"
            if deployment.ticks("sync_every_15_minutes", moment)[0].status != TickStatus.SUCCESS:
                raise TimeoutError("the schedule's next tick was skipped although no run was in progress")
        return summary

    def wrong(self) -> list[str]:
        """What is not as it should be in the end."""
        _, wrong = self.account.result(self.texts)
        with self.account.connections() as connections, connections.warehouse.connection() as connection:
            wrong += [f"not read: {gap}" for gap in run(connection, "checks/window_gaps")]
        people = PEOPLE + self.people
        if (found := self.account.ask("select count(*), count(distinct external_contact_id) from opportunities")) != [
            (people, people)
        ]:
            wrong.append(f"opportunities and contacts: {found} instead of {people}")
        if (found := self.account.ask("select count(*) from opportunity_changes where column_name is null")) != [
            (people,)
        ]:
            wrong.append(f"inserts: {found} instead of {people}")
        if (found := self.account.ask("select count(*) from pipeline.unmerged")) != [(0,)]:
            wrong.append(f"not merged: {found}")
        wrong += [f"pool slot taken: {slot}" for slot in self.deployment.slots_taken()]
        ended_badly = {job for job, status in self.deployment.runs().values() if status == Status.CANCELED}
        return [*wrong, *(f"{job} was canceled" for job in ended_badly)]


def killed_and_started_again(
    folder: Path, rng: random.Random, kills: int = 4, *, wait_for_tick: bool = True
) -> tuple[str, list[str]]:
    """The drill: what happened, in a line, and what was wrong."""
    with account_of(Drill, folder) as account:
        mortal = Mortal(account, folder / "home", rng)
        try:
            first = (datetime.now(UTC) - DAYS).date()
            for number in range(kills):
                mortal.deployment.start()
                if not number:
                    mortal.deployment.launch(
                        "backfill", read_days={"config": {"from": f"{first}", "to": f"{datetime.now(UTC).date()}"}}
                    )
                    mortal.deployment.launch("sync")
                mortal.kill()
            summary = mortal.recover(wait_for_tick=wait_for_tick)
            mortal.deployment.kill()
            wrong = mortal.wrong()
        except TimeoutError as error:
            summary, wrong = "", [str(error)]
        finally:
            mortal.deployment.kill()
        runs = f"{mortal.processes} processes killed in {kills} kills, {len(mortal.killed)} runs among them"
        return f"{runs}; {summary}; {mortal.texts} texts, {PEOPLE + mortal.people} prospects", wrong
