"""SPEC R1: a backfill and a sweep that are killed at any of their transactions; the next run ends as one left alone.

A kill leaves what is on the disk: that is kept before, inside and after each transaction, and a next run begins there.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest

from lp_pipeline.runs.backfill import backfill
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.sweep import sweep
from lp_pipeline.storage.warehouse import Warehouse, run
from lp_pipeline_tests.account import PACE, Account
from lp_pipeline_tests.drills.killed_past import J3
from lp_pipeline_tests.runs.past import DAYS, day, fill_back, person
from lp_pipeline_tests.scenario import Record

Photo = dict[str, bytes]
Job = Callable[[Connections], object]
KEY = "external_contact_id, external_id, external_created_local"
RESULT = (
    f"select {J3} from opportunities order by all",
    f"select {KEY}, column_name, old_value, new_value from opportunity_changes order by all",
    "select external_contact_id, external_id, field from unannounced_changes order by all",
    f"select {KEY}, reason from pipeline.due_deliveries order by all",
    "select contact_key, combination, lead_key, missing from rejected_records order by all",
    "select external_contact_id, result_code from calls order by all",
    "select swept_to from pipeline.sweep",
    "select distinct first_day, last_day, read_to from pipeline.backfills order by all",
)


class Camera(Warehouse):
    """A warehouse of whose files a copy is kept whenever a kill would leave them otherwise than before."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, keeps_open=True)
        self.photos: list[Photo] = []

    @contextmanager
    def transaction(self, variables: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """As ever, with three looks at the disk."""
        self._look()
        with super().transaction(variables) as connection:
            yield connection
            self._look()
        self._look()

    def _look(self) -> None:
        photo = {path.name: path.read_bytes() for path in self.folder.glob("work.duckdb*")}
        if photo not in self.photos:
            self.photos.append(photo)


class WatchedConnections(Connections):
    """A run with a warehouse that somebody may watch."""

    watched: Warehouse

    def _new_warehouse(self) -> Warehouse:
        return self.watched


def go(account: Account, job: Job, warehouse: Warehouse) -> None:
    """Run the job to its end, as a process of its own."""
    with WatchedConnections(str(uuid4()), account.load, pace=PACE) as connections:
        connections.watched = warehouse
        job(connections)


def killed_everywhere(account: Account, job: Job, one_in: int = 1) -> tuple[int, list[int]]:
    """In how many states a kill could leave the disk, and which of them the next run did not make good; `one_in` so
    many is tried, others each time."""
    account.folder.mkdir(exist_ok=True)
    camera = Camera(account.folder)
    go(account, job, camera)
    undisturbed = result(account)
    wrong = []
    first = random.randrange(one_in)
    for number, photo in list(enumerate(camera.photos))[first::one_in]:
        for left in account.folder.glob("work.duckdb*"):
            left.unlink()
        for name, content in photo.items():
            (account.folder / name).write_bytes(content)
        go(account, job, Warehouse(account.folder))
        if result(account) != undisturbed:
            wrong.append(number)
    return len(camera.photos), wrong


def result(account: Account) -> list[Any]:
    """What must not depend on kills. Nothing is unmerged, and no time was left out."""
    with Warehouse(account.folder).connection({"now_at": account.now}) as connection:
        unmerged = connection.execute("from pipeline.unmerged").fetchall()
        return [
            unmerged,
            run(connection, "checks/window_gaps"),
            *(connection.execute(each).fetchall() for each in RESULT),
        ]


def ignore(_message: str) -> None:
    """Nobody listens."""


filling: Job = partial(backfill, first=DAYS[0], last=DAYS[1], warn=ignore, info=ignore)
sweeping: Job = partial(sweep, full=False, warn=ignore, info=ignore)


def sell(record: Record) -> None:
    """What a sweep is to find."""
    record["firstname"] = "Bea"
    record["leads"][0]["disposition"] = "Sold"


def of_long_ago(account: Account, count: int) -> None:
    """So many people, known for months; two fill a piece of a sweep, the later of which the next piece shows, too."""
    account.environ |= {"LP_PAGE_SIZE": "4", "LP_SWEEP_ROUND_DAYS": "1", "LP_PIECE_HOURS": "8000"}
    for number in range(count):
        account.lp.put(person(account, str(number), account.wall(days=90 - number)))
    fill_back(account, account.now.date().replace(year=2025), account.now.date())


@pytest.mark.slow
def test_a_backfill_killed_at_any_transaction_is_made_good_by_the_next_one(lp_account: Account) -> None:
    """R1, W2: every column of J3 as if nothing had happened, every change once, nothing unmerged, no gap."""
    lp_account.environ |= {"LP_PROSPECT_ACTION": "off", "LP_PIECE_HOURS": "48"}  # two pieces, the first with news
    lp_account.lp.put(person(lp_account, "1", day(26)))
    kills, wrong = killed_everywhere(lp_account, filling)
    assert kills > 2 + 5 + 3  # to begin, a piece, an empty piece
    assert wrong == []


@pytest.mark.slow
def test_a_sweep_killed_at_any_transaction_is_made_good_by_the_next_one(lp_account: Account) -> None:
    """R1, S1: likewise, and the next round of all history begins where it should."""
    lp_account.environ |= {"LP_PROSPECT_ACTION": "off"}
    of_long_ago(lp_account, 3)
    lp_account.later(days=1)
    lp_account.lp.edit("0", sell, stamp=False)  # in the first of two pieces
    kills, wrong = killed_everywhere(lp_account, sweeping)
    assert kills > 2 + 2 + 5 + 3
    assert wrong == []


@pytest.mark.marathon
def test_a_sweep_with_all_its_parts_killed_at_any_transaction_is_made_good(lp_account: Account) -> None:
    """R1, S1, J7, F4: rejected records, what was active lately, call results and history, in both feeds; D1: what Hatch
    gets."""
    of_long_ago(lp_account, 3)
    lp_account.with_hatch()
    lp_account.lp.put(person(lp_account, "7"))
    lp_account.lp.put({name: value for name, value in person(lp_account, "8").items() if name != "email"})
    lp_account.sync()
    lp_account.later(days=2)
    for number in (0, 2, 7):
        lp_account.lp.edit(str(number), sell, stamp=False)
    call = {"calldatetime": "2026-03-03T10:00:00", "phone": "5185550123", "resultcode": "NA", "calltype": "O"}
    lp_account.lp.edit("7", lambda record: record.update(calls=[call]), stamp=False)
    lp_account.lp.edit("8", lambda record: record.update(email="ann@example.com"), stamp=False)
    kills, wrong = killed_everywhere(lp_account, sweeping, one_in=2)
    assert kills > 4 * 5
    assert wrong == []
