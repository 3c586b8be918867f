"""SPEC J5: no command works on another account's data."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.account import account as an_account
from lp_pipeline_tests.runs.past import person

ARGUMENTS = {
    "backup": ("/nosuch/backup",),
    "restore": (".",),
    "backfill": ("--from", "2026-02-26", "--to", "2026-02-26"),
    "deliver": ("--since", "2026-02-26"),
    "explain": ("1",),
    "forget": ("1", "--yes"),
    "pushes assign": ("c1", "1"),
    "pushes again": ("c1",),
    "pushes sent": ("c1",),
    "pushes drop": ("c1",),
    "recovered": ("--since", "2026-02-26"),
    "sql": ("select 1",),
}
ACCOUNTS = {f"accounts {each}" for each in ("check", "disable", "enable", "init", "list")}  # about the list of them
# Dagster's home, made-up people, the UI, whose runs refuse it themselves, and what `doctor` checks at its end
NO_DATA = {"home", "sandbox", "dev", "connect", "fleet", "health", *ACCOUNTS}


def commands(group: click.Group = main, *path: str) -> Iterator[str]:
    """Every command, by the words that call it; groups that do something by themselves, too."""
    for name, command in group.commands.items():
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield " ".join((*path, name))
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


def call(account: Account, command: str, **other: str) -> Result:
    environ = {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat(), **other}
    return CliRunner().invoke(main, [*command.split(), *ARGUMENTS.get(command, ())], env=environ)


def fill(account: Account) -> Account:
    """The folder holds the account's data, published."""
    account.lp.put(person(account, "1"))
    assert account.run().success
    return account


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One account for all, since no command may do anything to it."""
    with an_account(tmp_path_factory.mktemp("account")) as opened:
        yield fill(opened)


@pytest.mark.parametrize("command", sorted(set(commands()) - NO_DATA))
def test_every_command_refuses_another_accounts_data(filled: Account, command: str) -> None:
    """J5: with another client id each one stops before it does anything, and says what to set."""
    before = {path.name: path.read_bytes() for path in filled.folder.glob("*.duckdb")}
    asked = len(filled.lp.requests)
    result = call(filled, command, LP_CLIENT_ID="someone-else")
    assert result.exit_code == 1, result.output
    assert "holds the data of another LeadPerfection account (LP_CLIENT_ID differ" in result.output
    assert "LP_PIPELINE_DATA" in result.output
    assert {path.name: path.read_bytes() for path in filled.folder.glob("*.duckdb")} == before
    assert len(filled.lp.requests) == asked


def test_the_warehouse_knows_its_account_without_the_outbox(lp_account: Account) -> None:
    """J5: also where outbox.sqlite was lost, or is from before it remembered the account; `rezone` is what a changed
    zone is for, and refused by all others."""
    filled = fill(lp_account)
    filled.outbox.close()
    for path in filled.folder.glob("outbox.sqlite*"):
        path.unlink()
    for command in ("held accept", "held drop", "rezone", "replay"):
        result = call(filled, command, LP_CLIENT_ID="someone-else")
        assert (result.exit_code, "of another LeadPerfection account" in result.output) == (1, True), result.output
    for command in ("held accept", "held drop", "replay"):
        result = call(filled, command, LP_TIMEZONE="America/Denver")
        assert (result.exit_code, "lp-pipeline rezone" in result.output) == (1, True), result.output
    result = call(filled, "rezone", LP_TIMEZONE="America/Denver")
    assert (result.exit_code, "1 opportunities recomputed" in result.output) == (0, True), result.output
