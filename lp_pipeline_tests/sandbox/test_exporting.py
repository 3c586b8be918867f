"""Hatch's contract, section 2: the Bulk Export, its days and its limits."""

import pytest

from lp_pipeline.sandbox import Sandbox

from .hatch import HISTORY, ITEMS, Hatch
from .lp import Clock


def ids(hatch: Hatch, start: str = "2026-02-01", end: str = "2026-03-31") -> list[str]:
    """The ids of the communications between two days."""
    return [row["id"] for row in hatch.export(start=start, end=end)]


def test_what_was_put_is_exported_as_it_is(hatch: Hatch, sandbox: Sandbox) -> None:
    """One file of newline-delimited JSON, whatever columns a row has."""
    row = {"id": "1", "occurred_at": "2026-03-01T12:00:00Z", "body": "é 🏡\nline", "odd": {"a": [None, 1.5]}}
    sandbox.put_communication(**row)
    sandbox.put_contact_history(hatch_contact_id="c", updated_at="2026-03-01T12:00:00Z")
    sandbox.switch(export_time_column="sent_at")
    assert hatch.export(ITEMS) == [row]
    assert hatch.export(HISTORY) == [{"hatch_contact_id": "c", "updated_at": "2026-03-01T12:00:00Z"}]


def test_both_days_are_inclusive_and_are_days_of_the_sandboxs_zone(hatch: Hatch, sandbox: Sandbox) -> None:
    """Midnight in New York is 5 o'clock in UTC; a time without an offset is UTC."""
    for number, moment in enumerate(("02-27T04:59:59Z", "02-27T05:00:00Z", "02-28T23:59:59-05:00", "03-01T05:00:00")):
        sandbox.put_communication(id=str(number), sent_at=f"2026-{moment}")
    assert ids(hatch, "2026-02-27", "2026-02-28") == ["1", "2"]
    assert ids(hatch, "2026-03-01", "2026-03-01") == ["3"]
    assert ids(hatch, "2026-01-01", "2026-01-31") == []


def test_an_export_ends_with_yesterday(hatch: Hatch, sandbox: Sandbox, clock: Clock) -> None:
    """Today's rows appear tomorrow; the lag is a switch."""
    sandbox.put_communication(id="1", occurred_at="2026-03-01T23:59:00-05:00")
    sandbox.put_communication(id="2", occurred_at="2026-03-02T08:00:00-05:00")
    sandbox.put_communication(id="3")  # has no time: of today
    assert ids(hatch) == ["1"]
    clock.turn(hours=12)
    assert ids(hatch) == ["1", "2", "3"]
    sandbox.switch(export_lag_days=3)
    assert ids(hatch) == []
    sandbox.switch(export_lag_days=0)
    assert ids(hatch) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("source", "start", "end", "field"),
    [
        ("messages", "2026-01-01", "2026-01-02", "/data_source"),
        ("conversation_items", "01/01/2026", "2026-01-02", "/start_date"),
        ("conversation_items", "2026-01-01", "", "/end_date"),
        ("conversation_items", "2026-01-02", "2026-01-01", "/end_date"),
        ("conversation_items", "2025-09-03", "2026-03-03", "/end_date"),
    ],
)
def test_a_wrong_export_is_pointed_at(hatch: Hatch, source: str, start: str, end: str, field: str) -> None:
    """422, also for more than 180 days."""
    answer = hatch.ask(source, start, end)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"]["pointer"] == field
    assert hatch.ask("conversation_items", "2025-09-04", "2026-03-03").status_code == 200


def test_exports_take_a_pause(hatch: Hatch, sandbox: Sandbox, clock: Clock) -> None:
    """Of five minutes in the contract, for both data sources together; a rejected export does not count."""
    sandbox.switch(export_minutes_between=5)
    assert hatch.ask(HISTORY).status_code == 200
    clock.turn(minutes=4, seconds=59)
    assert hatch.ask(ITEMS).status_code == 429
    clock.turn(seconds=1)
    assert hatch.ask(ITEMS).status_code == 200


def test_there_are_so_many_exports_a_day(hatch: Hatch, sandbox: Sandbox, clock: Clock) -> None:
    """Per 24 hours, across server processes."""
    sandbox.switch(export_per_day=2, hatch_retry_after=60)
    assert [hatch.ask().status_code for _ in range(3)] == [200, 200, 429]
    with sandbox.serve() as url:
        again = hatch.http.get(
            f"{url}/api/v1/export-data", params=hatch.ask().request.url.params, headers=hatch.headers
        )
    assert (again.status_code, again.headers["Retry-After"]) == (429, "60")
    clock.turn(hours=24)
    assert hatch.ask().status_code == 200


def test_an_export_may_be_too_large(hatch: Hatch, sandbox: Sandbox) -> None:
    """413 until the range is short enough; that does not count as an export."""
    sandbox.switch(export_max_bytes=600, export_per_day=1)
    for day in (1, 2, 3):
        sandbox.put_communication(id=str(day), occurred_at=f"2026-02-0{day}T12:00:00Z", body="x" * 200)
    assert hatch.ask(start="2026-02-01", end="2026-02-03").status_code == 413
    assert ids(hatch, "2026-02-01", "2026-02-02") == ["1", "2"]


def test_an_upsert_leaves_its_trace_in_the_contact_history(hatch: Hatch, sandbox: Sandbox, clock: Clock) -> None:
    """A row when a contact is made and when it changes, on the day it does."""
    contact_id = hatch.upsert(externalID="1", phoneNumber="5185550123")
    hatch.upsert(externalID="2", phoneNumber="5185550123")
    hatch.upsert(externalID="2", phoneNumber="5185550123", email="a@example.com", externalContactID="9")
    assert hatch.export(HISTORY) == []
    clock.turn(days=1)
    rows = hatch.export(HISTORY)
    assert [(row["hatch_contact_id"], row["external_contact_id"], row["phone"], row["email"]) for row in rows] == [
        (contact_id, None, "5185550123", None),
        (contact_id, "9", "5185550123", "a@example.com"),
    ]
    assert rows[0]["updated_at"] == "2026-03-02T17:00:00.000Z"
