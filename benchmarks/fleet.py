"""Many accounts: what it costs to look at all of them, with nothing to do.

What one sync costs under each launcher is measured in `launchers`, an hour of all their syncs in `fleet_hour`.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks.account import UNLIMITED
from benchmarks.measure import OURS
from benchmarks.results import Results
from lp_pipeline.orchestration.account_schedules import sync_schedule
from lp_pipeline.orchestration.account_sensor import push_sensor
from lp_pipeline.orchestration.alert_sensor import accounts_alert_sensor
from lp_pipeline.orchestration.build import build_account_definitions
from lp_pipeline.settings import SANDBOX_ACCOUNT, listed_accounts, load_accounts
from lp_pipeline.settings.accounts import mark
from lp_pipeline.storage.outbox import Outbox

BEGIN = datetime(2026, 3, 2, 17, tzinfo=UTC)
SCENARIO = "fleet"


@contextmanager
def deployment(folder: Path, number: int, address: str = "http://127.0.0.1:9", **more: str) -> Iterator[list[str]]:
    """So many accounts on the shards east and west, whose settings this process reads inside the block; their names."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "accounts").mkdir(parents=True)
    names = [f"branch-{each:04}" for each in range(number)]
    tables = [f'[accounts.{name}]\nshard = "{("east", "west")[each % 2]}"\n' for each, name in enumerate(names)]
    (folder / "accounts.toml").write_text("".join(tables))
    kept = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(LP_PIPELINE_ACCOUNTS=str(folder / "accounts.toml"), LP_PIPELINE_DATA=str(folder / "volume"))
    settings = {"LP_API_URL": address, **SANDBOX_ACCOUNT, "LP_RATE_PER_MINUTE": UNLIMITED, **more}
    try:
        for name in names:
            path = folder / "accounts" / f"{name}.env"
            path.touch(mode=0o600)
            own = {**settings, "LP_CLIENT_ID": name}
            path.write_text("".join(f"{each}={value}\n" for each, value in own.items()))
            mark(folder / "volume" / name, name)
        yield names
    finally:
        os.environ.clear()
        os.environ.update(kept)
        shutil.rmtree(folder, ignore_errors=True)


def looks(results: Results, work: Path, number: int, rounds: int) -> None:
    """What is done for all accounts at once, when none has anything to do."""
    with deployment(work, number) as names:
        home = work / "home"
        home.mkdir()
        for name in names:
            with Outbox(work / "volume" / name) as outbox:
                outbox.keep("made", "now")
        with dg.DagsterInstance.local_temp(str(home)) as instance:
            sensor, alerts, schedule = (
                push_sensor(listed_accounts),
                accounts_alert_sensor(listed_accounts),
                sync_schedule(listed_accounts),
            )
            cursor: list[str | None] = [None]

            def look() -> None:
                found: Any = sensor(dg.build_sensor_context(instance=instance, cursor=cursor[0]))
                assert not found.run_requests
                cursor[0] = found.cursor

            def tick() -> list[Any]:
                at = BEGIN + timedelta(minutes=7)
                decided: Any = schedule(dg.build_schedule_context(instance=instance, scheduled_execution_time=at))
                return list(decided)

            _time(results, number, "loading all accounts", load_accounts, rounds)
            _time(results, number, "building the definitions", _definitions, rounds)
            _time(results, number, "push sensor: the first look at all", look, 1)
            _time(results, number, "push sensor: all idle", look, rounds)
            _time(results, number, "alert sensor: all well", lambda: alerts(_context(instance)), rounds)
            _time(results, number, "schedule: a minute's tick", tick, rounds)


def _definitions() -> None:
    build_account_definitions().get_repository_def().get_all_jobs()


def _context(instance: dg.DagsterInstance) -> dg.SensorEvaluationContext:
    return dg.build_sensor_context(instance=instance)


def _time(results: Results, number: int, what: str, work: Callable[[], Any], rounds: int) -> None:
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        work()
        found = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
        results.add(SCENARIO, number, what, "", **found)
