"""SPEC E10: `lp-pipeline connect` asks, tries, shows and only then writes; against a LeadPerfection on loopback."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.main import main
from lp_pipeline.settings import read_file
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.account import account as an_account
from lp_pipeline_tests.runs.past import person

PASSWORD, APP_KEY, HATCH_KEY = "pass word #1", "it's-an-app-key", "hatch-key-77"
UNLOCK = "Security → User Access → (user) → Assign → Function Level Security → APISecurity → Check All → Save"
WRITTEN = {
    "LP_CLIENT_ID": "acme",
    "LP_USERNAME": "api",
    "LP_PASSWORD": PASSWORD,
    "LP_APP_KEY": APP_KEY,
    "LP_TIMEZONE": "America/Denver",
    "PUSH_COMMUNICATIONS": "true",
    "PUSH_TO_NOTES": "true",
    "PUSH_TO_CALL_LOGS": "false",
    "PUSH_TO_PRODUCTION_NOTES": "false",
    "COMMUNICATIONS_FROM": "export",
    "LP_PIPELINE_SANDBOX": "false",
}
DEFAULTS = [""] * 10  # zone, four switches, no keys, export; write it; no history


@pytest.fixture
def lp(tmp_path: Path) -> Iterator[Account]:
    """A LeadPerfection in Denver, where a lead changed a minute ago."""
    credentials = {"clientid": "acme", "username": "api", "password": PASSWORD, "appkey": APP_KEY}
    with an_account(tmp_path, zone="America/Denver", **credentials) as opened:
        opened.lp.put(person(opened, "1"))
        for name, secret in {"password": PASSWORD, "app-key": APP_KEY, "hatch-key": HATCH_KEY}.items():
            (tmp_path / name).write_text(f"{secret}\n")
        yield opened


def file_of(lp: Account) -> Path:
    return lp.folder.parent / "lp_pipeline.env"


def connect(lp: Account, *options: str, typed: list[str] | None = None, **environ: str) -> Result:
    """The command, with what is typed line by line; without that nothing is asked."""
    environ = {
        "LP_PIPELINE_SETTINGS": str(file_of(lp)),
        "LP_PIPELINE_DATA": str(lp.folder),
        "LP_PIPELINE_NOW": lp.now.isoformat(),
        "DAGSTER_HOME": str(lp.folder.parent / "no home"),
        **environ,
    }
    silent = ["--no-input"] if typed is None else []
    return CliRunner(env=environ).invoke(main, ["connect", *silent, *options], input="\n".join([*(typed or []), ""]))


def options(lp: Account, **changes: str) -> list[str]:
    """Everything that a script has to give."""
    given = {
        "lp-url": lp.environ["LP_API_URL"],
        "client-id": "acme",
        "username": "api",
        "password-file": str(lp.folder.parent / "password"),
        "app-key-file": str(lp.folder.parent / "app-key"),
        "timezone": "America/Denver",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return [part for name, value in given.items() if value for part in (f"--{name}", value)]


def account_typed(lp: Account, password: str = PASSWORD) -> list[str]:
    return [lp.environ["LP_API_URL"], "acme", "api", password, APP_KEY]


def test_a_script_gives_all_answers_as_options(lp: Account) -> None:
    """Secrets come from files; the settings file is its owner's and read back exactly; doctor has run; nothing secret
    is shown."""
    result = connect(lp, *options(lp))
    assert result.exit_code == 0, result.output
    assert read_file(file_of(lp)) == {"LP_API_URL": lp.environ["LP_API_URL"], **WRITTEN}
    assert file_of(lp).stat().st_mode & 0o777 == 0o600
    assert "ok    Time zone" in result.output
    assert "No problems." in result.output
    assert not [secret for secret in (PASSWORD, APP_KEY) if secret in result.output]


def test_a_person_is_asked_and_nothing_typed_is_lost(lp: Account) -> None:
    """A refused sign-in is said at once, and Enter keeps what was right; the zone is proposed by LeadPerfection's own
    stamps, the switches by their defaults."""
    again = ["y", "", "", "", PASSWORD, ""]
    result = connect(lp, typed=[*account_typed(lp, "wrong"), *again, *DEFAULTS])
    assert result.exit_code == 0, result.output
    assert "LeadPerfection refused the sign-in" in result.output
    assert "stamped Mar 2, 9:59 AM; now it is 12:00 PM in America/New_York" in " ".join(result.output.split())
    assert "The place whose time LeadPerfection shows [America/Denver]" in result.output
    assert read_file(file_of(lp)) == {"LP_API_URL": lp.environ["LP_API_URL"], **WRITTEN}
    assert not [secret for secret in (PASSWORD, APP_KEY) if secret in result.output]


def test_leaving_anywhere_leaves_the_file_as_it_was(lp: Account) -> None:
    """Ctrl-C, or the end of what is typed, at whichever question up to the last: not a byte is written."""
    file_of(lp).write_text("# mine\n")
    typed = [*account_typed(lp), *DEFAULTS]
    for number in (0, 4, 5, 10, len(typed) - 2):
        result = connect(lp, typed=typed[:number])
        assert (result.exit_code, "Aborted!" in result.output) == (1, True), (number, result.output)
        assert file_of(lp).read_text() == "# mine\n"
    assert sorted(path.name for path in lp.folder.parent.iterdir() if "env" in path.name) == ["lp_pipeline.env"]
    assert not lp.folder.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"client_id": "other"}, "LeadPerfection refused the sign-in"),
        ({"client_id": ""}, "LP_CLIENT_ID is missing. Give --client-id"),
        ({"password_file": ""}, "LP_PASSWORD is missing. Give --password-file"),
        ({"timezone": ""}, "--timezone (what LeadPerfection shows fits America/Denver)"),
        ({"timezone": "MST"}, "LP_TIMEZONE: MST is an offset or a rule, not a place"),
        ({"lp_url": "ftp://x"}, "LP_API_URL: must be an address like https://api.leadperfection.com"),
        ({"hatch_key_file": "hatch-key"}, "HATCH_SOURCE is missing. Give --hatch-source"),
    ],
)
def test_a_script_with_a_wrong_answer_writes_nothing(lp: Account, change: dict[str, str], message: str) -> None:
    """It ends with the setting and the option that are meant, without asking."""
    if "hatch_key_file" in change:
        change = {"hatch_key_file": str(lp.folder.parent / "hatch-key")}
    result = connect(lp, *options(lp, **change))
    assert (result.exit_code, message in result.output) == (1, True), result.output
    assert not file_of(lp).exists()


def test_a_secret_can_come_from_the_environment(lp: Account) -> None:
    """Under the setting's name, as for every other answer."""
    result = connect(lp, *options(lp, password_file="", username=""), LP_PASSWORD=PASSWORD, LP_USERNAME="api")
    assert result.exit_code == 0, result.output
    assert read_file(file_of(lp))["LP_PASSWORD"] == PASSWORD


def test_a_value_that_the_environment_overrides_is_refused(lp: Account) -> None:
    """It would be written and never be read."""
    result = connect(lp, *options(lp), LP_TIMEZONE="America/Chicago")
    assert (result.exit_code, "LP_TIMEZONE has another value in the environment" in result.output) == (1, True)
    assert not file_of(lp).exists()


def test_values_that_are_set_need_a_yes(lp: Account) -> None:
    """A script has to say --replace, a person y; comments and other lines stay, and a file with all of it is not
    written again."""
    before = "# ours\nLP_USERNAME=old # Pat\nLP_PAGE_SIZE=20\n"
    file_of(lp).write_text(before)
    result = connect(lp, *options(lp))
    assert (result.exit_code, "sets LP_USERNAME to something else. Give --replace" in result.output) == (1, True)
    result = connect(lp, *options(lp), typed=[*DEFAULTS[1:-1]])
    assert (result.exit_code, "Replace LP_USERNAME, and write the rest? [y/N]" in result.output) == (1, True)
    assert file_of(lp).read_text() == before
    assert connect(lp, "--replace", *options(lp)).exit_code == 0
    after = file_of(lp).read_text()
    assert after.startswith("# ours\nLP_USERNAME=api # Pat\nLP_PAGE_SIZE=20\nLP_API_URL=")
    assert "has all of this already" in connect(lp, *options(lp)).output
    assert file_of(lp).read_text() == after


def test_a_function_that_is_not_permitted_names_the_box_to_check(lp: Account) -> None:
    """Once it is checked, connect goes on with the same answers; a function for writing is said, and no obstacle."""
    lp.lp.switch(permissions=["GetLead"])
    tries: list[str] = []

    def permit(path: str, _fields: dict[str, str]) -> None:
        tries.append(path)
        if [path.endswith("/token") for path in tries].count(True) == 5:  # two refused calls each sign in again
            lp.lp.switch(permissions=["GetLead", "GetProspectData", "AddNotes"])

    lp.lp.before_request = permit
    result = connect(lp, typed=[*account_typed(lp), "y", *DEFAULTS])
    output = " ".join(result.output.split())
    assert f"LeadPerfection refuses GetProspectData to this user. Open {UNLOCK}." in output
    assert "It permits GetLead, GetProspectData, AddNotes." in output
    assert f"It does not permit AddCallHistory. If that is to be written, open {UNLOCK}." in output
    assert result.exit_code == 0, result.output


def test_hatch_and_call_logs_are_asked_for_what_they_need(lp: Account) -> None:
    """A key needs its source, call logs their codes, the inbox a secret, which is made."""
    address = lp.environ["LP_API_URL"]
    hatch = {"hatch_key_file": str(lp.folder.parent / "hatch-key"), "hatch_url": address}
    typed = ["", "", "y", "", "O", "text=LM,call=NA", "custom:lp", "", "inbox", "y", ""]
    result = connect(lp, *options(lp, **hatch), typed=typed)
    written = read_file(file_of(lp))
    assert (written["LP_CALL_TYPE"], written["LP_RESULT_CODE"]) == ("O", "text=LM,call=NA")
    assert (written["HATCH_API_KEY"], written["HATCH_SOURCE"]) == (HATCH_KEY, "custom:lp")
    assert (written["COMMUNICATIONS_FROM"], len(written["INBOX_SECRET"])) == ("inbox", 64)
    assert written["INBOX_SECRET"] not in result.output
    assert result.exit_code == 1  # doctor: LP_RESULT_CODE is missing for emails, and no inbox answers
    assert "The settings are written. Do what the lines with FAIL say" in result.output


def test_one_of_several_accounts_has_its_own_file(lp: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A1: what `accounts init` made is filled in, line by line, and the environment is no setting of it."""
    folder = lp.folder.parent
    monkeypatch.setenv("LP_PIPELINE_ACCOUNTS", str(folder / "accounts.toml"))
    monkeypatch.setenv("LP_ACCOUNT", "acme")
    (folder / "accounts.toml").touch()
    root = str(folder / "data")
    assert CliRunner(env={"LP_PIPELINE_DATA": root}).invoke(main, ["accounts", "init", "acme"]).exit_code == 0
    result = connect(lp, *options(lp), "--replace", LP_PIPELINE_DATA=root, LP_TIMEZONE="Europe/Rome")
    assert result.exit_code == 0, result.output
    written = read_file(folder / "accounts" / "acme.env")
    assert (written["LP_CLIENT_ID"], written["LP_TIMEZONE"], written["LP_PAGE_SIZE"]) == (
        "acme",
        "America/Denver",
        "50",
    )
    assert re.search(r"Settings        \S.*/accounts/acme\.env", result.output)  # written as is shortest from here
    assert not file_of(lp).exists()
