"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lp_pipeline_tests.account import Account, account
from lp_pipeline_tests.scenario import Scenario


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    """An empty warehouse of a made-up account."""
    return Scenario(tmp_path)


@pytest.fixture
def lp_account(tmp_path: Path) -> Iterator[Account]:
    """An account with a LeadPerfection of its own that holds nothing yet."""
    with account(tmp_path) as opened:
        yield opened
