"""An hour of many accounts, in simulated time: the schedule decides minute by minute, and each account that is due is
really synced, against a LeadPerfection that takes its time.

The syncs are the same steps without Dagster, for its share of 2,000 syncs takes hours; that is measured in `launchers`.
"""

import heapq
import math
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from benchmarks.fleet import BEGIN, SCENARIO, deployment
from benchmarks.measure import megabytes
from benchmarks.ours import sync
from benchmarks.results import Results
from benchmarks.server import server, show
from lp_pipeline.orchestration.account_schedules import sync_schedule
from lp_pipeline.settings import Settings, account_folder, listed_accounts, load_account

CORES, BUSY = 2, 0.7
PROSPECTS, CHANGES = 100, 5
DELAY_MS = 200.0  # of each answer of LeadPerfection
AT_ONCE = 8
CHANGED = "select count(distinct external_id) from opportunity_changes where column_name is not null"


def hour(results: Results, work: Path, number: int, each: float) -> None:
    """Each account is due four times; the first time it loads everything, then it reads some changes. At the end each
    has published the changes of its last tick. Then how long after its tick a sync ends if it takes so many CPU seconds
    under Dagster, on as many hosts of two cores as are then busy for 70 % at most."""
    due: list[tuple[float, str]] = []
    ticking = working = 0.0
    took: list[float] = []
    with ExitStack() as stack:
        address = stack.enter_context(server(delay_ms=DELAY_MS))
        names = stack.enter_context(deployment(work, number, address))
        (work / "home").mkdir()
        instance = stack.enter_context(dg.DagsterInstance.local_temp(str(work / "home")))
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        schedule = sync_schedule(listed_accounts)
        began = time.perf_counter()
        for minute in range(60):
            at, quarter = BEGIN + timedelta(minutes=minute), minute // 15
            if minute % 15 == 0:
                if quarter:
                    show(address, "changed", size=PROSPECTS, revision=quarter, number=CHANGES)
                else:
                    show(address, "range", first=0, last=PROSPECTS)
            cpu = time.process_time()
            decided: Any = schedule(dg.build_schedule_context(instance=instance, scheduled_execution_time=at))
            accounts = [str(run.partition_key) for run in decided if isinstance(run, dg.RunRequest)]
            ticking += time.process_time() - cpu
            due += [(60.0 * minute, name) for name in accounts]
            cpu = time.process_time()
            took += threads.map(_synced, accounts, repeat(at))
            working += time.process_time() - cpu
        seconds = time.perf_counter() - began
        assert Counter(name for _, name in due) == dict.fromkeys(names, 4)
        assert [name for name in names if _published(name) != 3 * CHANGES] == []
        size = sum(megabytes(account_folder(name)) for name in names) / number
    results.add(SCENARIO, number, "an hour of the schedule's ticks", "", cpu_seconds=ticking)
    what, part = "an hour of syncs, without Dagster", f"{len(due)} syncs, {AT_ONCE} at a time"
    results.add(SCENARIO, number, what, part, seconds=seconds, cpu_seconds=working)
    results.add(SCENARIO, number, "one of them", "median", seconds=statistics.median(took), disk_mb=size)
    hosts = math.ceil(len(due) * each / (CORES * 3600 * BUSY))
    waits = delays([at for at, _ in due], each, hosts * CORES)
    part = f"simulated: {hosts} hosts of {CORES} cores, {each:.1f} CPU s a sync"
    results.add(SCENARIO, number, "from tick to end, median", part, seconds=statistics.median(waits))
    results.add(SCENARIO, number, "from tick to end, the slowest", part, seconds=max(waits))


def delays(due: list[float], each: float, cores: int) -> list[float]:
    """How long after it was due each ends, if each takes a core for so many seconds, first come, first served."""
    free, found = [0.0] * cores, []
    for at in due:
        ends = max(at, heapq.heappop(free)) + each
        heapq.heappush(free, ends)
        found.append(ends - at)
    return found


def _synced(name: str, at: datetime) -> float:
    """Sync an account as of a moment; the seconds that it took. Raises `NotRead`."""

    def load() -> Settings:
        return load_account(name).model_copy(update={"fixed_now": at})

    began = time.perf_counter()
    sync(load)
    return time.perf_counter() - began


def _published(name: str) -> int:
    """Of how many opportunities the account's published file shows changes."""
    with duckdb.connect(str(account_folder(name) / "published.duckdb"), read_only=True) as connection:
        ((number,),) = connection.execute(CHANGED).fetchall()
    return int(number)
