"""docs/reliability.md says what is true: every test that it names exists, every fault of the sandbox is in it."""

import re
from pathlib import Path

import pytest

from lp_pipeline.sandbox.faults import KINDS
from lp_pipeline.settings import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reliability.md").read_text(encoding="utf-8")
TESTS = Path(__file__).parent
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[list[str]]:
    """The cells of every row of the page's tables."""
    lines = [line.strip().strip("|") for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.split(" | ")] for line in lines]
    return [row for row in cells if row[-1] != "proof"]


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED.findall(PAGE))))
def test_every_test_that_is_named_exists(file: str, test: str) -> None:
    """Under that very name, in that very file."""
    assert f"\ndef {test}(" in (TESTS / file).read_text(encoding="utf-8")


def test_every_promise_and_every_fault_has_its_proof() -> None:
    """A test, or a drill that can be run."""
    assert len(rows()) > 50
    assert [row for row in rows() if len(row) != 3 or not (NAMED.search(row[2]) or "drills" in row[2])] == []


def test_every_fault_of_the_sandbox_is_explained() -> None:
    """Whatever the sandbox can do by a fault, the page says what we do about it."""
    assert [kind for kind in KINDS if f"`{kind}`" not in PAGE] == []
