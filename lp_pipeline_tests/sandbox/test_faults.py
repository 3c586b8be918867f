"""Temporary faults, permanent switches, and the control endpoints."""

import time
from typing import Any

import httpx
import pytest

from lp_pipeline.sandbox import Sandbox

from .lp import LEAD, LP, MORNING, PROSPECT, prospect

ANSWERS: list[tuple[str, dict[str, Any], int, str]] = [
    ("401", {}, 401, "Authorization has been denied"),
    ("403", {}, 403, "Message"),
    ("500", {}, 500, "Execution Timeout Expired"),
    ("503", {}, 503, "<html>"),
    ("html", {}, 200, "<!DOCTYPE html>"),
    ("empty", {}, 200, "[]"),
    ("blank", {}, 200, ""),
    ("null", {}, 200, "null"),
    ("result0", {"message": "Error: CallType does not exist."}, 200, '[{"Result": 0, "Message": "Error: CallType'),
    ("message", {"message": "no"}, 200, '{"message": "no", "status": 400, "error": "Error"}'),
    ("string", {"message": "Too bad"}, 200, '"Too bad"'),
    ("broken_json", {}, 200, '[{"cst_id"'),
]


@pytest.mark.parametrize(("kind", "details", "status", "start"), ANSWERS)
def test_a_fault_answers_once_and_is_over(
    lp: LP, sandbox: Sandbox, kind: str, details: dict[str, Any], status: int, start: str
) -> None:
    """The next call gets a normal response."""
    sandbox.put(prospect("1"))
    sandbox.fault(kind, **details)
    answer = lp.post(LEAD, **MORNING)
    assert answer.status_code == status
    assert start in answer.text
    assert lp.ids() == ["1"]


@pytest.mark.parametrize("where", ["body", "header", "both", "none"])
def test_429_says_how_long_to_wait_in_the_body_or_a_header(lp: LP, sandbox: Sandbox, where: str) -> None:
    """The wait can be in the body, the header, both or neither."""
    sandbox.fault("429", retry_after=7, where=where)
    answer = lp.post(LEAD, **MORNING)
    assert answer.status_code == 429
    assert answer.json().get("retryAfterSeconds") == (7 if where in ("body", "both") else None)
    assert answer.headers.get("Retry-After") == ("7" if where in ("header", "both") else None)


@pytest.mark.parametrize(
    ("kind", "words"), [("cut", "without sending complete message"), ("refuse", "without sending a response")]
)
def test_a_connection_can_break(lp: LP, sandbox: Sandbox, kind: str, words: str) -> None:
    """Half a response, or none; a new connection works."""
    sandbox.put(prospect("1"))
    sandbox.fault(kind)
    with pytest.raises(httpx.RemoteProtocolError, match=words):
        lp.post(LEAD, **MORNING)
    assert lp.ids() == ["1"]


def test_an_answer_can_be_slow(lp: LP, sandbox: Sandbox) -> None:
    """The delayed response is correct, and a stopping server does not wait for it."""
    sandbox.put(prospect("1"))
    sandbox.fault("slow", seconds=0.1)
    began = time.monotonic()
    assert lp.ids() == ["1"]
    assert time.monotonic() - began >= 0.1


def test_faults_wait_for_their_path_and_their_turn(lp: LP, sandbox: Sandbox) -> None:
    """`after` calls pass, then `times` calls get the fault, in queue order."""
    sandbox.fault("500", path="getlead", after=1, times=2)
    sandbox.fault("503", path="GetLead")
    assert lp.post(PROSPECT, **MORNING).status_code == 200
    assert [lp.post(LEAD, **MORNING).status_code for _ in range(5)] == [503, 500, 500, 200, 200]
    sandbox.fault("403", times=2)
    sandbox.fault("429")
    assert [lp.post(LEAD, **MORNING).status_code for _ in range(4)] == [403, 403, 429, 200]


def test_sign_in_meets_faults_too(lp: LP, sandbox: Sandbox) -> None:
    """Sign-in gets faults like any other call."""
    sandbox.fault("503", path="/token")
    assert lp.post(LEAD, **MORNING).status_code == 200
    assert lp.post("/token").status_code == 503


def test_one_record_may_always_time_out(lp: LP, sandbox: Sandbox) -> None:
    """Every page that contains the record fails, and no other page."""
    for number in (1, 2, 3):
        sandbox.put(prospect(str(number)))
    sandbox.switch(broken_record=2)
    pages = [lp.post(LEAD, **MORNING, PageSize=1, StartIndex=page) for page in (1, 2, 3)]
    assert [page.status_code for page in pages] == [200, 500, 200]
    assert "Execution Timeout Expired" in pages[1].text


def test_long_windows_may_time_out(lp: LP, sandbox: Sandbox) -> None:
    """Shorter windows work, and so do requests by id."""
    sandbox.switch(slow_window_hours=12)
    assert lp.post(LEAD, **MORNING).status_code == 200
    longer = {**MORNING, "startdate": "2026-03-01 23:59:59"}
    assert lp.post(LEAD, **longer).status_code == 500
    assert lp.post(LEAD, **longer, cst_id=5).status_code == 200


@pytest.mark.parametrize(
    "values",
    [{"color": 1}, {"paging": "x"}, {"user_data": 1}, {"max_page_size": True}, {"order": 3}, {"permissions": "x"}],
)
def test_a_wrong_switch_is_refused_by_name(sandbox: Sandbox, values: dict[str, Any]) -> None:
    """A typo in a switch is an error, not a switch without effect."""
    with pytest.raises(ValueError, match=next(iter(values))):
        sandbox.switch(**values)


@pytest.mark.parametrize("values", [{"kind": "fire"}, {"kind": "500", "times": 0}, {"kind": "500", "after": -1}])
def test_a_wrong_fault_is_refused(sandbox: Sandbox, values: dict[str, Any]) -> None:
    """A typo in a fault is an error."""
    with pytest.raises(ValueError, match=r"fire|times"):
        sandbox.fault(**values)


def test_people_can_switch_and_break_things_over_http(lp: LP, sandbox: Sandbox) -> None:
    """The same switches and faults; the state shows them, without the password."""
    assert lp.http.post("/sandbox/switch", json={"paging": "row"}).status_code == 200
    state = lp.http.post("/sandbox/fault", json={"kind": "500", "path": "GetLead"}).json()
    assert state == lp.http.get("/sandbox/state").json()
    assert state["switches"]["paging"] == "row"
    assert "password" not in state["switches"]
    assert state["faults"] == [{"kind": "500", "path": "getlead", "times": 1, "after": 0}]
    assert state["lp_clock"] == "2026-03-02T12:00:00-05:00"
    assert state["counts"]["prospects"] == 0
    assert lp.post(LEAD, **MORNING).status_code == 500


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("/sandbox/switch", b'{"color": 1}', "application/json", 400),
        ("/sandbox/switch", b"[1]", "application/json", 400),
        ("/sandbox/fault", b"{}", "application/json", 400),
        ("/sandbox/fault", b"{", "application/json", 400),
        ("/sandbox/other", b"{}", "application/json", 404),
        ("/sandbox/switch", b'{"paging": "row"}', "text/plain", 415),
    ],
)
def test_a_wrong_control_says_so(lp: LP, path: str, body: bytes, content_type: str, status: int) -> None:
    """4xx with a message; web pages, which can't send JSON without a preflight, are blocked."""
    answer = lp.http.post(path, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert answer.json()["error"]
