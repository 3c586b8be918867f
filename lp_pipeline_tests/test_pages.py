"""Issue 11: every command and query of README.md and docs/ is run: here as it is written, or by the test
that commands_elsewhere.py names. What is new in a page and known to neither fails.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from contextlib import chdir
from pathlib import Path
from uuid import uuid4

import click
import httpx
import pytest
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.clients.hatch import communication
from lp_pipeline.communications.landing import land
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import push_open
from lp_pipeline.runs.upkeep.backup import backup
from lp_pipeline.settings import REPOSITORY, load_settings
from lp_pipeline_tests.account import PACE
from lp_pipeline_tests.commands_elsewhere import ELSEWHERE, elsewhere
from lp_pipeline_tests.drills.deployment import free_port, until
from lp_pipeline_tests.first_sync import first_sync
from lp_pipeline_tests.insight.listener import listening
from lp_pipeline_tests.pages import Command, all_commands, blocks, commands
from lp_pipeline_tests.scenario import NOON

MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
# what a page leaves open, or what is elsewhere here: BACKUP is a backup, NEW a folder that does not exist
PLACES = {
    "CST_ID": "300003",
    "WHEN": "2026-03-01",
    "…": "failed",
    "NAME": "denver",
    "QUESTION": "leads_by_source",
    "PARAMETER=VALUE": "days=30",
    "COPY": str(REPOSITORY / "sql"),
    "FOLDER": "BACKUP",
    "/backups/lp-2026-03-02": "BACKUP",
    "/backups/lp-$INNER": "NEW",
    "/var/lib/lp-pipeline/backup-1": "NEW",
}
ANSWERS = {"forget": "y\n"}
ONLY_NAMED = {"lp-pipeline pushes again"}  # without a selection it changes nothing, and says so
# one that is held
HELD = """
insert into held_opportunities (external_contact_id, state, known_created_local, external_created_local)
values ('1', 'held', '2026-01-01', '2026-01-02')
"""


def typed(command: Command) -> list[str]:
    """The words after the program's name, with nothing left open."""
    return [PLACES.get(word, word) for word in command.words[1:]]


def understand(command: Command, tree: click.Command) -> None:
    """Raises `click.UsageError` for a command, an option or a value that does not exist."""
    name, words = command.words[0], [word for word in typed(command) if word != "--help"]
    while True:
        with tree.make_context(name, words) as context:
            words = [*context._protected_args, *context.args]
            if not isinstance(tree, click.Group) or not words:
                return
            _, found, words = tree.resolve_command(context, words)
            assert found
            name, tree = found.name or name, found


def is_whole(command: Command) -> bool:
    """Not `lp-pipeline restore` in prose, which names the command and no folder."""
    try:
        understand(command, main)
    except (click.MissingParameter, click.BadOptionUsage):
        return command.is_whole
    return str(command) not in ONLY_NAMED


def test_each_command_is_run_by_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours, of Dagster and of make exist as they are written, with their options; any other one is run elsewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "BACKUP").mkdir()
    for name in ("password", "app-key", "hatch-key", "export-key"):
        (tmp_path / name).touch()
    wrong = []
    for command in all_commands():
        program, *words = command.words
        if program == "lp-pipeline":
            try:
                understand(command, main)
            except (click.MissingParameter, click.BadOptionUsage) as error:
                wrong += [(command, error.format_message())] if command.is_whole else []
            except click.ClickException as error:
                wrong.append((command, error.format_message()))
        elif program == "make":
            target, *variables = words
            used = [rf"^{target}:", *(rf"\$+[({{]{variable.partition('=')[0]}\b" for variable in variables)]
            wrong += [(command, each) for each in used if not re.search(each, MAKEFILE, re.MULTILINE)]
        elif not elsewhere(command):
            wrong.append((command, "no test runs it: see ELSEWHERE"))
    assert wrong == []


def test_the_tests_that_run_commands_elsewhere_exist() -> None:
    """And each of them is still needed."""
    for pattern, test in ELSEWHERE.items():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8"), test
        assert any(re.fullmatch(pattern, str(each), re.DOTALL) for each in all_commands()), pattern


def test_a_page_with_a_new_command_is_found_out() -> None:
    """In a shell example, inside of $( ), and in prose; also one with its options after it."""
    page = {"page.md": "```sh\nsudo A=1 bin/new --x > y && cat $(other z) # no\n```\n`lp-pipeline ask x` (`--csv`)"}
    assert [(str(each), each.environ) for each in commands(page)] == [
        ("other z", ()),
        ("new --x", ("A=1",)),
        ("cat $INNER", ()),
        ("lp-pipeline ask x", ()),
        ("lp-pipeline ask x --csv", ()),
    ]


def test_examples_are_in_languages_that_a_test_reads() -> None:
    """Shell here, SQL and Python in test_readme.py, the accounts file here; the rest is no example."""
    assert {block.language for block in blocks()} <= {"", "sh", "sql", "python", "toml"}
    assert {block.page for block in blocks("sql", "python")} == {"README.md"}
    for block in blocks("toml"):
        assert set(tomllib.loads(block.text)["accounts"]) == {"albany", "boston"}


class User:
    """Somebody who has run a sync on the sandbox and a backup; one message matches nobody, an opportunity is held."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "LP_PIPELINE_DATA": str(folder / "data"),
            "LP_PIPELINE_SETTINGS": str(folder / "lp_pipeline.env"),
            "LP_PIPELINE_NOW": NOON.isoformat(),
            "DAGSTER_HOME": str(folder / "home"),
            "PAGER": "cat",
        }

    def begin(self) -> None:
        (self.folder / "home").mkdir()
        shutil.copy(REPOSITORY / "dagster.yaml", self.folder / "home")
        (self.folder / "lp_pipeline.env").write_text("LP_PIECE_HOURS=8784\nLP_RATE_PER_MINUTE=60000\n")
        first_sync(self.folder / "data", LP_RATE_PER_MINUTE="60000")
        with Connections(str(uuid4()), lambda: load_settings(self.environ), pace=PACE) as connections:
            text = b'{"id": "ID", "category": "sms", "phone": "5185550000", "sent_at": "2026-03-02T15:05:00Z"}'
            read = communication(text, connections.settings.hatch_time_columns)
            land(connections.outbox, connections.settings, [read], "inbox")
            push_open(connections, {}, due_only=False)
            with connections.warehouse.connection() as connection:
                connection.execute(HELD)
        backup(load_settings(self.environ), self.folder / "BACKUP")

    def copy(self, folder: Path) -> "User":
        """Another one like this, for a command that changes something."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = User(folder)
        other.environ = {**self.environ, **other.environ}
        return other

    def types(self, command: Command) -> str:
        """What goes wrong with the command."""
        given = dict(each.split("=", 1) for each in command.environ)
        environ = self.environ | {name: value.replace("/tmp", str(self.folder)) for name, value in given.items()}
        words = [word for word in typed(command) if word != "--open"]  # no browser, please
        with chdir(self.folder):
            result = CliRunner(env=environ).invoke(main, words, input=ANSWERS.get(command.words[1]))
        return f"{command}: {result.output} {result.exception}" if result.exit_code else ""


@pytest.mark.slow
def test_each_command_works_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each on a folder of its own after a first sync on the sandbox."""
    user = User(tmp_path / "user")
    user.folder.mkdir()
    user.begin()
    monkeypatch.chdir(user.folder)
    ours = {str(each): each for each in all_commands() if each.words[0] == "lp-pipeline" and not elsewhere(each)}
    whole = [each for each in ours.values() if is_whole(each)]
    assert len(whole) > 50
    wrong = []
    with listening() as listener:
        user.environ |= listener.settings
        for number, command in enumerate(whole):
            mine = user.copy(tmp_path / str(number))
            wrong.append(mine.types(command))
            shutil.rmtree(mine.folder)
    assert [each for each in wrong if each] == []


@pytest.mark.slow
def test_what_serves_answers_as_the_page_says(tmp_path: Path) -> None:
    """The inbox takes the text of docs/communications.md; the sandbox has a state to look at. SIGTERM ends both."""
    (example,) = (block for block in blocks("sh") if "curl" in block.text and "/communications" in block.text)
    user, port = User(tmp_path), str(free_port())
    secret = "s" * 32
    environ = {**os.environ, **user.environ, "COMMUNICATIONS_FROM": "inbox", "INBOX_SECRET": secret}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    (tmp_path / "lp_pipeline.env").touch()
    serve = [sys.executable, "-c", "from lp_pipeline.cli.main import main; main()"]
    shell = f"INBOX_SECRET={secret}\n{example.text.replace('8766', port)}"
    with subprocess.Popen([*serve, "inbox", "--port", port], env=environ) as inbox:
        try:
            until(lambda: not _refuses(port), "the inbox does not start")
            done = subprocess.run(["bash", "-c", shell], check=False, capture_output=True, text=True)
        finally:
            inbox.terminate()
    assert (done.stdout, inbox.returncode) == (example.text.splitlines()[-1].removeprefix("# "), 0), done.stderr
    port = str(free_port())
    with subprocess.Popen([*serve, "sandbox", "--port", port, "--switch", "order=lastchanged"], env=environ) as sandbox:
        try:
            until(lambda: not _refuses(port), "the sandbox does not start")
            state = httpx.get(f"http://127.0.0.1:{port}/sandbox/state", timeout=60).json()
        finally:
            sandbox.terminate()
    assert state["switches"]["order"] == "lastchanged"
    assert sandbox.returncode == 0


def _refuses(port: str) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(port))) != 0
