"""Terminals, files and pipes of every kind: a letter they can't hold gets a substitute, a closed pipe ends quietly."""

import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lp_pipeline.cli.console import program_name
from lp_pipeline.cli.main import main
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.account import account as an_account
from lp_pipeline_tests.cli.test_account import ARGUMENTS, NO_DATA, commands
from lp_pipeline_tests.runs.past import person

NAME = 'José "株" 😀 …'
PROGRAM = "from lp_pipeline.cli.main import main; main(prog_name='lp-pipeline')"
ASCII, LATIN = {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
STARTING = {"inbox", "sync", "push", "backfill", "sweep", "housekeeping"}  # these would start work
SHOWING = [*sorted(set(commands()) - NO_DATA - STARTING), "nosuch", "sql --nosuch"]
ASKED = {
    **{name: list(given) for name, given in ARGUMENTS.items()},
    "sql": ["select first_name from opportunities"],
    "forget": ["2", "--yes"],  # somebody else
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with somebody whose name hardly any terminal can show, and a message of theirs."""
    with an_account(tmp_path_factory.mktemp("streams")) as opened:
        opened.lp.put({**person(opened, "1"), "firstname": NAME})
        assert opened.run().success
        opened.land({"id": "c1", "external_contact_id": "1", "body": NAME, "occurred_at": opened.now.isoformat()})
        yield opened


def environ(account: Account, **other: str) -> dict[str, str]:
    return {**account.environ, "LP_PIPELINE_NOW": account.now.isoformat(), **other}


def run(account: Account, *arguments: str, **other: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ(account, **other)}
    return subprocess.run([sys.executable, "-c", PROGRAM, *arguments], env=given, capture_output=True, check=False)


@pytest.mark.parametrize("command", SHOWING)
def test_no_command_stumbles_over_a_letter(filled: Account, command: str) -> None:
    """Help, results and errors alike, of every command, where only ASCII can be shown."""
    runner = CliRunner(charset="ascii", env=environ(filled))
    words = command.split()
    for arguments in ([*words, *ASKED.get(command, [])], [*words, "--help"]):
        result = runner.invoke(main, arguments)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert (result.stdout_bytes + result.stderr_bytes).isascii()


@pytest.mark.parametrize("encoding", [ASCII, LATIN, C_LOCALE], ids=["ascii", "latin-1", "C"])
@pytest.mark.parametrize("form", ["--csv", "--json"])
def test_rows_in_another_encoding_lose_nothing(filled: Account, encoding: dict[str, str], form: str) -> None:
    """A letter that it lacks is escaped as in JSON, so that JSON means the same."""
    ended = run(filled, "sql", form, "select first_name from opportunities", **encoding)
    assert (ended.returncode, ended.stderr) == (0, b"")
    text = ended.stdout.decode("latin-1" if encoding is LATIN else "ascii")
    assert r"\u682a" in text
    assert r"\ud83d\ude00" in text
    assert ("é" if encoding is LATIN else r"\u00e9") in text
    if form == "--json":
        assert json.loads(text) == [{"first_name": NAME}]


def test_an_error_in_another_encoding_is_still_one_message(filled: Account, tmp_path: Path) -> None:
    """On stderr too: here it names a folder."""
    ended = run(filled, "held", LP_PIPELINE_DATA=str(tmp_path / "Büro"), **ASCII)
    assert ended.returncode == 1
    assert b"B\\u00fcro" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_terminal_gets_a_table_that_it_can_show(filled: Account) -> None:
    """Frames too are drawn with what there is."""
    command = ["sql", "select first_name from opportunities"]
    ours, theirs = pty.openpty()
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", **environ(filled, **ASCII)}
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *command], env=given, stdout=theirs, stderr=theirs) as shown:
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 65536):
                seen += part
        except OSError:  # how Linux says that the other side has closed it
            pass
    os.close(ours)
    assert shown.returncode == 0
    assert seen.isascii()
    assert b"+--" in seen
    assert b"Jos\\u00e9" in seen


@pytest.mark.parametrize(
    "command",
    [
        ["sql", "--csv", "from range(1000000)"],
        ["sql", "--json", "from range(1000000)"],
        ["sql", "select 1"],
        ["status"],
        ["ask"],
        ["--help"],
    ],
)
def test_a_pipe_that_is_closed_ends_it_quietly(filled: Account, command: list[str]) -> None:
    """As with `lp-pipeline sql … | head -1`."""
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ(filled)}
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *command], env=given, stdout=writing, stderr=subprocess.PIPE
    ) as ended:
        os.close(writing)
        assert ended.stderr
        assert ended.stderr.read() == b""
    assert ended.returncode == 1


def test_a_stream_that_was_closed_before_is_no_matter(filled: Account) -> None:
    """As with `lp-pipeline status >&-`."""
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ(filled)}
    shell = 'exec "$0" -c "$1" status >&-'
    ended = subprocess.run(["/bin/sh", "-c", shell, sys.executable, PROGRAM], env=given, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_what_is_typed_in_another_encoding_is_read_or_named(filled: Account) -> None:
    """A query on stdin is UTF-8, whatever the terminal is; bytes that are not get one message."""
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environ(filled, **ASCII)}
    ask = [sys.executable, "-c", PROGRAM, "sql"]
    read = subprocess.run(ask, env=given, input="select length('é') as letters".encode(), capture_output=True)
    assert (read.returncode, read.stdout) == (0, b"letters\n1\n")
    refused = subprocess.run(ask, env=given, input="select 'é'".encode("latin-1"), capture_output=True)
    assert (refused.returncode, refused.stderr.count(b"\n")) == (1, 1)
    assert b"not valid UTF-8" in refused.stderr


def test_a_command_that_a_message_names_works_in_the_folder_it_is_read_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A message names the command that helps: from anywhere but the checkout, by its whole path."""
    monkeypatch.chdir(REPOSITORY)
    assert program_name() == ".venv/bin/lp-pipeline"
    monkeypatch.chdir(tmp_path)
    assert shlex.split(program_name()) == [str(REPOSITORY / ".venv/bin/lp-pipeline")]
