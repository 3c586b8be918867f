"""SPEC A5: all accounts at a glance, and commands that go through them; one account's failure hides no other."""

import json
import os
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.fleet import for_each_account
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_upkeep_of_all_does_what_it_can(
    fleet: Path, lp_account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K2, E8, K1: each account whose data is here gets its backup, its report, its housekeeping, whatever is wrong with
    the one before it; the one that fails is named, with exit code 1."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LP_ACCOUNT", "zurich")
    listing(fleet, "boston", "chicago", "denver", "albany", denver="false")
    shutil.copytree(lp_account.folder, tmp_path / "denver", ignore=shutil.ignore_patterns("account.json", "*.wal"))
    add(fleet, "denver", {**lp_account.environ, "LP_PIPELINE_DATA": str(tmp_path / "denver")})
    report = lp_account.folder / "report.html"
    report.unlink(missing_ok=True)
    folder = tmp_path / "backups" / "tonight"
    folder.parent.mkdir()
    for words in (("backup", "--all", str(folder)), ("report", "--all"), ("housekeeping", "--all", "--dry-run")):
        result = type_in(*words)
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "Failed or not OK: boston."), result.output
        assert "Account 'boston'" in result.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["albany", "denver"]
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "albany" / "work.duckdb").exists()
    assert report.exists()
    assert os.environ["LP_ACCOUNT"] == "zurich"
    again = type_in("backup", "--all", str(folder))
    assert again.stderr.splitlines()[-1] == "Failed or not OK: boston, denver, albany."
    listing(fleet, "albany", "chicago")
    assert type_in("report", "--all").exit_code == 0


def test_an_error_of_ours_costs_no_other_account_its_turn(deployment: Path) -> None:
    """R4: it is named without its text, which may hold a record; an interruption ends everything."""
    done, chosen = [], os.environ.get("LP_ACCOUNT")

    def fails(error: Exception) -> None:
        done.append(os.environ["LP_ACCOUNT"])
        raise error

    with pytest.raises(click.exceptions.Exit):
        for_each_account(lambda: fails(KeyError("555-0177")))
    assert done == ["albany", "boston", "chicago"]
    with pytest.raises(click.Abort):
        for_each_account(lambda: fails(click.Abort()))
    assert done[3:] == ["albany"]
    assert os.environ.get("LP_ACCOUNT") == chosen


def test_without_accounts_it_says_where_to_look(deployment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A1: with one account there is no fleet."""
    monkeypatch.delenv("LP_PIPELINE_ACCOUNTS")
    result = type_in("fleet")
    assert result.exit_code == 1
    assert "lp-pipeline status" in result.output
    for words in (("status",), ("doctor",), ("backup", str(deployment / "new")), ("report",), ("housekeeping",)):
        assert "accounts init NAME" in type_in(*words, "--all").output
