"""The inbox as a process of its own on loopback, for tests."""

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import PATIENCE

SECRET = "s" * 40
HEADERS = {"X-Inbox-Secret": SECRET}
GOOD = {"id": "c1", "occurred_at": "2026-03-02T16:50:00Z", "body": "Hello", "phone": "518-555-0101"}
INBOX = {"COMMUNICATIONS_FROM": "inbox", "INBOX_SECRET": SECRET}


class Served:
    """A running inbox."""

    def __init__(self, process: subprocess.Popen[str], port: int, outbox: Path) -> None:
        self.process = process
        self.port = port
        self.address = f"http://127.0.0.1:{port}/communications"
        self._outbox = outbox

    def post(self, value: object = GOOD, **more: Any) -> httpx.Response:
        """Send one request."""
        given: dict[str, Any] = {"headers": HEADERS, "json": value} | more
        if "content" in given:
            del given["json"]
        return httpx.post(self.address, timeout=PATIENCE, **given)

    def client(self, sent: bytes = b"") -> socket.socket:
        """A client that connects and sends these bytes."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.sendall(sent)
        return connection

    def stored(self) -> list[str]:
        """The ids that are in the outbox."""
        with closing(sqlite3.connect(self._outbox)) as connection:
            return [row[0] for row in connection.execute("select communication_id from communications order by 1")]

    def ended_by(self, signal: int) -> str:
        """What it has printed once it has ended."""
        self.process.send_signal(signal)
        output, _ = self.process.communicate(timeout=PATIENCE)
        return output


@contextmanager
def inbox(account: Account, *python: str) -> Iterator[Served]:
    """`lp-pipeline inbox` on a free port; `python` are arguments of a Python that runs it instead of the script."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, *python] if python else [str(Path(sys.executable).parent / "lp-pipeline")]
    command = [*program, "inbox", "--port", str(port)]
    environ = {**account.environ, **INBOX, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        command, env=environ, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        served = Served(process, port, account.outbox.path)
        while True:  # until it answers, or has ended
            try:
                if httpx.get(served.address).status_code == httpx.codes.METHOD_NOT_ALLOWED:
                    break
            except httpx.TransportError:
                assert process.poll() is None, process.stdout and process.stdout.read()
                time.sleep(0.05)
        try:
            yield served
        finally:
            process.kill()
