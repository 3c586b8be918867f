"""The table of rules in docs/how-it-works.md is whole, and leads to files that are there."""

import re

import pytest

from lp_pipeline.settings import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-it-works.md").read_text(encoding="utf-8")
LAST = {"W": 8, "F": 4, "J": 8, "M": 9, "D": 3, "C": 8, "S": 1, "E": 10, "N": 1, "K": 2, "Q": 2, "R": 7, "A": 5}
RULES = [f"{letter}{number}" for letter, last in LAST.items() for number in range(1, last + 1)]
ROOMS = ("lp_pipeline", "sql", "lp_pipeline_tests")  # what the paths of the table's last three columns are under


def rows() -> dict[str, list[str]]:
    """The cells of each rule's row, without its number."""
    lines = [line for line in PAGE.splitlines() if re.match(r"\| [A-Z]\d+ \|", line)]
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    assert len(cells) == len({row[0] for row in cells})
    return {row[0]: row[1:] for row in cells}


def test_every_rule_has_its_row() -> None:
    """In the order of the specification, each once: nothing is left out in silence, nothing is made up."""
    assert sorted(rows()) == sorted(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_leads_to_its_code_and_its_test(rule: str) -> None:
    """What is built names at least a module and a test, and all that it names exists; the rest says so."""
    _, modules, sql, tests = rows()[rule]
    if modules == "not built yet":
        assert (sql, tests) == ("", "")
        return
    paths = [re.findall(r"`([\w/.]+)`", cell) for cell in (modules, sql, tests)]
    assert paths[0]
    assert paths[2]
    wanted = [REPOSITORY / room / path for room, found in zip(ROOMS, paths, strict=True) for path in found]
    assert [path for path in wanted if not path.is_file()] == []
