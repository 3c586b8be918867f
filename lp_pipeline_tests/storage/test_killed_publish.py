"""SPEC R1, Q1: a run that is killed while it publishes. People keep the old copy, whole, until the next one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lp_pipeline.settings import REPOSITORY
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.publish import publish
from lp_pipeline.storage.warehouse import Warehouse
from lp_pipeline_tests.scenario import NOON, Scenario, lead, prospect

LATER = timedelta(minutes=15)  # the last copy is old enough
MODULE = "lp_pipeline_tests.storage.test_killed_publish"


def end() -> None:
    """SIGKILL, as nobody can catch it."""
    os.kill(os.getpid(), signal.SIGKILL)


class EndsInTheMiddle(Outbox):
    """The draft has the warehouse's tables, and one of the outbox's, when the end comes."""

    def rows(self, name: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        """As ever, or the end."""
        if name == "published_communication_pushes":
            end()
        return super().rows(name, values)


class EndsInPlace(Warehouse):
    """The copy is in its place, and not yet written down as published."""

    @contextmanager
    def transaction(self, variables: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """The end."""
        end()
        with super().transaction(variables) as connection:
            yield connection


def publish_and_end(folder: str, moment: str) -> None:
    """What the killed process does."""
    warehouse = (EndsInPlace if moment == "in place" else Warehouse)(Path(folder))
    outbox = (EndsInTheMiddle if moment == "in the middle" else Outbox)(Path(folder))
    publish(warehouse, outbox=outbox, now=NOON + LATER, zone="UTC")


def killed(scenario: Scenario, moment: str) -> list[tuple[Any, ...]]:
    """What people see once a process was killed at this moment of its publication."""
    call = f"from {MODULE} import publish_and_end; publish_and_end({str(scenario.folder)!r}, {moment!r})"
    assert subprocess.run([sys.executable, "-c", call], cwd=REPOSITORY).returncode == -signal.SIGKILL
    return status(scenario)


def status(scenario: Scenario) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(scenario.warehouse.published), read_only=True) as connection:
        return connection.execute("select external_contact_id, status from opportunities").fetchall()


def drafts(scenario: Scenario) -> list[Path]:
    return list(scenario.folder.glob(".published*"))


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_publishes_leaves_a_whole_copy(scenario: Scenario) -> None:
    """R1, Q1: the old copy or the new one, never a part; the next publication is whole and tidies up the draft."""

    def again() -> bool:
        return publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="UTC").published

    scenario.sync(prospect("1", lead("10")))
    assert again()
    scenario.now += LATER
    scenario.sync(prospect("1", lead("10", disposition="Sold")))
    assert killed(scenario, "in the middle") == [("1", "Set")]
    assert drafts(scenario)
    assert killed(scenario, "in place") == [("1", "Sold")]
    scenario.now += LATER
    assert again()
    assert status(scenario) == [("1", "Sold")]
    assert not drafts(scenario)
    scenario.outbox.close()
