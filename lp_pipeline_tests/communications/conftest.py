"""Fixtures for pushes: an account that knows three people. What it has published is made once and copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lp_pipeline.storage import public_file
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.communications.talk import LONG_AGO, Talk, people


@pytest.fixture(scope="session")
def published_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`published.duckdb` after a sync of the three people."""
    with account_of(Talk, tmp_path_factory.mktemp("people")) as opened:
        for person in people():
            opened.lp.put(person)
        opened.sync()
        opened.publish()
        return opened.folder / "published.duckdb"


@pytest.fixture
def talk(tmp_path: Path, published_people: Path) -> Iterator[Talk]:
    """An account whose three people are read and published."""
    with account_of(Talk, tmp_path) as opened:
        for person in people():
            opened.lp.put(person)
        opened.folder.mkdir(mode=0o700)
        draft = opened.folder / ".published.duckdb.draft"
        shutil.copyfile(published_people, draft)
        public_file.replace(draft, opened.folder / "published.duckdb", None)
        opened.environ["PUSH_SINCE"] = LONG_AGO
        yield opened
