"""The client against real sockets on 127.0.0.1: refused, cut, silent and trickling connections, and proxies."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.errors import HatchUnavailable

from .fakes import BODY, CONTACT, item, settings, zipped

TAKEN = json.dumps({"data": {"id": CONTACT}}).encode()


@contextmanager
def server(behave: Callable[[Any], None]) -> Iterator[str]:
    """A Hatch that leaves every request to `behave`."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        stopped = stop

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            behave(self)

        def do_GET(self) -> None:
            behave(self)

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


def upsert(address: str, **more: Any) -> str:
    with HatchClient(settings(), address=address, pace=0.0, **more) as client:
        return client.upsert(BODY)


def test_a_refused_connection_says_so() -> None:
    """R3: what was tried, what came back, what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(HatchUnavailable) as caught:
            upsert(address)
    assert f"could not be reached at {address}: connection refused, 4 tries in" in str(caught.value)


def test_a_cut_connection_is_tried_again() -> None:
    """R3: a cut connection is transient, and an upsert may be repeated after a doubtful answer."""
    cuts = iter([True, True, False])

    def behave(handler: Any) -> None:
        if next(cuts):
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        else:
            handler.answer(TAKEN)

    with server(behave) as address:
        assert upsert(address) == CONTACT


def test_a_silent_hatch_is_given_up() -> None:
    """R1: nothing hangs for ever."""

    def behave(handler: Any) -> None:
        handler.stopped.wait()

    with server(behave) as address, pytest.raises(HatchUnavailable, match="timed out: no whole answer within"):
        upsert(address, read_timeout=0.05)


def test_an_answer_that_trickles_in_without_end_is_given_up() -> None:
    """R1: nothing hangs for ever."""

    def behave(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000000")
        handler.end_headers()
        try:
            while not handler.stopped.wait(0.01):
                handler.wfile.write(b" ")
        except OSError:
            handler.close_connection = True

    with server(behave) as address, pytest.raises(HatchUnavailable, match="timed out"):
        upsert(address, read_timeout=0.1)


def test_an_endless_answer_is_not_read_to_the_end() -> None:
    """R1: no answer takes all the memory."""

    def behave(handler: Any) -> None:
        try:
            handler.answer(b" " * 3_000_000)
        except OSError:
            handler.close_connection = True

    with server(behave) as address, pytest.raises(HatchUnavailable, match="answered with more than 1048576 bytes"):
        upsert(address)


def test_an_export_of_a_hundred_thousand_rows_comes_whole() -> None:
    """Contract 2: up to 100 MB."""
    content = zipped(b"\n".join([item()] * 100_000))

    with (
        server(lambda handler: handler.answer(content)) as address,
        HatchClient(settings(), export_address=address) as client,
    ):
        found = client.export("conversation_items", date(2026, 3, 1), date(2026, 3, 1))
    assert len(found) == 100_000


def test_proxies_do_not_stand_between_us_and_loopback() -> None:
    """The sandbox is reached whatever HTTP_PROXY says."""
    program = "import sys; from lp_pipeline_tests.clients.hatch.test_loopback import upsert; print(upsert(sys.argv[1]))"
    with server(lambda handler: handler.answer(TAKEN)) as address:
        environment = {**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
        environment |= {"http_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
        done = subprocess.run(
            [sys.executable, "-c", program, address], env=environment, capture_output=True, text=True, check=False
        )
    assert done.stdout == f"{CONTACT}\n", done.stderr
