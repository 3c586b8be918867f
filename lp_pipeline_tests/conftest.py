"""Fixtures that every test may use, and Hypothesis' profiles: the everyday one, and one that digs deeper.

No profile has a deadline: how long one example takes says more about the machine than about the pipeline.
"""

import atexit
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from lp_pipeline_tests.account import Account, account
from lp_pipeline_tests.accounts_file import make_deployment
from lp_pipeline_tests.scenario import Scenario

settings.register_profile("everyday", deadline=None, derandomize=True)
settings.register_profile("drills", max_examples=1000, deadline=None)
settings.load_profile("everyday")  # `--hypothesis-profile` comes later and wins

# Hypothesis leaves a callback with the garbage collector. It keeps the tests alive, and with them DuckDB's types, until
# after the collector's last run, which DuckDB then reports ("nanobind: leaked ...").
atexit.register(gc.callbacks.clear)


LONGEST = {
    *("test_switches.py", "test_going_live.py", "test_benchmarks.py", "test_dev.py", "test_dg.py", "test_services.py"),
    *("test_processes.py", "test_history.py", "test_packaging.py", "test_pages.py", "test_fleet.py", "test_daemon.py"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest ones begin first: at the end nobody waits for one of them."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(autouse=True, scope="session")
def machine_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the program records for this machine is recorded for this test session alone."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Scenario]:
    """An empty warehouse of a made-up account."""
    scenario = Scenario(tmp_path)
    with scenario.outbox:
        yield scenario


@pytest.fixture
def lp_account(tmp_path: Path) -> Iterator[Account]:
    """An account with a LeadPerfection of its own that holds nothing yet."""
    with account(tmp_path) as opened:
        yield opened


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment of three accounts, none of which has a folder yet."""
    return make_deployment(tmp_path, monkeypatch)
