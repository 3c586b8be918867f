"""An account with a past: people who changed some days ago, and the jobs that read them again."""

from datetime import date
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.runs.backfill import HistoryReport, backfill
from lp_pipeline.runs.sweep import sweep
from lp_pipeline_tests.account import PACE, Account
from lp_pipeline_tests.scenario import Record, lead, prospect

OPS = {"backfill": "read_days", "sweep": "read_again"}
DAYS = (date(2026, 2, 26), date(2026, 2, 28))  # three days before NOON's weekend


def person(account: Account, cst_id: str, stamp: str | None = None, **fields: Any) -> Record:
    """A prospect with one lead, both added and last changed at this wall time, or a minute ago."""
    at = stamp or account.wall(minutes=1)
    own = {name: value for name, value in fields.items() if name != "disposition"}
    its = {name: value for name, value in fields.items() if name == "disposition"}
    return prospect(
        cst_id,
        lead(f"{cst_id}0", lastchangedon=at, dateentered=at, **its),
        **{"lastchanged": at, "dateadded": at, **own},
    )


def day(number: int) -> str:
    """Ten in the morning on a day of February."""
    return f"2026-02-{number:02}T10:00:00"


def fill_back(account: Account, first: date = DAYS[0], last: date = DAYS[1]) -> HistoryReport:
    """A backfill, without Dagster around it."""
    with account.connections() as connections:
        return backfill(connections, first, last, warn=lambda _: None, info=lambda _: None)


def sweep_up(account: Account, *, full: bool = False) -> HistoryReport:
    """A sweep, likewise."""
    with account.connections() as connections:
        return sweep(connections, full=full, warn=lambda _: None, info=lambda _: None)


def run_job(account: Account, name: str, **config: Any) -> dg.ExecuteInProcessResult:
    """One of the two jobs, as Dagster runs it."""
    job = build_definitions(account.load, pace=PACE).resolve_job_def(name)
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance, raise_on_error=False, run_config={"ops": {OPS[name]: {"config": config}}}
        )


def asked(account: Account, since: int = 0) -> list[tuple[str, str]]:
    """The start and end of each window that LeadPerfection's lead feed was asked for, from the `since`th request on."""
    calls = account.lp.requests[since:]
    return [(each["startdate"], each["enddate"]) for path, each in calls if path.endswith("GetLead")]


def ids(account: Account) -> list[str]:
    """The contacts that have opportunities."""
    return [row[0] for row in account.ask("select external_contact_id from opportunities order by 1")]
