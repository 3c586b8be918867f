"""A PostgreSQL of Debian's package for tests: in a folder of its own, on a free port of 127.0.0.1, never as root, with
a password that is in a file only. Whoever starts it ends it, by its process id.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import psycopg2
import pytest

from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.drills.deployment import free_port, until

SCRAM = REPOSITORY / "deploy" / "fleet" / "scram_secret.py"
BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=Path("none"))
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB", "log_connections=on")


def scram_secret(password: str) -> str:
    """What PostgreSQL and PgBouncer keep of it, by the deployment's program. Raises `CalledProcessError`."""
    command = [sys.executable, str(SCRAM)]
    return subprocess.run(command, input=password, check=True, capture_output=True, text=True).stdout.strip()


class Postgres:
    """One server; it may be restarted on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.password = token_hex(24)
        self.secret = scram_secret(self.password)
        self.passfile = folder / "pgpass"
        self.url = f"postgresql+psycopg2://dagster@127.0.0.1:{self.port}/postgres"
        self.environ = {"DAGSTER_POSTGRES_URL": self.url, "PGPASSFILE": str(self.passfile)}
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._run("/bin/sh", "-c", f"umask 077; echo '{self.secret}' > {folder}/password")
        initdb = ("--auth=scram-sha-256", "--username=dagster", "--encoding=UTF8", "--no-sync")
        self._run(BINARIES / "initdb", *initdb, f"--pwfile={folder}/password", "-D", folder / "data")
        self.passfile.write_text(f"127.0.0.1:{self.port}:*:dagster:{self.password}\n")
        self.passfile.chmod(0o600)
        self._server: subprocess.Popen[bytes] | None = None

    def _run(self, *command: object) -> None:
        subprocess.run([str(each) for each in command], check=True, capture_output=True, cwd="/", **self._user)

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = [*QUICK, "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        given = [part for setting in settings for part in ("-c", setting)]
        command = [str(BINARIES / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *given]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._user)
        until(self._answers, "PostgreSQL never answers", patience=60)

    def _answers(self) -> bool:
        try:
            self.ask("select 1")
        except psycopg2.OperationalError:
            assert self._server
            assert self._server.poll() is None, self.log()
            return False
        return True

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        url = self.url.replace("+psycopg2", "")
        with psycopg2.connect(url, password=self.password) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def dump(self) -> bytes:
        """All that it keeps, as SQL."""
        command = [BINARIES / "pg_dump", "-h", "127.0.0.1", "-p", self.port, "-U", "dagster", "--data-only", "postgres"]
        environ = {**os.environ, "PGPASSFILE": str(self.passfile)}
        return subprocess.run([str(each) for each in command], check=True, capture_output=True, env=environ).stdout

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        """End it, and with it every connection, as its package's service does."""
        if self._server and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)  # its own children end too
                self._server.wait(timeout=30)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server that runs, in a folder that its user may enter, other than those of pytest. CI has to have one."""
    if not BINARIES.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "PostgreSQL is not installed: apt-get install postgresql"
        )
    folder = Path(tempfile.mkdtemp(prefix="lp-postgres-", dir="/tmp"))
    try:
        server = Postgres(folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
