"""A PgBouncer of Debian's package for tests, by `deploy/fleet/pgbouncer.ini`, on a free port of 127.0.0.1 in front of a
test's PostgreSQL. Whoever starts it ends it, by its process id.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest

from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.drills.deployment import free_port, until
from lp_pipeline_tests.postgres import Postgres

CONFIGURATION = REPOSITORY / "deploy" / "fleet" / "pgbouncer.ini"
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


class PgBouncer:
    """One PgBouncer before one PostgreSQL; it may be restarted on the same port.

    `url` has no password: that is in the PostgreSQL's own PGPASSFILE, of which `environ` says the path.
    """

    def __init__(self, database: Postgres) -> None:
        self.database, self.port, self.folder = database, free_port(), database.folder / "pgbouncer"
        self.url = f"postgresql+psycopg2://dagster@127.0.0.1:{self.port}/dagster"
        self.environ = {**database.environ, "DAGSTER_POSTGRES_URL": self.url}
        self.folder.mkdir()
        (self.folder / "userlist.txt").write_text(f'"dagster" "{database.secret}"\n')
        self._write_configuration()
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            self._user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        with database.passfile.open("a") as passwords:
            passwords.write(f"127.0.0.1:{self.port}:*:dagster:{database.password}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def _write_configuration(self) -> None:
        """The deployment's file; only where it listens, where PostgreSQL is, and where the passwords are, differs."""
        text = CONFIGURATION.read_text(encoding="utf-8")
        for there, here in {
            "host=postgres port=5432 dbname=dagster": f"host=127.0.0.1 port={self.database.port} dbname=postgres",
            "listen_addr = *": "listen_addr = 127.0.0.1",
            "listen_port = 6432": f"listen_port = {self.port}",
            "/etc/pgbouncer/": f"{self.folder}/",
        }.items():
            assert there in text, f"{CONFIGURATION} has no {there!r}"
            text = text.replace(there, here)
        (self.folder / "pgbouncer.ini").write_text(text)

    def start(self) -> None:
        """Start it and wait until a query gets through."""
        assert PGBOUNCER
        with (self.folder / "log").open("ab") as log:
            command = [PGBOUNCER, str(self.folder / "pgbouncer.ini")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._user)
        until(self._answers, "PgBouncer never answers", patience=30)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg2.OperationalError:
            assert self._process
            assert self._process.poll() is None, self.log()
            return False
        return True

    def connect(self) -> Any:
        """A connection of psycopg2 through it, in autocommit as Dagster's are."""
        connection = psycopg2.connect(self.url.replace("+psycopg2", ""), password=self.database.password)
        connection.autocommit = True
        return connection

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        """End it at once, and with it every connection."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=30)


@contextmanager
def pgbouncer(database: Postgres) -> Iterator[PgBouncer]:
    """One that runs, before this PostgreSQL. CI has to have it."""
    if PGBOUNCER is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("PgBouncer is not installed: apt-get install pgbouncer")
    server = PgBouncer(database)
    try:
        server.start()
        yield server
    finally:
        server.stop()
