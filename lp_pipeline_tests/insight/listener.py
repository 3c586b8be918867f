"""A listener on loopback for alerts and heartbeats, as Slack or a monitoring service is one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from lp_pipeline_tests.clients.servers import serving

SECRET = "not-for-any-log"


class Listener:
    """What arrived, and what to answer."""

    def __init__(self) -> None:
        self.status = 200
        self.paths: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.received: list[tuple[str, bytes]] = []  # the path and the body of each message
        self.port = 0

    @property
    def settings(self) -> dict[str, str]:
        """By which an account reports to it."""
        return {
            "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{self.port}/services/{SECRET}?a=b",
            "HEARTBEAT_URL": f"http://127.0.0.1:{self.port}/beat/{SECRET}",
        }

    def texts(self) -> list[str]:
        """The texts that arrived since the last look."""
        found = [message["text"] for message in self.messages]
        self.messages.clear()
        return found


@contextmanager
def listening() -> Iterator[Listener]:
    """A listener until the block ends; it keeps no message that it refuses."""
    found = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if found.status == 200:
                found.messages.append(json.loads(body))
                found.received.append((self.path, body))
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            found.paths.append(self.path)
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as found.port:
        yield found
