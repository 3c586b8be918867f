"""Clients of the inbox that stall, leave or send garbage, and how it ends while they do (SPEC C2)."""

import resource
import signal
import socket
import sqlite3
import time
from contextlib import closing, suppress

import httpx
import pytest

from lp_pipeline.communications import inbox_connection
from lp_pipeline_tests.communications.inbox_process import GOOD, HEADERS, SECRET, inbox
from lp_pipeline_tests.communications.talk import Talk

BEGUN = f"POST /communications HTTP/1.1\r\nHost: x\r\nX-Inbox-Secret: {SECRET}\r\nContent-Length: 500\r\n\r\n".encode()
STALLED = {
    "in mid-body": BEGUN + b'{"id": ',
    "before the body": BEGUN,
    "in mid-header": b"POST /communications HTTP/1.1\r\nHost: ",
    "before a byte": b"",
    "after an answer": b"POST /communications HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{",  # 401
}


@pytest.mark.parametrize("ending", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_clients_that_stall_hold_up_neither_others_nor_its_end(talk: Talk, ending: signal.Signals) -> None:
    """C2: with many clients that stall in all places, others are served; a signal ends it in time, with exit code 0."""
    with inbox(talk) as served:
        clients = [served.client(sent) for sent in STALLED.values() for _ in range(20)]
        assert served.post().status_code == 202
        before = time.monotonic()
        output = served.ended_by(ending)
        took = time.monotonic() - before
        for client in clients:
            client.close()
    assert served.process.returncode == 0
    assert took < 5  # what the issue promises, and not how fast the machine is: most of it is waiting
    assert "Traceback" not in output
    assert len(output.splitlines()) <= 1 + 40  # a line for each body that never came
    assert SECRET not in output


@pytest.mark.slow
def test_it_ends_in_time_while_the_outbox_is_locked(talk: Talk) -> None:
    """C2: a request that can't be stored before the end is refused, and its sender sends it again."""
    with inbox(talk) as served, closing(sqlite3.connect(talk.outbox.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        body = b'{"id": "c9", "occurred_at": "2026-03-02T16:50:00Z"}'
        client = served.client(BEGUN.replace(b"500", str(len(body)).encode()) + body)
        health = served.client(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        before = time.monotonic()
        output = served.ended_by(signal.SIGTERM)
        took = time.monotonic() - before
        assert b" 503 " in client.recv(1000)
        client.close()
        health.close()
        other.execute("rollback")
        assert served.stored() == []
    assert took < 6
    assert "Traceback" not in output


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
def test_a_client_that_leaves_costs_a_line(talk: Talk, reset: bool) -> None:
    """C2: in mid-body, and before it; nothing of it is stored or shown."""
    with inbox(talk) as served:
        for sent in (BEGUN + b'{"id": "PRIVATE', BEGUN):
            client = served.client(sent)
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        for sent in (b"POST /comm", b""):
            served.client(sent).close()
        assert served.post().status_code == 202
        output = served.ended_by(signal.SIGTERM)
        assert served.stored() == ["c1"]
    lines = output.splitlines()[1:]
    assert len(lines) == 2, output
    assert all("before its request was complete" in line for line in lines)
    assert "PRIVATE" not in output


GARBAGE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
    "a bad chunk": BEGUN.replace(b"Content-Length: 500", b"Transfer-Encoding: chunked") + b"zz\r\n",
    "a bad chunk after an answer": b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "endless headers": b"POST /communications HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"a" * 300_000,
    "a WebSocket": b"GET /communications HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "two lengths": BEGUN.replace(b"\r\n\r\n", b"\r\nContent-Length: 7\r\n\r\n"),
}
FIRST, *OTHERS = GARBAGE.values()
SOME_GARBAGE = [FIRST, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)]


@pytest.mark.parametrize("sent", SOME_GARBAGE, ids=GARBAGE.keys())
def test_garbage_is_refused_at_the_cost_of_a_line(talk: Talk, sent: bytes) -> None:
    """C2: whatever comes, an answer of 4xx or a closed connection, and the next request is served."""
    with inbox(talk) as served:
        client = served.client()
        with suppress(ConnectionError):
            client.sendall(sent)
            client.settimeout(3)
            with suppress(TimeoutError):
                answer = client.recv(1000)
                assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
        client.close()
        assert served.post().status_code == 202
        output = served.ended_by(signal.SIGTERM)
    assert "Traceback" not in output
    assert len(output.splitlines()) <= 2, output


def test_a_slow_client_is_given_up_after_a_minute(talk: Talk) -> None:
    """C2: though it sends a byte now and then; the sockets that a program may hold are few."""
    assert 30 <= inbox_connection.REQUEST_SECONDS <= 120
    script = (
        "import sys; from lp_pipeline.communications import inbox_connection as it; it.REQUEST_SECONDS = 1.0;"
        "from lp_pipeline.cli.main import main; sys.argv[0] = 'lp-pipeline'; main()"
    )
    with inbox(talk, "-c", script) as served:
        slow = [served.client(sent) for sent in (*STALLED.values(), BEGUN + b'{"id": ')]
        ended = 0
        for client in slow:
            with suppress(ConnectionError):
                while client.recv(1000):  # a byte would be sent here, if it were allowed
                    client.sendall(b"a")
            ended += 1
            client.close()
        assert ended == len(slow)
        assert served.post().status_code == 202
        output = served.ended_by(signal.SIGTERM)
    assert "Traceback" not in output


@pytest.mark.slow
def test_health_says_without_the_secret_whether_it_can_store(talk: Talk) -> None:
    """C2: 200, or 503 while the disk is full; no data in it, nothing stored by asking."""
    with inbox(talk) as served:
        address = served.address.replace("/communications", "/health")
        answer = httpx.get(address)
        assert (answer.status_code, answer.json()) == (200, {"can_store": True})
        assert httpx.head(address).status_code == 200
        assert httpx.post(address, headers=HEADERS, json=GOOD).status_code == 405
        _, hard = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (1000, hard))
        deadline = time.monotonic() + 30
        while (answer := httpx.get(address)).status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert (answer.status_code, answer.json()) == (503, {"can_store": False})
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        while httpx.get(address).status_code == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert httpx.get(address).status_code == 200
        assert served.stored() == []
        assert SECRET not in served.ended_by(signal.SIGTERM)
