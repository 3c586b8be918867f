"""Dagster's home: which folder it is, what is put into it, and a damaged file in it."""

import shlex
import subprocess
from contextlib import chdir
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.home import check_storage, plain_storage_errors, prepare_home
from lp_pipeline.cli.main import main
from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import REPOSITORY
from lp_pipeline.settings.package_data import package_data
from lp_pipeline_tests.first_sync import small_sandbox

DAMAGES = {
    "one byte of its header": lambda old: b"X" + old[1:],
    "one byte of a page": lambda old: old[:4096] + b"\x77" + old[4097:],
    "cut off": lambda old: old[: len(old) // 2 - 100],
    "something else": lambda old: b"not a database " * 400,
}
FILES = ("history/runs/index.db", "history/runs.db", "schedules/schedules.db")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as Dagster makes it."""
    home = tmp_path_factory.mktemp("pristine")
    (home / "dagster.yaml").symlink_to(package_data("dagster.yaml"))
    prepare_home(home)
    return home


@pytest.fixture
def home(pristine: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "a home"
    subprocess.run(["cp", "-a", str(pristine), str(folder)], check=True)
    return folder


def run(folder: Path, given: str | Path | None, *command: str) -> Result:
    """One of our commands with this DAGSTER_HOME, in that folder."""
    with chdir(folder):
        environ = {"DAGSTER_HOME": None if given is None else str(given), "LP_PIPELINE_DATA": str(folder / "data")}
        settings = {"LP_PIPELINE_SETTINGS": None, "LP_API_URL": None}
        return CliRunner().invoke(main, command or ["home"], env={**environ, **settings, "HOME": str(folder)})


def test_a_new_home_gets_our_configuration(tmp_path: Path) -> None:
    """Wherever it is: no telemetry, and killed runs are ended. It is there for its owner only."""
    home = tmp_path / "deep" / "home"
    assert run(tmp_path, home).output == ""
    assert (home / "dagster.yaml").read_text() == (REPOSITORY / "dagster.yaml").read_text()
    assert home.stat().st_mode & 0o077 == 0
    (home / "dagster.yaml").unlink()
    (home / "dagster.yaml").symlink_to(tmp_path / "moved away")
    assert run(tmp_path, home).output == ""
    assert (home / "dagster.yaml").exists()


def test_an_empty_folder_is_a_new_home_too(tmp_path: Path) -> None:
    """`mkdir` before `export DAGSTER_HOME` is what people do."""
    home = tmp_path / "home"
    home.mkdir()
    assert run(tmp_path, home).output == ""
    assert (home / "dagster.yaml").exists()


def test_a_home_without_a_configuration_is_warned_of(home: Path, tmp_path: Path) -> None:
    """It is somebody's, so nothing is put into it; the warning has the command that does."""
    (home / "dagster.yaml").unlink()
    warned = run(tmp_path, home)
    assert warned.exit_code == 0
    assert f"Warning: {home} has no dagster.yaml" in warned.output
    assert not (home / "dagster.yaml").exists()
    subprocess.run(["/bin/sh", "-c", warned.output.strip().rpartition("To use ours:  ")[2]], check=True)
    assert run(tmp_path, home).output == ""


def test_a_configuration_of_ones_own_stays(home: Path, tmp_path: Path) -> None:
    """Neither replaced nor warned of."""
    (home / "dagster.yaml").unlink()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert run(tmp_path, home).output == ""
    assert (home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_a_tilde_is_the_home_folder(tmp_path: Path) -> None:
    """A shell does not expand it in quotes or in a file."""
    assert run(tmp_path, "~/dagster").output == ""
    assert (tmp_path / "dagster" / "dagster.yaml").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("relative/home", "not an absolute path. Use one, for example:  export DAGSTER_HOME=/"),
        ("~nobodysuch/home", "that user has no home folder"),
        ("{}/file", "which is a file. Set it to a folder, or unset it."),
        ("{}/file/below", "which can't be used: Not a directory."),
    ],
)
def test_a_home_that_cannot_be_one_is_refused(tmp_path: Path, given: str, message: str) -> None:
    """In one line that names the variable."""
    (tmp_path / "file").touch()
    refused = run(tmp_path, given.format(tmp_path))
    assert refused.exit_code == 1
    assert message in refused.output
    assert "DAGSTER_HOME" in refused.output
    assert len(refused.output.splitlines()) == 1


def test_the_home_that_dagster_reads_from_env_is_ours_too(tmp_path: Path) -> None:
    """Dagster copies `.env` over the environment, so its runs are there."""
    with chdir(tmp_path):
        Path(".env").write_text(f"DAGSTER_HOME={tmp_path}/in-file\n")
        environ = {"DAGSTER_HOME": f"{tmp_path}/in-environment", "LP_API_URL": None, "LP_PIPELINE_SETTINGS": None}
        assert CliRunner().invoke(main, ["home"], env=environ).exit_code == 0
    assert (tmp_path / "in-file" / "dagster.yaml").exists()
    assert not (tmp_path / "in-environment").exists()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_named_with_the_command_that_moves_it_aside(home: Path, name: str, damage: object) -> None:
    """R6: and after that command Dagster starts anew, for there is nothing in it that is needed."""
    path = home / name
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    path.with_name(path.name + "-wal").touch()
    with pytest.raises(WarehouseError) as raised:
        check_storage(home)
    message = str(raised.value)
    assert message.startswith(f"{path}, ")
    assert "no data is lost" in message
    subprocess.run(["/bin/sh", "-c", message.splitlines()[-1]], check=True)
    assert not path.exists()
    assert not path.with_name(path.name + "-wal").exists()
    check_storage(home)
    prepare_home(home)
    assert path.exists()


@pytest.mark.parametrize(
    "name", [pytest.param(FILES[0], marks=pytest.mark.slow), pytest.param(FILES[1], marks=pytest.mark.marathon)]
)
def test_a_sync_on_a_damaged_file_is_one_message(home: Path, tmp_path: Path, name: str) -> None:
    """No stack trace; then the command of the message, and the sync works."""
    small_sandbox(tmp_path / "data")
    path = home / name
    path.write_bytes(b"X" + path.read_bytes()[1:])
    refused = run(tmp_path, home, "sync")
    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit | click.ClickException)
    assert str(path) in refused.output
    assert "Traceback" not in refused.output
    assert len(refused.output.splitlines()) == 2, refused.output
    subprocess.run(["/bin/sh", "-c", refused.output.splitlines()[-1]], check=True)
    again = run(tmp_path, home, "sync")
    assert again.exit_code == 0, again.output


def test_an_error_that_has_nothing_to_do_with_a_file_stays_what_it_is(home: Path) -> None:
    """A bug is not hidden behind a message about files."""
    with pytest.raises(ZeroDivisionError), plain_storage_errors(home):
        raise ZeroDivisionError


def test_a_file_that_is_in_use_is_not_damaged(home: Path) -> None:
    """Another process may be writing it."""
    holding = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
    holding += "c.execute('begin exclusive'); print('held', flush=True); time.sleep(60)"
    command = ["python3", "-c", holding, str(home / FILES[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout
            other.stdout.readline()
            check_storage(home)
        finally:
            other.kill()


def test_the_commands_in_messages_are_quoted(home: Path) -> None:
    """This home has a blank in its name."""
    (home / FILES[0]).write_bytes(b"x" * 5000)
    with pytest.raises(WarehouseError) as raised:
        check_storage(home)
    assert str(home / FILES[0]) in shlex.split(str(raised.value).splitlines()[-1])
