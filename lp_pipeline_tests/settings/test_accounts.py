"""SPEC A1, A3, A5: many accounts in one deployment, each with its own settings file and its own marked folder."""

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import listed_accounts, load_account, load_settings

SECRET = "hunter2-hunter2"
LIVE = f"LP_API_URL=https://api1.example.com\nLP_CLIENT_ID={{}}\nLP_USERNAME=api\nLP_PASSWORD={SECRET}\nLP_APP_KEY=k\n"
ZONE = "LP_TIMEZONE=America/New_York\n"


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a deployment whose accounts file does not exist yet."""
    for name in os.environ:
        if name.startswith(("LP_", "HATCH_", "PUSH_", "INBOX_", "ALERT_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LP_ACCOUNT", "")  # `--account` sets it: monkeypatch takes it back
    monkeypatch.setenv("LP_PIPELINE_ACCOUNTS", "accounts.toml")
    monkeypatch.setenv("LP_PIPELINE_DATA", str(tmp_path / "volume"))
    return tmp_path


def type_in(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(main, words, input=given)


def account(deployment: Path, name: str, text: str = "", client: str = "") -> Path:
    """An account with its own client id; the path of its settings file."""
    assert type_in("accounts", "init", name).exit_code == 0
    path = deployment / "accounts" / f"{name}.env"
    path.write_text(LIVE.format(client or name) + ZONE + text)
    return path


def refusal(name: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_account(name)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_each_account_has_its_own_settings_and_folder(deployment: Path) -> None:
    """A1: the names are those of `lp_pipeline.env`."""
    account(deployment, "albany", "LP_PAGE_SIZE=10\n")
    account(deployment, "boston", f"LP_PIPELINE_DATA={deployment / 'elsewhere'}\n")
    assert type_in("accounts", "init", "boston", "--yes").exit_code == 0
    albany, boston = load_account("albany"), load_account("boston")
    assert (albany.name, albany.lp_client_id, albany.lp_page_size) == ("albany", "albany", 10)
    assert (boston.name, boston.lp_client_id, boston.lp_page_size) == ("boston", "boston", 50)
    assert (albany.data, boston.data) == (deployment / "volume" / "albany", deployment / "elsewhere")


def test_the_environment_changes_no_account(deployment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A1: neither a setting nor a file named there; only what is the deployment's own holds for all."""
    account(deployment, "albany")
    monkeypatch.setenv("LP_CLIENT_ID", "other")
    monkeypatch.setenv("PUSH_TO_NOTES", "false")
    monkeypatch.setenv("LP_PIPELINE_SETTINGS", "other.env")
    monkeypatch.setenv("LP_PIPELINE_NOW", "2026-03-02T12:00:00Z")
    settings = load_account("albany")
    assert (settings.lp_client_id, settings.push_to_notes) == ("albany", True)
    assert settings.now().year == 2026


def test_a_broken_account_fails_alone(deployment: Path) -> None:
    """A1: the message names the account, its file and line, and no value."""
    account(deployment, "albany")
    account(deployment, "boston").write_text(f"{SECRET}\n")
    assert load_account("albany").lp_client_id == "albany"
    assert "Account 'boston': Line 1 of" in refusal("boston")
    checked = type_in("accounts", "check")
    assert checked.exit_code == 1
    assert "ok    albany" in checked.output
    assert "FAIL  Account 'boston'" in checked.output


def test_others_may_not_read_its_file(deployment: Path) -> None:
    """A1: mode 0600, which `accounts init` gives it."""
    path = account(deployment, "albany")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    assert f"chmod 600 {path}" in refusal("albany")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[accounts.Albany]", "'Albany' is no account name"),
        ("[accounts.albany]\nshards = 'x'", "Possible are shard and enabled"),
        ("[accounts.albany]\nenabled = 'yes'", "enabled is true or false"),
        ("accounts = ['albany']", "[accounts.<name>] tables only"),
        ("[albany]", "[accounts.<name>] tables only, not albany"),
        ("[accounts.albany", "is not valid TOML"),
        ("[accounts]\nalbany = 1", "[accounts.albany]"),
    ],
)
def test_a_wrong_accounts_file_says_what_is_wrong(deployment: Path, text: str, words: str) -> None:
    """A1: the file lists name, shard and enabled."""
    (deployment / "accounts.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        listed_accounts()
    assert words in str(caught.value)


def test_a_folder_that_is_not_here_is_never_made(deployment: Path) -> None:
    """A3: not by any command; the message names the shard. Only `accounts init` makes it, and asks first."""
    assert type_in("accounts", "init", "albany", "--shard", "east").exit_code == 0
    folder = deployment / "volume" / "albany"
    folder.rename(deployment / "moved")
    for words in (
        ["sync"],
        ["status"],
        ["push"],
        ["pushes"],
        ["replay"],
        ["backfill", "--from=2026-01-01", "--to=2026-01-02"],
    ):
        result = type_in("--account", "albany", *words)
        assert result.exit_code == 1
        assert "not here" in result.output
        assert "shard 'east'" in result.output
    folder.mkdir()  # an empty volume is not the account's either
    assert "not here" in refusal("albany")
    folder.rmdir()
    assert type_in("accounts", "init", "albany", given="n\n").exit_code == 1
    assert not folder.exists()
    assert type_in("accounts", "init", "albany", given="y\n").exit_code == 0
    assert load_account("albany").data == folder


def test_a_folder_belongs_to_one_account(deployment: Path) -> None:
    """A3: nothing of one account is read or written by another one's run."""
    account(deployment, "albany")
    account(deployment, "boston", f"LP_PIPELINE_DATA={deployment / 'volume' / 'albany'}\n")
    assert "is the folder of account 'albany', not of 'boston'" in refusal("boston")
    assert type_in("accounts", "init", "boston").exit_code == 1
    assert json.loads((deployment / "volume" / "albany" / "account.json").read_text()) == {"account": "albany"}


def test_two_names_of_one_account_are_found(deployment: Path) -> None:
    """A3: two ledgers would write every message twice."""
    account(deployment, "albany")
    account(deployment, "boston", client="albany")
    assert "same LP_API_URL and LP_CLIENT_ID" in type_in("accounts", "check").output


def test_a_command_says_which_accounts_there_are(deployment: Path) -> None:
    """A5: `--account` or LP_ACCOUNT; without them there is no guess."""
    account(deployment, "albany")
    assert "--account NAME" in type_in("status").output
    assert "no account 'boston'" in type_in("--account", "boston", "status").output
    assert "Nothing is published yet" in type_in("--account", "albany", "sql", "select 1").output


def test_without_an_accounts_file_nothing_has_a_name(deployment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A1: without the file everything is as it was."""
    monkeypatch.delenv("LP_PIPELINE_ACCOUNTS")
    assert load_settings().name == ""
    assert "There is one account" in type_in("accounts", "list").output
    assert "there is one account" in type_in("--account", "albany", "status").output


def test_an_account_is_disabled_and_enabled_in_its_place(deployment: Path) -> None:
    """A5: what else the file says, comments included, stays."""
    path = deployment / "accounts.toml"
    path.write_text('# ours\n[accounts.albany] # the first\nshard = "east"\n\n[accounts.boston]\nenabled = true\n')
    assert type_in("accounts", "disable", "boston").exit_code == 0
    assert type_in("accounts", "disable", "albany").exit_code == 0
    assert [each.enabled for each in listed_accounts().values()] == [False, False]
    assert type_in("accounts", "enable", "albany").exit_code == 0
    found = listed_accounts()
    assert (found["albany"].enabled, found["albany"].shard, found["boston"].enabled) == (True, "east", False)
    assert path.read_text().startswith("# ours\n[accounts.albany] # the first\n")
