"""A fleet to be killed: its accounts, a daemon, and workers that start again when they end, as services do; and what
Dagster knows of its runs."""

import json
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import dagster as dg
from dagster._core.storage.tags import SCHEDULED_EXECUTION_TIME_TAG
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import OperationalError

from lp_pipeline.orchestration.account_schedules import number
from lp_pipeline.settings import REPOSITORY, Account
from lp_pipeline_tests.drills.deployment import DAGSTER, ENDED, Status, below, until
from lp_pipeline_tests.drills.often import MODULE, start_code_server, start_daemon
from lp_pipeline_tests.fleet.branches import Branch
from lp_pipeline_tests.fleet.deployment import Fleet

REFUSED, HANGS, FULL, LONG = "branch-00", "branch-01", "branch-02", "branch-03"
SLOTS = 2  # of each shard, as deploy/fleet/dagster.yaml limits
FOREVER = 10**9
T = TypeVar("T")
Tick = tuple[str, datetime]  # an account, and the minute when it was due


class Agency(Fleet):
    """The fleet with its accounts and a daemon."""

    restarts = 0  # of the daemon
    texts_at_most = FOREVER  # for each account

    def begin(self, branches: dict[str, Branch], shards: dict[str, str], minutes: int) -> None:
        """Start all of it."""
        self.branches, self.shards, self.minutes = branches, shards, minutes
        self.lost: set[str] = set()  # runs that were killed here
        self._over = threading.Event()
        for shard in sorted(set(shards.values())):
            self.start_worker(shard, SLOTS)
            self.start_worker(f"{shard}-long")
        self._texts = threading.Thread(target=self._keep_talking, daemon=True)
        self._texts.start()
        self._code_server, self._daemon = start_code_server(self.folder), start_daemon(self.folder)
        self._service = threading.Thread(target=self._keep_daemon, daemon=True)
        self._service.start()
        self.began = datetime.now(UTC)

    def _keep_daemon(self) -> None:
        """As systemd does."""
        while not self._over.wait(2):
            if self._daemon.poll() is not None:
                self.restarts += 1
                self._daemon = start_daemon(self.folder)

    def _keep_talking(self) -> None:
        """Each account but two gets a text every other sync."""
        healthy = [each for name, each in self.branches.items() if name not in (REFUSED, FULL)]
        while True:
            for each in healthy:
                if self._over.wait(2 * 60 * self.minutes / len(healthy)):
                    return
                if each.said < self.texts_at_most:
                    each.say()

    def runs(self, job: str = "sync") -> list[dg.RunRecord]:
        """Of a job, as Dagster knows them."""
        return self._ask(lambda instance: list(instance.get_run_records(dg.RunsFilter(job_name=job))))

    def _ask(self, question: Callable[[dg.DagsterInstance], T]) -> T:
        """Asked again for a minute: PostgreSQL may have been restarted just now."""
        patience = time.monotonic() + 60
        while True:
            try:
                with dg.DagsterInstance.from_config(str(self.home)) as instance:
                    return question(instance)
            except (DagsterPostgresException, OperationalError):
                if time.monotonic() > patience:
                    raise
                time.sleep(1)

    def until_synced(self, names: Collection[str], since: datetime, when: str) -> None:
        """Wait until each of these accounts had a good sync that began after that. Raises `TimeoutError`."""
        try:
            until(lambda: not self._unsynced(names, since), when, 3 * 60.0 * self.minutes)
        except TimeoutError:
            runs = self.runs()
            last = [
                f"{name}: {[each.dagster_run.status.value for each in runs if account_of(each) == name][:3]}"
                for name in self._unsynced(names, since)
            ]
            raise TimeoutError(f"{when}, not all are synced: {'; '.join(last)}") from None

    def _unsynced(self, names: Collection[str], since: datetime) -> set[str]:
        good = {
            account_of(each)
            for each in self.runs()
            if each.dagster_run.status == Status.SUCCESS and (each.start_time or 0) > since.timestamp()
        }
        return set(names) - good

    def launch_backfill(self, name: str, days: int) -> None:
        """As a person does in the launchpad, which knows no queue."""
        first = datetime.now(UTC).date() - timedelta(days=days)
        config = {"ops": {"read_days": {"config": {"from": f"{first}", "to": "today"}}}}
        command = [DAGSTER, "job", "launch", "-w", str(self.folder / "workspace.yaml"), "-l", MODULE, "-j", "backfill"]
        command += ["--config-json", json.dumps(config)]
        command += ["--tags", json.dumps({"dagster/partition": name})]
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)

    @contextmanager
    def one_under_way(self, shard: str) -> Iterator[tuple[str, str]]:
        """A sync of that shard that LeadPerfection keeps waiting inside the block: whose, and its id."""
        here = [each for each in self.healthy if self.shards[each] == shard and each != LONG]
        with ExitStack() as stack:
            for name in here:
                stack.enter_context(self.branches[name].held())
            until(lambda: any(self.branches[name].asked.is_set() for name in here), f"no sync in {shard}")
            name = next(name for name in here if self.branches[name].asked.is_set())
            for other in here:
                if other != name:
                    self.branches[other].go_on()
            run = max(
                (each for each in self.runs() if account_of(each) == name), key=lambda each: each.create_timestamp
            )
            assert run.dagster_run.status == Status.STARTED
            yield name, run.dagster_run.run_id

    @property
    def healthy(self) -> list[str]:
        """The accounts with which nothing is wrong."""
        return [name for name in self.branches if name not in (REFUSED, HANGS, FULL)]

    def kill_run(self, shard: str) -> None:
        """Kill the process of a run."""
        with self.one_under_way(shard) as (_, run_id):
            (pid,) = (pid for pid in self.children(shard) if _has_open(pid, run_id))
            self.lost.add(run_id)
            os.kill(pid, signal.SIGKILL)
            self._until_ended(run_id)

    def kill_worker(self, shard: str) -> None:
        """Kill a worker with all that it does, and start it again."""
        with self.one_under_way(shard) as (_, run_id):
            pids = below(self.workers[shard].pid)
            self.lost |= {run_id, *self.under_way(shard)}
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.workers[shard].wait()
            self.start_worker(shard, SLOTS)
            self._until_ended(run_id)

    def restart_redis(self, shard: str, seconds: float) -> None:
        """Let Redis lose what it has, while a run is under way, which then ends well."""
        with self.one_under_way(shard):
            self.stop_redis()
            time.sleep(seconds)
            self.start_redis()

    def restart_postgres(self, shard: str, seconds: float) -> None:
        """The same with PostgreSQL, which keeps what it has."""
        with self.one_under_way(shard):
            self.database.stop()
            time.sleep(seconds)
            self.database.start()

    def deploy(self) -> float:
        """Stop all workers as an upgrade does, and start them again; how long the slowest took to stop."""
        began = time.monotonic()
        for shard in self.workers:
            self.lost |= set(self.under_way(shard))
            self.workers[shard].terminate()
        for worker in self.workers.values():
            worker.wait(timeout=120)
        took = time.monotonic() - began
        for shard in list(self.workers):
            self.start_worker(shard, 1 if shard.endswith("-long") else SLOTS)
        return took

    def under_way(self, queue: str) -> list[str]:
        """What a worker of this queue does just now."""
        runs = [each.dagster_run for job in ("sync", "push_communications", "backfill") for each in self.runs(job)]
        return [
            run.run_id
            for run in runs
            if run.tags.get("lp/queue") == queue and run.status not in (*ENDED, Status.QUEUED)
        ]

    def _until_ended(self, run_id: str) -> None:
        def state() -> Status:
            run = self._ask(lambda instance: instance.get_run_by_id(run_id))
            assert run
            return run.status

        until(lambda: state() == Status.FAILURE, f"a dead run is {state()}", patience=60)

    def missed(self, until_: datetime) -> tuple[list[str], list[float]]:
        """Which ticks of healthy accounts up to then had no good sync before their next one; and the seconds from each
        tick to the end of its sync. What was killed here misses one."""
        done: dict[Tick, float] = {}
        excused: set[Tick] = set()
        instead: dict[Tick, str] = {}
        for each in self.runs():
            due = datetime.fromisoformat(each.dagster_run.tags[SCHEDULED_EXECUTION_TIME_TAG])
            tick = (account_of(each), due)
            if each.dagster_run.run_id in self.lost:
                excused.add(tick)
            if each.dagster_run.status == Status.SUCCESS and each.end_time:
                done[tick] = each.end_time - due.timestamp()
            else:
                instead[tick] = each.dagster_run.run_id
        missed, seconds = [], []
        for name in self.healthy:
            due = self.began.replace(second=0, microsecond=0) + timedelta(minutes=2)
            while due < until_:
                if number(Account(name)) % self.minutes == due.minute % self.minutes:
                    took = done.get((name, due))
                    if took is not None:
                        seconds.append(took)
                    if (took is None or took > 60 * self.minutes) and (name, due) not in excused:
                        had = "was late" if took else self._story(instead.get((name, due)))
                        missed.append(f"{name} was due at {due:%H:%M}, and {had}")
                due += timedelta(minutes=1)
        return missed, seconds

    def _story(self, run_id: str | None) -> str:
        """What became of a run that did not end well."""
        if run_id is None:
            return "had no run"
        entries = self._ask(lambda instance: instance.all_logs(run_id))
        told = [
            f"{each.timestamp:.0f} {each.get_dagster_event().event_type_value}"
            for each in entries
            if each.dagster_event
        ]
        why = [each.user_message or each.message for each in entries if int(each.level) >= logging.WARNING]
        return f"its run did not end well: {'; '.join(told[:6] + told[-6:])}; {' | '.join(why)[:1500]}"

    def pushes_open(self) -> bool:
        """Whether something that Hatch said is not in LeadPerfection yet."""
        return any(len(each.lp.all_notes()) < each.said for each in self.branches.values())

    def backfill_is_done(self) -> bool:
        """Whether it ended well, and was started again by Dagster."""
        found = [each.dagster_run.status for each in self.runs("backfill")]
        return Status.SUCCESS in found and len(found) > 1

    def stop_daemon(self) -> None:
        """Start nothing more."""
        self._over.set()
        self._service.join()
        for process in (self._daemon, self._code_server):
            for pid in below(process.pid) if process.poll() is None else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

    def stop(self) -> None:
        """End all that was started here."""
        self.stop_daemon()
        super().stop()


def account_of(record: dg.RunRecord) -> str:
    """Whose run it is."""
    return str(record.dagster_run.tags["dagster/partition"])


def _has_open(pid: int, name: str) -> bool:
    """Whether a process has a file of that name open: that of a run which it does."""
    found = False
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found = found or each.readlink().name == name
    return found
