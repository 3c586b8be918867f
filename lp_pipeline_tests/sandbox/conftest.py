"""Fixtures: a served empty sandbox, and one with synthetic records."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox

from .hatch import Hatch
from .lp import LP, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Sandbox:
    return Sandbox(tmp_path, clock=clock, population=0)


@pytest.fixture
def lp(sandbox: Sandbox) -> Iterator[LP]:
    with sandbox.serve() as url, httpx.Client(base_url=url, timeout=10) as http:
        client = LP(http)
        client.sign_in()
        yield client


@pytest.fixture
def hatch(lp: LP) -> Hatch:
    return Hatch(lp.http)


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Sandbox:
    return Sandbox(tmp_path / "world", clock=clock)


@pytest.fixture
def world_lp(world: Sandbox) -> Iterator[LP]:
    with world.serve() as url, httpx.Client(base_url=url, timeout=10) as http:
        client = LP(http)
        client.sign_in()
        yield client


@pytest.fixture
def world_hatch(world_lp: LP) -> Hatch:
    return Hatch(world_lp.http)
