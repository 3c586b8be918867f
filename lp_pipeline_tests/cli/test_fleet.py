"""SPEC A5: all accounts at a glance, and commands that go through them; one account's failure hides no other."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.accounts_file import add, listing
from lp_pipeline_tests.runs.past import person


def type_in(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.fixture
def fleet(lp_account: Account, deployment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four accounts: one synced, one broken, one on another host, one disabled."""
    monkeypatch.setenv("LP_ACCOUNT", "")  # commands set it
    monkeypatch.setenv("LP_PIPELINE_NOW", lp_account.now.isoformat())
    listing(deployment, "albany", "boston", "chicago", "denver", denver="false")
    lp_account.lp.put(person(lp_account, "1"))
    assert lp_account.run().success
    add(deployment, "albany", lp_account.environ)
    add(deployment, "boston", {"LP_TIMEZONE": "EST"})
    shutil.rmtree(add(deployment, "chicago"))
    return deployment


def test_a_line_for_each_account(fleet: Path) -> None:
    """The state of each, and why; exit code 1, for one needs a look."""
    result = type_in("fleet", "--json")
    assert result.exit_code == 1
    lines = {line["account"]: line for line in json.loads(result.stdout)}
    assert {name: line["state"] for name, line in lines.items()} == {
        "albany": "OK",
        "boston": "FAILING",
        "chicago": "ELSEWHERE",
        "denver": "OFF",
    }
    assert (lines["albany"]["synced"], lines["albany"]["published"]) == ("just now", "just now")
    assert "LP_TIMEZONE" in lines["boston"]["why"]
    page = type_in("fleet").stdout
    assert "4 accounts, 1 to look at." in page
    listing(fleet, "albany", "chicago")
    assert type_in("fleet").exit_code == 0


def test_a_query_on_all_accounts(fleet: Path) -> None:
    """The name comes first; who has nothing here is named on stderr."""
    result = type_in("sql", "--all", "--csv", "select count(*) as n from opportunities")
    assert (result.exit_code, result.stdout) == (0, "account,n\nalbany,1\n")
    assert "boston is left out" in result.stderr
    assert "chicago is left out" in result.stderr
    assert type_in("sql", "--all", "select nothing").exit_code == 1


def test_the_status_of_all(fleet: Path) -> None:
    """Each with its name; exit code 1 unless all are OK."""
    result = type_in("status", "--all")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("==")] == [
        "== albany",
        "== boston",
        "== chicago",
    ]
    listing(fleet, "albany")
    assert type_in("status", "--all").exit_code == 0


def test_without_accounts_it_says_where_to_look(deployment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A1: with one account there is no fleet."""
    monkeypatch.delenv("LP_PIPELINE_ACCOUNTS")
    result = type_in("fleet")
    assert result.exit_code == 1
    assert "lp-pipeline status" in result.output
