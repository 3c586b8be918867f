"""What tests and drills share: all that a client can do to `published.duckdb`, whether it means to or not.

Each act is a function of the file and of the stack that ends its process, if it has one, when the test is over.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE

import duckdb

Act = Callable[[Path, ExitStack], None]

CLIENT = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read-only")
print("done", flush=True)
for line in sys.stdin:
    try:
        connection.execute(line)
        print("done", flush=True)
    except duckdb.Error as error:
        print("refused:", str(error).splitlines()[0], flush=True)
"""


class Client:
    """A process that has the file open, and does what it is asked to."""

    def __init__(self, path: Path, stack: ExitStack, mode: str = "read-write") -> None:
        command = [sys.executable, "-c", CLIENT, str(path), mode]
        self.process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True)
        stack.callback(self.kill)
        assert self._said() == "done"

    def do(self, statement: str) -> str:
        """Run one statement; `done`, or `refused: …`."""
        assert self.process.stdin
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        return self._said()

    def kill(self) -> None:
        """SIGKILL; nothing is closed or checkpointed."""
        self.process.kill()
        self.process.communicate()

    def _said(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()


def log_of(path: Path) -> Path:
    """Where DuckDB would keep what is not yet in the file."""
    return path.with_name(f"{path.name}.wal")


def writable(path: Path) -> None:
    """Whoever is not root has to do this first."""
    if os.getuid():
        path.chmod(0o600)


def unlocked(path: Path) -> None:
    """Whoever means it takes our precautions away."""
    writable(path)
    log_of(path).unlink(missing_ok=True)


def reads(path: Path, stack: ExitStack) -> None:
    Client(path, stack, "read-only")


def holds_it_for_writing(path: Path, stack: ExitStack) -> None:
    writable(path)
    Client(path, stack)


def holds_it_with_a_log(path: Path, stack: ExitStack) -> None:
    unlocked(path)
    assert Client(path, stack).do("create table theirs as select 1 as one") == "done"


def is_killed_with_a_log(path: Path, stack: ExitStack) -> None:
    unlocked(path)
    client = Client(path, stack)
    assert client.do("create table theirs as select 1 as one") == "done"
    client.kill()
    assert log_of(path).stat().st_size


def changes_it(path: Path, stack: ExitStack) -> None:
    unlocked(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table theirs as select 1 as one")
        for table in ("opportunity_details", "prospects", "raw.prospects"):
            connection.execute(f"delete from {table}")


def leaves_the_log_of_another(path: Path, stack: ExitStack) -> None:
    other = path.with_name("other.duckdb")
    client = Client(other, stack)
    client.do("create table theirs as select 1 as one")
    client.kill()
    log_of(other).replace(log_of(path))
    other.unlink()


def leaves_a_folder_as_its_log(path: Path, stack: ExitStack) -> None:
    log_of(path).unlink(missing_ok=True)
    log_of(path).mkdir()


def locks_it(path: Path, stack: ExitStack) -> None:
    """Both kinds of locks, in another process."""
    code = (
        "import fcntl, sys\nfile = open(sys.argv[1], 'r+b')\nfcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        "fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\nprint('done', flush=True)\nsys.stdin.read()"
    )
    writable(path)
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    stack.callback(process.communicate)
    stack.callback(process.kill)
    assert process.stdout
    assert process.stdout.readline() == b"done\n"


def flocks_it(path: Path, stack: ExitStack) -> None:
    file = stack.enter_context(path.open("rb"))
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def deletes_it(path: Path, stack: ExitStack) -> None:
    path.unlink()


def empties_it(path: Path, stack: ExitStack) -> None:
    writable(path)
    os.truncate(path, 0)


def cuts_it_off(path: Path, stack: ExitStack) -> None:
    writable(path)
    os.truncate(path, path.stat().st_size // 2)


def tears_it(path: Path, stack: ExitStack) -> None:
    writable(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 4096)


def takes_it_away_from_everybody(path: Path, stack: ExitStack) -> None:
    path.chmod(0)


def puts_a_folder_there(path: Path, stack: ExitStack) -> None:
    path.unlink()
    path.mkdir()
    (path / "schema.sql").write_text("what EXPORT DATABASE leaves")


def puts_a_link_there(path: Path, stack: ExitStack) -> None:
    elsewhere = path.with_name("elsewhere.duckdb")
    path.replace(elsewhere)
    path.symlink_to(elsewhere)


def puts_a_link_to_nothing_there(path: Path, stack: ExitStack) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nothing"))


def puts_a_pipe_there(path: Path, stack: ExitStack) -> None:
    path.unlink()
    os.mkfifo(path)


def puts_a_copy_there(path: Path, stack: ExitStack) -> None:
    whole = path.read_bytes() if path.is_file() else b""  # what is there may be a pipe, from an earlier act
    path.unlink()
    path.write_bytes(whole)


HARMLESS: tuple[Act, ...] = (reads, flocks_it)
HARMFUL: tuple[Act, ...] = (
    holds_it_for_writing,
    holds_it_with_a_log,
    is_killed_with_a_log,
    changes_it,
    leaves_the_log_of_another,
    leaves_a_folder_as_its_log,
    locks_it,
    deletes_it,
    empties_it,
    cuts_it_off,
    tears_it,
    takes_it_away_from_everybody,
    puts_a_folder_there,
    puts_a_link_there,
    puts_a_link_to_nothing_there,
    puts_a_pipe_there,
    puts_a_copy_there,
)
EVERYDAY = (
    holds_it_for_writing,
    is_killed_with_a_log,
    changes_it,
    locks_it,
    deletes_it,
    cuts_it_off,
    takes_it_away_from_everybody,
    puts_a_link_there,
)


def do(act: Act, path: Path, stack: ExitStack) -> None:
    """The act; where there is no file (any more), or not one that it can work on, it does nothing."""
    with suppress(OSError, duckdb.Error, AssertionError):
        act(path, stack)
