"""SPEC D3, R3, R4: records that Hatch rejects, a Hatch that rejects everything, a Hatch that is down."""

import logging
import random
import threading
import time
from collections import defaultdict
from typing import Any

import httpx
import pytest

from lp_pipeline.errors import WarehouseError
from lp_pipeline_tests.clients.hatch.fakes import response, unprocessable
from lp_pipeline_tests.delivery.conftest import Deliveries
from lp_pipeline_tests.scenario import PATIENCE, Record, lead, prospect


def people(number: int, **fields: Any) -> list[Record]:
    return [
        prospect(f"{each:03}", lead(f"{each:03}0"), email=f"p{each}@example.com", phone1=f"51855501{each:02}", **fields)
        for each in range(number)
    ]


def test_one_of_fifty_is_refused(deliveries: Deliveries) -> None:
    """D3: the others are delivered; the error text is in the ledger; a retry needs a changed record."""

    def answer(body: dict[str, Any]) -> httpx.Response | None:
        return unprocessable("/email", "p7@example.com bounces") if body["email"] == "p7@example.com" else None

    deliveries.sync(*people(50))
    report = deliveries.deliver(answer)
    assert (report.delivered, report.refused, report.waiting, report.stopped) == (49, {"422 /email": 1}, 0, None)
    (row,) = [row for row in deliveries.ledger(*REFUSAL) if row[1] != "delivered"]
    assert row == ("007", "refused", 422, "/email", "p7@example.com bounces", None)
    assert deliveries.due() == 0
    deliveries.bodies()
    deliveries.later()
    deliveries.sync(*people(50))
    assert deliveries.deliver(answer).delivered == 0
    deliveries.sync(*people(50, city="Troy")[7:9])
    assert deliveries.deliver(answer).refused == {"422 /email": 1}
    assert deliveries.sent() == ["0080"]


REFUSAL = ("external_contact_id", "state", "error_code", "error_field", "words", "delivered_at")


def test_a_refused_record_that_is_as_it_was_delivered_again(deliveries: Deliveries) -> None:
    """D3: what Hatch already has is not sent again, even the current one; the ledger no longer says refused."""
    current = lead("20", lastchangedon="2026-03-02T11:59:00")
    deliveries.sync(prospect("1", lead("10"), current), minutes=600)
    deliveries.deliver()
    states = []
    for disposition in ("Bad", "Set"):
        deliveries.later()
        deliveries.sync(prospect("1", lead("10", disposition=disposition), current))
        deliveries.deliver(lambda body: unprocessable("/status") if body["status"] == "Bad" else None)
        states += deliveries.ledger("state", "error_code", "words is null", "refused_digest is null")[:1]
    assert deliveries.sent() == ["10", "20"]
    assert states == [("refused", 422, 0, 0), ("delivered", None, 1, 1)]


def test_a_refused_current_one_is_not_sent_again_with_the_others(deliveries: Deliveries) -> None:
    """D1, D3: a retry needs a change of its own record, not of the contact's other records."""
    both = [lead("10"), lead("20", lastchangedon="2026-03-02T11:59:00", disposition="Bad")]
    refused: list[str] = []

    def answer(body: dict[str, Any]) -> httpx.Response | None:
        if body["status"] != "Bad":
            return None
        refused.append(body["externalID"])
        return unprocessable("/status")

    deliveries.sync(prospect("1", *both, lead("30", lastchangedon="2026-03-02T11:00:00")), minutes=600)
    deliveries.deliver(answer)
    deliveries.later()
    both[0] = lead("10", disposition="Sold")
    deliveries.sync(prospect("1", *both))
    deliveries.deliver(answer)
    assert refused == ["20"]
    assert deliveries.sent() == ["30", "10", "10"]


@pytest.mark.parametrize(
    ("answered", "names"),
    [
        (response({"errors": {"detail": "Unauthorized for Ann"}}, 401), "HATCH_API_KEY"),
        (response({"errors": {"detail": "Forbidden for Ann"}}, 403), "HATCH_API_KEY"),
        (unprocessable("/source", "Ann's source does not exist"), "HATCH_SOURCE"),
    ],
    ids=["401", "403", "422 about the source"],
)
def test_a_key_or_source_that_is_not_taken_marks_nothing(
    deliveries: Deliveries, answered: httpx.Response, names: str, caplog: pytest.LogCaptureFixture
) -> None:
    """D3, R4: the delivery stops with one message that names the setting; once fixed, everything due is delivered."""
    caplog.set_level(logging.DEBUG)
    deliveries.sync(*people(20))
    asked: list[object] = []

    def answer(body: dict[str, Any]) -> httpx.Response:
        asked.append(body)
        return httpx.Response(answered.status_code, content=answered.content)

    report = deliveries.deliver(answer)
    assert report.stopped is not None
    assert names in report.stopped
    assert (report.delivered, report.waiting, report.refused) == (0, 20, {})
    assert len(asked) <= 8
    assert deliveries.ledger("state") == []
    assert "Ann" not in report.stopped + caplog.text
    assert "example.com" not in report.stopped + caplog.text
    assert deliveries.deliver().delivered == 20
    assert deliveries.due() == 0


@pytest.mark.parametrize("retry_after", ["1", None])
def test_too_many_requests_are_waited_out(deliveries: Deliveries, retry_after: str | None) -> None:
    """D3, R3: a 429, with Retry-After or without, only delays delivery."""
    deliveries.sync(*people(4))
    headers = {"retry-after": retry_after} if retry_after else {}
    deliveries.hatch.replies = [httpx.Response(429, headers=headers) for _ in range(6)]
    report = deliveries.deliver()
    assert (report.delivered, report.waiting, report.unavailable) == (4, 0, None)


@pytest.mark.parametrize("down", [httpx.ConnectError("[Errno 111]"), httpx.Response(503, text="<html>Ann</html>")])
def test_a_hatch_that_is_down_costs_no_time_and_nothing_else(
    deliveries: Deliveries, down: Exception | httpx.Response
) -> None:
    """D3, R3, R7: after a few unavailable upserts the run stops calling Hatch; a later run delivers everything."""
    deliveries.sync(*people(50))
    asked: list[object] = []

    def answer(body: dict[str, Any]) -> httpx.Response:
        asked.append(body)
        if isinstance(down, Exception):
            raise down
        return httpx.Response(down.status_code, content=down.content)

    report = deliveries.deliver(answer)
    assert (report.delivered, report.waiting, report.stopped) == (0, 50, None)
    assert report.unavailable is not None
    assert "Ann" not in report.unavailable
    assert len(asked) < 50
    assert deliveries.ledger("state") == []
    deliveries.later(hours=1)
    assert deliveries.deliver().delivered == 50


def test_a_record_that_hatch_fails_on_holds_up_no_other(deliveries: Deliveries) -> None:
    """D3: failures while others succeed don't stop the delivery, even four of them."""
    deliveries.sync(*people(40))
    bad = {f"p{each}@example.com" for each in (0, 1, 2, 3)}
    good: set[str] = set()
    others_came_through = threading.Event()

    def answer(body: dict[str, Any]) -> httpx.Response | None:
        if body["email"] in bad:
            assert others_came_through.wait(PATIENCE)
            return httpx.Response(500)
        good.add(body["email"])
        if len(good) == 36:
            others_came_through.set()
        return None

    report = deliveries.deliver(answer)
    assert (report.delivered, report.waiting) == (36, 4)


def test_a_slow_hatch_is_left_at_the_deadline(deliveries: Deliveries) -> None:
    """R3: a delivery ends at the run's time limit, by the real clock; the rest waits."""
    deliveries.sync(*people(50))

    def answer(_body: dict[str, Any]) -> None:
        time.sleep(0.2)

    report = deliveries.deliver(answer, deadline=time.monotonic() + 0.8)
    assert report.delivered < 50
    assert report.delivered + report.waiting == 50
    assert report.unavailable is not None
    deliveries.later()
    assert deliveries.deliver().delivered == 50 - report.delivered


def test_contacts_go_side_by_side_and_each_in_order(deliveries: Deliveries) -> None:
    """D1: several contacts at a time, and within each one its opportunities one after the other."""
    leads = [("1", "11:10:00"), ("2", "11:20:00"), ("3", "11:30:00")]
    deliveries.sync(
        *(
            prospect(f"{each:02}", *(lead(f"{each:02}{n}", lastchangedon=f"2026-03-02T{at}") for n, at in leads))
            for each in range(20)
        ),
        minutes=600,
    )
    turnstile, under_way, most = threading.Condition(), defaultdict[str, int](int), 0

    def answer(body: dict[str, Any]) -> None:
        nonlocal most
        contact = body["externalContactID"]
        with turnstile:
            under_way[contact] += 1
            assert under_way[contact] == 1
            most = max(most, sum(under_way.values()))
            turnstile.notify_all()
            assert turnstile.wait_for(lambda: most > 2, PATIENCE)
        time.sleep(random.uniform(0.001, 0.01))
        with turnstile:
            under_way[contact] -= 1

    assert deliveries.deliver(answer).delivered == 60
    sent = deliveries.sent()
    for each in range(20):
        assert [name for name in sent if name.startswith(f"{each:02}")] == [f"{each:02}{n}" for n in "123"]


def test_what_cannot_be_written_down_is_not_gone_on_with(
    deliveries: Deliveries,
) -> None:
    """R1: when the ledger can't be written, the run fails after a few more upserts; the next run catches up."""
    deliveries.sync(*people(50))
    deliveries.outbox.revision  # noqa: B018 (opens it)
    with deliveries.outbox.transaction() as connection:
        connection.execute(
            "create trigger full before insert on hatch_deliveries begin select raise(abort, 'disk is full'); end"
        )
    with pytest.raises(WarehouseError):
        deliveries.deliver(lambda _body: time.sleep(0.002))
    assert len(deliveries.bodies()) < 50
    with deliveries.outbox.transaction() as connection:
        connection.execute("drop trigger full")
    assert deliveries.deliver().delivered == 50
