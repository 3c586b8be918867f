"""The inbox as a process on loopback, and what it refuses (SPEC C2)."""

import asyncio
import json
import resource
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lp_pipeline.cli.console import console
from lp_pipeline.communications.inbox import inbox_app
from lp_pipeline.communications.inbox_server import serve_inbox
from lp_pipeline.errors import SettingsError
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.communications.inbox_process import GOOD, HEADERS, INBOX, SECRET, Served, inbox
from lp_pipeline_tests.communications.talk import Talk
from lp_pipeline_tests.scenario import PATIENCE, live_settings


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One inbox for all tests that only talk to it."""
    folder = tmp_path_factory.mktemp("inbox")
    account = Account.__new__(Account)
    account.folder = folder / "data"
    account.outbox = Outbox(account.folder)
    account.environ = {
        "LP_API_URL": "http://127.0.0.1:9",
        **{f"LP_{name}": "x" for name in ("CLIENT_ID", "USERNAME", "PASSWORD", "APP_KEY")},
        "LP_TIMEZONE": "America/New_York",
        "LP_PIPELINE_DATA": str(account.folder),
    }
    with inbox(account) as process:
        yield process


def test_it_takes_one_or_a_list_and_says_so_once_they_are_stored(served: Served) -> None:
    """C2: 202, how many; the same again changes nothing."""
    answer = served.post({**GOOD, "id": "one"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    several = [{**GOOD, "id": f"many{number}"} for number in range(3)]
    for _ in range(2):
        answer = served.post(several)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 3})
    assert {"one", "many0", "many1", "many2"} <= set(served.stored())
    assert len(served.stored()) == len(set(served.stored()))


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "é" * 40])
def test_the_secret_must_be_right(served: Served, secret: str | None) -> None:
    """C2: 401, before anything of the body is looked at."""
    headers = {} if secret is None else {"X-Inbox-Secret": secret.encode()}
    for value in ({**GOOD, "id": "intruder"}, "no communication"):
        answer = served.post(value, headers=headers)
        assert answer.status_code == 401
        assert SECRET not in answer.text
    assert "intruder" not in served.stored()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1,", b"id=1", b"[" * 100_000, b'{"id": 1e999}'])
def test_what_is_no_json_is_refused(served: Served, body: bytes) -> None:
    """C2: 400, and it says what is wanted."""
    answer = served.post(content=body)
    assert answer.status_code == 400
    assert "JSON" in answer.text or "communication 1" in answer.text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": None}, "id"),
        ({"occurred_at": None}, "occurred_at"),
        ({"occurred_at": "PRIVATE"}, "occurred_at"),
        ({"phone": ["PRIVATE"]}, "phone"),
        ({"body": {"text": "PRIVATE"}}, "body"),
        ({"external_contact_id": True}, "external_contact_id"),
    ],
)
def test_what_is_malformed_is_refused_by_name(served: Served, change: dict[str, Any], named: str) -> None:
    """C2, R4: the field, and which communication; no value. A list with one of them stores nothing."""
    answer = served.post([{**GOOD, "id": "whole"}, {**GOOD, "id": "half", **change}])
    assert answer.status_code == 400
    assert "communication 2: " in answer.text
    assert named in answer.text
    assert "PRIVATE" not in answer.text
    assert not {"whole", "half"} & set(served.stored())


@pytest.mark.parametrize("value", ["text", 7, None, True, [["x"]], [None]])
def test_json_of_another_kind_is_refused(served: Served, value: object) -> None:
    """C2."""
    assert served.post(content=json.dumps(value).encode()).status_code == 400


@pytest.mark.parametrize("size", [1_000_001, 3_000_000, 15_000_000])
def test_more_than_a_megabyte_is_refused(served: Served, size: int) -> None:
    """C2: 413, which the sender gets to read; with a Content-Length or in chunks."""
    body = json.dumps({**GOOD, "id": "large", "body": "x" * size}).encode()
    assert served.post(content=body).status_code == 413
    chunks = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    assert served.post(content=chunks).status_code == 413
    assert "large" not in served.stored()


def test_a_megabyte_is_taken(served: Served) -> None:
    """C2: over 1 MB is refused, not that."""
    body = json.dumps({**GOOD, "id": "big", "body": ""}).encode()
    filled = body.replace(b'"body": ""', b'"body": "' + b"x" * (1_000_000 - len(body)) + b'"')
    assert len(filled) == 1_000_000
    assert served.post(content=filled).status_code == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_post_is_taken(served: Served, method: str) -> None:
    """C2: 405; another path: 404."""
    assert httpx.request(method, served.address, headers=HEADERS).status_code == 405
    assert httpx.post(served.address + "x", headers=HEADERS, json=GOOD).status_code == 404


def test_it_listens_on_loopback_alone(served: Served) -> None:
    """R4: by default."""
    port = int(httpx.URL(served.address).port or 0)
    listening = [
        line.split()[1]
        for name in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in (Path(name).read_text().splitlines()[1:] if Path(name).exists() else [])
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_what_was_accepted_outlives_kill_9(talk: Talk) -> None:
    """C2: durable first, then 202; killed in the middle of a stream of requests, none that was accepted is missing."""
    accepted: list[str] = []
    with inbox(talk) as served, httpx.Client(headers=HEADERS) as client, ThreadPoolExecutor(4) as pool:

        def send(number: int) -> None:
            try:
                if client.post(served.address, json={**GOOD, "id": f"k{number}"}).status_code == 202:
                    accepted.append(f"k{number}")
            except httpx.TransportError:
                pass
            if len(accepted) == 40:
                served.process.kill()

        list(pool.map(send, range(200)))
        assert 40 <= len(accepted) < 200
        assert set(accepted) <= set(served.stored())
    assert all(path.stat().st_mode & 0o077 == 0 for path in talk.folder.glob("outbox.sqlite*"))


def test_sigterm_ends_it_cleanly(talk: Talk) -> None:
    """C2: exit code 0, what was accepted is there."""
    with inbox(talk) as served:
        assert served.post().status_code == 202
        served.process.send_signal(signal.SIGTERM)
        output, _ = served.process.communicate(timeout=PATIENCE)
        assert served.process.returncode == 0, output
        assert "Traceback" not in output
        assert SECRET not in output
        assert served.stored() == ["c1"]


def test_a_full_disk_is_503_and_nothing_is_half_stored(talk: Talk) -> None:
    """C2: the sender is asked to send it again, the log says why; it works again once there is room."""
    with inbox(talk) as served:
        assert served.post({**GOOD, "id": "before"}).status_code == 202
        size = max(path.stat().st_size for path in talk.folder.glob("outbox.sqlite*"))
        _, hard = resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (size + 20_000, hard))
        large = [{**GOOD, "id": f"large{number}", "body": "PRIVATE" * 5000} for number in range(5)]
        answer = served.post(large)
        assert (answer.status_code, "again" in answer.text) == (503, True)
        assert served.stored() == ["before"]
        resource.prlimit(served.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert served.post(large).status_code == 202
        assert len(served.stored()) == 6
        served.process.terminate()
        output, _ = served.process.communicate(timeout=PATIENCE)
        assert "could not store" in output
        assert "PRIVATE" not in output


def test_it_does_not_start_beside_the_export_or_without_a_secret(tmp_path: Path) -> None:
    """C1, C2: both would push the same message twice; a secret has at least 32 characters."""
    for environ, named in (
        ({"COMMUNICATIONS_FROM": "export", "INBOX_SECRET": SECRET}, "COMMUNICATIONS_FROM"),
        ({"COMMUNICATIONS_FROM": "inbox"}, "INBOX_SECRET"),
        ({"COMMUNICATIONS_FROM": "inbox", "INBOX_SECRET": "s" * 31}, "INBOX_SECRET"),
    ):
        with pytest.raises(SettingsError, match=named):
            serve_inbox(partial(live_settings, tmp_path, **environ), "127.0.0.1", 0, console())


def test_it_does_not_start_on_a_port_that_is_taken_or_on_another_accounts_outbox(tmp_path: Path) -> None:
    """C2, J5: one message that says what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match="--port"):
            serve_inbox(lambda: live_settings(tmp_path, **INBOX), "127.0.0.1", taken.getsockname()[1], console())
    with Outbox(tmp_path) as outbox:
        outbox.keep("account", '["https://other.example", "other"]')
    with pytest.raises(SettingsError, match="LP_PIPELINE_DATA"):
        serve_inbox(lambda: live_settings(tmp_path, **INBOX), "127.0.0.1", 0, console())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
COLUMNS = ("id", "body", "phone", "email", "duration_seconds", "recording_url", "category", "actor_name", "extra")


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), ANYTHING), max_size=3), st.booleans())
@settings(max_examples=25)
def test_whatever_is_sent_gets_a_clear_answer(sent: list[dict[str, Any]], ascii_only: bool) -> None:
    """C2: 202 or 400, never an error of ours, however strange the text or number."""
    items = [{"occurred_at": "2026-03-02T16:50:00Z", **item} for item in sent]
    body = json.dumps(items, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert _answer(body).status_code in (202, 400)


def test_a_lone_surrogate_harms_nobody(talk: Talk) -> None:
    """C2, C8: it is taken or refused, stored, pushed and published like any other."""
    odd = rb'"body": "\ud800\u0000x", "phone": "\udfff"'
    answer = _answer(b'{"id": "s1", "occurred_at": "2026-03-02T16:50:00Z", ' + odd + b"}")
    assert answer.status_code in (202, 400)
    talk.text("s2", body="\ud800 \x00 \ufffe")
    talk.text("s3")
    talk.push()
    assert set(talk.states().values()) == {"sent"}
    talk.publish()
    assert talk.published("select count(*) from communications") == [(2,)]


def _answer(body: bytes) -> httpx.Response:
    """What the application says, without a server around it."""
    folder = Path(f"/dev/shm/inbox-{time.time_ns()}")

    async def ask() -> httpx.Response:
        with Outbox(folder) as outbox:
            app = inbox_app(outbox, lambda: live_settings(folder, **INBOX))
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://inbox") as client:
                return await client.post("/communications", content=body, headers=HEADERS)

    try:
        return asyncio.run(ask())
    finally:
        for path in folder.glob("*"):
            path.unlink()
        if folder.exists():
            folder.rmdir()
