"""Where settings come from: one file with one reader, and the environment, which wins (SPEC, "Names")."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import REPOSITORY, load_settings
from lp_pipeline_tests.first_sync import small_sandbox

BIN = Path(sys.executable).parent
OURS = ("LP_", "HATCH_", "PUSH_", "INBOX_", "ALERT_", "COMMUNICATIONS_", "DAGSTER_")
SECRET = "hunter2-hunter2"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with nothing in it, and no setting in the environment but the file's place."""
    for name in os.environ:
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LP_PIPELINE_SETTINGS", "lp_pipeline.env")
    (tmp_path / "lp_pipeline.env").touch()
    return tmp_path


def write(folder: Path, text: str | bytes) -> None:
    (folder / "lp_pipeline.env").write_bytes(text if isinstance(text, bytes) else text.encode())


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_an_unfilled_copy_of_the_example_is_the_sandbox(folder: Path) -> None:
    """Settings: an empty value means not set, so the copy changes no default."""
    shutil.copy(REPOSITORY / "lp_pipeline.env.example", folder / "lp_pipeline.env")
    assert load_settings() == load_settings({})


def test_the_environment_wins_over_the_file_and_an_empty_value_is_not_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings: in the environment as in the file."""
    write(folder, "LP_PAGE_SIZE=10\nLP_PAGING=row\n")
    monkeypatch.setenv("LP_PAGE_SIZE", "20")
    monkeypatch.setenv("LP_PAGING", "")
    assert (load_settings().lp_page_size, load_settings().lp_paging) == (20, "row")


def test_the_file_is_read_anew_each_time(folder: Path) -> None:
    """Settings: an edit holds for the next run, tick and command."""
    write(folder, "PUSH_TO_NOTES=true")
    assert load_settings().push_to_notes
    write(folder, "PUSH_TO_NOTES=false")
    assert not load_settings().push_to_notes


def test_values_are_taken_as_they_are(folder: Path) -> None:
    """Settings: a password with a dollar sign, a quote or a # in it is that password."""
    account = "LP_API_URL=https://lp.example\nLP_CLIENT_ID=a\nLP_USERNAME=b\nLP_TIMEZONE=America/New_York\n"
    write(folder, f"\ufeff{account}LP_PASSWORD=pa$HOME${{HOME}}#1\nexport LP_APP_KEY=' a b # c '\n")
    settings = load_settings()
    assert settings.lp_password.get_secret_value() == "pa$HOME${HOME}#1"
    assert settings.lp_app_key.get_secret_value() == " a b # c "


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"LP_PAGING=auto\n{SECRET}\n", "Line 2"),
        (f"# a comment\nLP_PASSWORD {SECRET}\n", "Line 2"),
        (f'LP_PASSWORD="{SECRET}\n', "Line 1"),
        (f"LP_PASSWORD={SECRET}\0\n", "Line 1"),
        (f"LP_PASSWORD={SECRET}é".encode("latin-1"), "UTF-8"),
        (f"LP_PASSWORD={SECRET}".encode("utf-16"), "UTF-8"),
        (f"LP_PASWORD={SECRET}", "did you mean LP_PASSWORD?"),
        ("PUSH_TO_CALLLOGS=true", "did you mean PUSH_TO_CALL_LOGS?"),
        ("INBOX_COLOR=red", "INBOX_COLOR"),
        ("LP_PIPELINE_SETTINGS=other.env", "LP_PIPELINE_SETTINGS"),
        (f"LP_PASSWORD=a\nLP_PASSWORD={SECRET}", "twice, in lines 1 and 2"),
        (f"LP_PASSWORD={SECRET}", "LP_API_URL"),
        ("LP_PIPELINE_DATA=~nobody-of-that-name/x", "LP_PIPELINE_DATA"),
    ],
)
def test_what_cannot_be_meant_is_named(folder: Path, text: str | bytes, named: str) -> None:
    """Settings: a line, an encoding, a name, an account without an address; never with a value."""
    write(folder, text)
    assert named in refusal()


def test_a_misspelled_variable_is_named_and_other_programs_are_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings: Hatch the project manager, Alertmanager and Kubernetes have variables that begin like ours."""
    for name in ("HATCH_ENV", "ALERT_MANAGER", "PUSH_GATEWAY", "LP_PIPELINE_INBOX_SERVICE_HOST", "LP_PORT_80_TCP"):
        monkeypatch.setenv(name, "x")
    load_settings()
    monkeypatch.setenv("PUSH_TO_CALLLOGS", "true")
    assert "did you mean PUSH_TO_CALL_LOGS?" in refusal()
    monkeypatch.delenv("PUSH_TO_CALLLOGS")
    monkeypatch.setenv("LP_COLOR", "red")
    assert "LP_COLOR" in refusal()


def test_a_file_that_is_named_must_exist_and_one_that_is_not_in_use_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings: nobody gets made-up people because the file lies in another folder."""
    monkeypatch.setenv("LP_PIPELINE_SETTINGS", "missing.env")
    assert "missing.env, which does not exist" in refusal()
    monkeypatch.delenv("LP_PIPELINE_SETTINGS")
    write(folder, "LP_PAGING=row")
    assert f"export LP_PIPELINE_SETTINGS={folder}/lp_pipeline.env" in refusal()


def test_a_leading_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings: for the data folder and for the settings file."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("LP_PIPELINE_SETTINGS", "~/lp_pipeline.env")
    write(folder, "LP_PIPELINE_DATA=~/x")
    assert load_settings().data == folder / "x"


@pytest.mark.parametrize("name", ["LP_PIPELINE_DATA", "PUSH_TO_NOTES", "LP_PIPELINE_SETTINGS", "PUSH_TO_CALLLOGS"])
def test_a_dotenv_with_a_setting_of_ours_is_refused(folder: Path, name: str) -> None:
    """Settings: even an empty one, with the command that fixes it."""
    (folder / ".env").write_text(f"DAGSTER_HOME=/x\nexport {name}=\n")
    assert f"holds {name}" in refusal()
    assert "mv .env lp_pipeline.env" in refusal()


def test_another_projects_dotenv_is_none_of_our_business(folder: Path) -> None:
    """Settings: whatever its form; Dagster's own names may be there, too."""
    (folder / ".env").write_bytes(b"DAGSTER_HOME=/x\nDAGSTER_MODULE_NAME=m\nPUSH_URL=x\nnot a line\nDATABASE=\xff\n")
    load_settings()


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["lp-pipeline", "sync"],
        ["dagster", "job", "execute", "-m", "lp_pipeline.definitions", "-j", "sync"],
        ["dagster", "asset", "materialize", "-m", "lp_pipeline.definitions", "--select", "*"],
    ],
)
def test_a_dotenv_is_refused_in_every_way_of_starting(folder: Path, command: list[str]) -> None:
    """Settings: nothing runs, and the last line says what to do."""
    (folder / ".env").write_text(f"LP_PIPELINE_DATA={folder}/data\n")
    result = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, capture_output=True, text=True)
    assert result.returncode == 1
    assert "mv .env lp_pipeline.env" in result.stderr.strip().splitlines()[-1]
    assert not (folder / "data").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lp-pipeline", "dagster"])
def test_every_way_of_starting_reads_the_same_file(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings: the environment's data folder, though the file has an empty one, for the shell as for Dagster."""
    write(folder, "LP_PIPELINE_DATA=\nLP_SWEEP_CALLS=\n")
    monkeypatch.setenv("LP_PIPELINE_DATA", str(folder / "data"))
    small_sandbox(folder / "data")
    (folder / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "home"))
    sync = {"lp-pipeline": ["sync"], "dagster": ["job", "execute", "-m", "lp_pipeline.definitions", "-j", "sync"]}
    subprocess.run([BIN / name, *sync[name]], cwd=folder, capture_output=True, check=True)
    assert (folder / "data" / "work.duckdb").exists()
