"""Writes whose response is lost: refused, lost, or executed later."""

import time
from pathlib import Path

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox

from .hatch import UPSERT, Hatch
from .lp import LEAD, LP, NOTE, Clock, prospect


@pytest.fixture
def lp(lp: LP, sandbox: Sandbox) -> LP:
    sandbox.put(prospect("1"))
    return lp


def write(lp: LP, text: str = "x") -> bool:
    """Whether a note got a response."""
    try:
        lp.write(NOTE, rectype="cst", recid="1", notes=text)
    except httpx.RemoteProtocolError:
        return False
    return True


def test_a_lost_write_is_done_and_not_answered(lp: LP, sandbox: Sandbox) -> None:
    """The connection closes without a response; a refused call writes nothing."""
    sandbox.fault("lost", path="AddNotes")
    sandbox.fault("refuse", path="AddNotes")
    assert [write(lp, text) for text in ("lost", "refused", "good")] == [False, False, True]
    assert sandbox.notes("1") == ["lost", "good"]


def test_a_late_write_is_done_when_its_time_has_come(lp: LP, sandbox: Sandbox, clock: Clock) -> None:
    """By the sandbox's clock, in due order, stamped at that time; any later call triggers them."""
    sandbox.fault("late", path="AddNotes", seconds=120)
    sandbox.fault("late", path="AddNotes", seconds=60)
    assert not write(lp, "second")
    assert not write(lp, "first")
    clock.turn(seconds=59)
    assert "notes" not in lp.read()[0]
    assert sandbox.state()["counts"]["late"] == 2
    clock.turn(minutes=5)
    notes = lp.read()[0]["notes"]
    assert [(note["note"], note["enteredon"][11:19]) for note in notes] == [
        ("first", "12:01:00"),
        ("second", "12:02:00"),
    ]


def test_a_late_write_does_not_wait_for_a_clock_that_stands_still(lp: LP, sandbox: Sandbox) -> None:
    """This machine's clock also counts; reading the notes triggers them too, once."""
    sandbox.fault("late", path="AddNotes", seconds=3600)
    sandbox.fault("late", path="AddNotes", seconds=1)
    assert [write(lp, text) for text in ("in an hour", "soon")] == [False, False]
    while not sandbox.notes("1"):
        time.sleep(0.05)
    assert sandbox.notes("1") == ["soon"]
    assert sandbox.state()["counts"]["late"] == 1


def test_a_late_write_outlives_its_server_and_its_client(tmp_path: Path, clock: Clock) -> None:
    """Whichever process opens the folder next executes it, once."""
    first = Sandbox(tmp_path, clock=clock, population=0)
    first.put(prospect("1"))
    first.fault("late", path="AddNotes", seconds=60)
    with first.serve() as url, httpx.Client(base_url=url) as http:
        client = LP(http)
        client.sign_in()
        assert not write(client)
    clock.turn(minutes=2)
    other = Sandbox(tmp_path, clock=clock)
    with other.serve() as url, httpx.Client(base_url=url) as http:
        client = LP(http)
        client.sign_in()
        assert [note["note"] for note in client.read()[0]["notes"]] == ["x"]
    assert first.notes("1") == ["x"]


def test_a_late_write_can_hold_its_connection_open(lp: LP, sandbox: Sandbox) -> None:
    """So that a client times out."""
    sandbox.fault("late", path="AddNotes", seconds=60, hold=30)
    lp.http.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.ReadTimeout):
        write(lp)
    assert sandbox.state()["counts"]["late"] == 1


def test_a_late_write_without_a_token_never_happens(lp: LP, sandbox: Sandbox, clock: Clock) -> None:
    """A late call is processed like any other; its response goes nowhere."""
    sandbox.fault("late", path="AddNotes", seconds=1)
    lp.headers = {}
    assert not write(lp)
    clock.turn(minutes=1)
    assert sandbox.notes("1") == []


def test_upserts_can_be_lost_and_late_too(hatch: Hatch, sandbox: Sandbox, clock: Clock) -> None:
    """The same faults, for any path."""
    sandbox.fault("lost", path=UPSERT)
    sandbox.fault("late", path=UPSERT, seconds=60)
    for name in ("lost", "late"):
        with pytest.raises(httpx.RemoteProtocolError):
            hatch.put(externalID=name, email="a@example.com")
    assert [body["externalID"] for body in sandbox.hatch_writes()] == ["lost"]
    clock.turn(minutes=1)
    assert [body["externalID"] for body in sandbox.hatch_writes()] == ["lost", "late"]


def fates(lp: LP, sandbox: Sandbox, count: int) -> list[str]:
    """The outcomes of this many consecutive writes."""
    found: list[str] = []
    for number in range(count):
        answered, late = write(lp, str(number)), sandbox.state()["counts"]["late"]
        there = bool(sandbox.notes("1")) and sandbox.notes("1")[-1] == str(number)
        found.append("good" if answered else "lost" if there else "late" if late > found.count("late") else "refuse")
    return found


def test_one_write_in_so_many_may_meet_bad_luck(lp: LP, sandbox: Sandbox, clock: Clock) -> None:
    """About one in N, of every kind; reads and sign-in are never affected."""
    sandbox.switch(lossy=3, lossy_late_seconds=3600)
    found = fates(lp, sandbox, 90)
    assert 15 < 90 - found.count("good") < 45
    assert set(found) == {"good", "lost", "late", "refuse"}
    for _ in range(20):
        lp.read()
        lp.sign_in()
    clock.turn(hours=2)
    there = {number for number in range(90) if found[number] != "refuse"}
    assert sorted(map(int, sandbox.notes("1"))) == sorted(there)


def test_bad_luck_goes_by_dice_that_can_be_set(lp: LP, sandbox: Sandbox, tmp_path: Path, clock: Clock) -> None:
    """The same seed gives the same faults, call after call, in any process."""
    sandbox.switch(lossy=2, lossy_late_seconds=3600)
    other = Sandbox(tmp_path / "other", clock=clock, population=0)
    other.switch(lossy=2, lossy_late_seconds=3600)
    other.put(prospect("1"))
    again = []
    for _ in range(2):
        with other.serve() as url, httpx.Client(base_url=url) as http:
            client = LP(http)
            client.sign_in()
            again += [write(client) for _ in range(10)]
    first = [write(lp) for _ in range(20)]
    assert first == again
    sandbox.switch(lossy_seed=2)
    assert [write(lp) for _ in range(20)] != first
    assert lp.post(LEAD).status_code == 200
