"""Fixtures: a served empty sandbox, and one with synthetic records."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox
from lp_pipeline_tests.scenario import PATIENCE

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
    with sandbox.serve() as url, httpx.Client(base_url=url, timeout=PATIENCE) as http:
        client = LP(http)
        client.sign_in()
        yield client


@pytest.fixture
def hatch(lp: LP) -> Hatch:
    return Hatch(lp.http)


@pytest.fixture(scope="session")
def fresh_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a world as it is made at noon, to be copied: making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("fresh-world")
    Sandbox(folder, clock=Clock()).state()
    return folder


@pytest.fixture
def world(tmp_path: Path, clock: Clock, fresh_world: Path) -> Sandbox:
    return Sandbox(shutil.copytree(fresh_world, tmp_path / "world"), clock=clock)


@pytest.fixture
def world_lp(world: Sandbox) -> Iterator[LP]:
    with world.serve() as url, httpx.Client(base_url=url, timeout=PATIENCE) as http:
        client = LP(http)
        client.sign_in()
        yield client


@pytest.fixture
def world_hatch(world_lp: LP) -> Hatch:
    return Hatch(world_lp.http)
