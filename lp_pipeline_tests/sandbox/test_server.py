"""The server: fast, clean to stop, discreet; and one database for several processes."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox
from lp_pipeline_tests.scenario import PATIENCE

from .lp import LEAD, LP, MORNING, Clock, prospect

SLOW = 120.0  # seconds that no test waits
PROCESS = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from lp_pipeline.sandbox import Sandbox

now = [datetime(2026, 3, 2, 17, 30, tzinfo=UTC)]
sandbox = Sandbox(Path(sys.argv[1]), clock=lambda: now[0], population=200)
def more(record):
    record["city"] = str(int(record.get("city") or 0) + 1) if str(record.get("city")).isdecimal() else "1"
with sandbox.serve():
    for _ in range(20):
        sandbox.edit(300001, more)
    now[0] += timedelta(hours=2)
    print(sandbox.advance())
"""


def test_answers_come_without_the_40_ms_of_a_delayed_acknowledgement(lp: LP, sandbox: Sandbox) -> None:
    """Calls over one connection, small and large: with that delay, none at all would take less, on any machine."""
    for size in (10, 30_000):
        sandbox.put(prospect("1", text="x" * size))
        assert any(seconds(lp.read) < 0.04 for _ in range(500))


def seconds(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def test_a_stopped_server_leaves_no_thread_behind(sandbox: Sandbox) -> None:
    """Even while a client keeps its connection open, or waits for a slow answer."""
    before = set(threading.enumerate())
    with httpx.Client() as idle, httpx.Client() as other:
        with sandbox.serve() as url:
            assert idle.get(f"{url}/sandbox/state").status_code == 200
            sandbox.fault("slow", seconds=SLOW)
            waiting = threading.Thread(target=other.post, args=(f"{url}/token",))
            waiting.start()
            while sandbox.state()["faults"]:
                time.sleep(0.01)
            began = time.monotonic()
        waiting.join()
        assert time.monotonic() - began < SLOW
        assert set(threading.enumerate()) <= before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/sandbox/state")


def test_the_calls_seen_are_remembered_without_the_password(sandbox: Sandbox) -> None:
    """In order, with the fields as sent, without control calls."""
    with sandbox.serve() as url, httpx.Client(base_url=url) as http:
        client = LP(http)
        client.sign_in()
        client.post(LEAD, **MORNING, PageSize=50)
        http.get("/sandbox/state")
    (sign_in, signed_in), call = sandbox.requests
    assert sign_in == "/token"
    assert signed_in["appkey"] == "sandbox"
    assert "password" not in signed_in
    assert call == (LEAD, {**MORNING, "PageSize": "50"})


def test_several_servers_can_serve_one_world(lp: LP, sandbox: Sandbox) -> None:
    """A record put through one server is served by all, from many threads."""
    errors: list[BaseException] = []

    def busy(number: int) -> None:
        try:
            with sandbox.serve() as url, httpx.Client(base_url=url) as http:
                client = LP(http)
                client.sign_in()
                for step in range(5):
                    sandbox.put(prospect(str(number * 100 + step)))
                    client.read()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=busy, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(lp.ids()) == 20


@pytest.mark.slow
def test_several_processes_share_one_world(tmp_path: Path) -> None:
    """Four processes create the file at once, and one wins; none of 80 edits is lost; each event happens once."""
    command = [sys.executable, "-W", "error", "-c", PROCESS, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    happened = 0
    for process in processes:
        said, problem = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, problem
        happened += int(said)
    assert happened == 120
    sandbox = Sandbox(tmp_path, clock=Clock())
    assert sandbox.get(300001)["city"] == "80"
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.sqlite"]
    assert sandbox.path.stat().st_mode & 0o077 == 0


def test_a_folder_keeps_its_world(tmp_path: Path, clock: Clock) -> None:
    """Zone, seed and population come from the file, whatever a later Sandbox passes."""
    first = Sandbox(tmp_path, clock=clock, zone="America/Chicago", population=3)
    first.switch(paging="row")
    clock.turn(days=-1)
    again = Sandbox(tmp_path, clock=clock, zone="Asia/Tokyo", population=500, seed=1).state()
    assert again["zone"] == "America/Chicago"
    assert again["counts"]["prospects"] == 3
    assert again["switches"]["paging"] == "row"


def test_a_zone_that_does_not_exist_is_refused_at_once(tmp_path: Path, clock: Clock) -> None:
    """Before anything is written."""
    with pytest.raises(KeyError):
        Sandbox(tmp_path, clock=clock, zone="Mars/Olympus")
    assert not list(tmp_path.iterdir())
