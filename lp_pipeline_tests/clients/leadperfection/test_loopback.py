"""The client against real sockets on 127.0.0.1: refused, cut, silent and trickling connections, and proxies."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lp_pipeline.clients.leadperfection.client import Client
from lp_pipeline.clients.leadperfection.feeds import feeds, read_window
from lp_pipeline.errors import LeadPerfectionError, SlowQuery

from .fakes import HOUR, body, prospect, settings

TOKEN = body({"access_token": "t", "expires_in": 86399})


@contextmanager
def server(behave: Callable[[Any, dict[str, str]], None]) -> Iterator[str]:
    """A LeadPerfection that signs in and leaves every call to `behave`."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        stopped = stop

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            if self.path == "/token":
                self.answer(TOKEN)
            else:
                behave(self, dict(pair.split("=", 1) for pair in text.split("&")))

        def answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=lambda: listening.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        stop.set()
        listening.shutdown()
        thread.join()
        listening.server_close()


def call(address: str, **more: Any) -> list[bytes]:
    with Client(settings(), address=address, pace=0.0, **more) as client:
        return client.call("Customers/GetLead", {"PageSize": "1"}).records


def test_a_refused_connection_says_so() -> None:
    """R3: what was tried, what came back, what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(LeadPerfectionError) as caught:
            call(address)
    assert f"could not be reached at {address}: connection refused, 6 tries in" in str(caught.value)


def test_a_cut_connection_is_tried_again() -> None:
    """R3: a cut connection is transient."""
    cuts = iter([True, True, False])

    def behave(handler: Any, fields: dict[str, str]) -> None:
        if next(cuts):
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        else:
            handler.answer(b'[{"cst_id":1}]')

    with server(behave) as address:
        assert call(address) == [b'{"cst_id":1}']


def test_a_silent_leadperfection_is_a_slow_query() -> None:
    """Contract 6: read timeout; then a smaller window or page may pass."""

    def behave(handler: Any, fields: dict[str, str]) -> None:
        handler.stopped.wait()

    with server(behave) as address, pytest.raises(SlowQuery, match="no whole answer within"):
        call(address, read_timeout=0.5)


@pytest.mark.slow
def test_an_answer_that_trickles_in_without_end_is_a_slow_query() -> None:
    """R1: nothing hangs for ever."""

    def behave(handler: Any, fields: dict[str, str]) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000000")
        handler.end_headers()
        try:
            while not handler.stopped.wait(0.01):
                handler.wfile.write(b" ")
        except OSError:
            handler.close_connection = True

    with server(behave) as address, pytest.raises(SlowQuery):
        call(address, read_timeout=0.5)


def test_proxies_do_not_stand_between_us_and_loopback() -> None:
    """The sandbox is reached whatever HTTP_PROXY says."""
    program = (
        "import sys; from lp_pipeline_tests.clients.leadperfection.test_loopback import call; print(call(sys.argv[1]))"
    )

    def behave(handler: Any, fields: dict[str, str]) -> None:
        handler.answer(b'[{"cst_id":1}]')

    with server(behave) as address:
        environment = {**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
        environment |= {"http_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
        done = subprocess.run(
            [sys.executable, "-c", program, address], env=environment, capture_output=True, text=True, check=False
        )
    assert done.stdout == """[b'{"cst_id":1}']\n""", done.stderr


def test_ten_thousand_records_are_read_in_pages_of_25() -> None:
    """W4: to the end, at a pace that a backfill needs."""
    lead = {"id": "1", "dateentered": "2026-02-27T16:20:05.033", "appointments": [{"id": "2"}], "jobs": [{"id": "3"}]}
    rows = [prospect(number, leads=[lead]) for number in range(10_000)]

    def behave(handler: Any, fields: dict[str, str]) -> None:
        first, size = int(fields["StartIndex"]) - 1, int(fields["PageSize"])
        handler.answer(body(rows[first * size : (first + 1) * size]))

    given = settings(LP_PAGE_SIZE="25")
    with server(behave) as address, Client(given, address=address) as client:
        client.pause(0)
        result = read_window(client, feeds(given)[0], HOUR, given, trust_short_page=True)
    assert len(result.ids) == 10_000
