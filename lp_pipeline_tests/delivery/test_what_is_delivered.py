"""SPEC D1: what goes to Hatch, in which order, and what doesn't."""

from datetime import timedelta

import httpx

from lp_pipeline.delivery import ask_for
from lp_pipeline.storage.sql import statement
from lp_pipeline_tests.delivery.conftest import Deliveries
from lp_pipeline_tests.scenario import lead, prospect


def stamp(minute: int) -> str:
    return f"2026-03-02T11:{minute:02}:00"


def three(**fields: str) -> list[dict[str, object]]:
    """Leads 30, 20, 10 in this order of change: 20 is the current one."""
    return [
        lead("30", lastchangedon=stamp(10)),
        lead("20", lastchangedon=stamp(50)),
        lead("10", lastchangedon=stamp(30), **fields),
    ]


def test_what_is_inserted_or_updated_is_upserted(deliveries: Deliveries) -> None:
    """D1: each opportunity that a sync inserts or updates goes to Hatch, what is unchanged does not."""
    deliveries.sync(prospect("1", lead("10")), prospect("2", lead("20")))
    report = deliveries.deliver()
    assert report.delivered == 2
    assert sorted(deliveries.sent()) == ["10", "20"]
    deliveries.later()
    deliveries.sync(prospect("1", lead("10")), prospect("2", lead("20", disposition="Sold")))
    deliveries.deliver()
    assert [(body["externalID"], body["status"]) for body in deliveries.bodies()] == [("20", "Sold")]
    assert deliveries.due() == 0


def test_the_current_one_is_written_last(deliveries: Deliveries) -> None:
    """D1: a contact's opportunities go in ascending order."""
    deliveries.sync(prospect("1", *three()), minutes=600)
    deliveries.deliver()
    assert deliveries.sent() == ["30", "10", "20"]


def test_the_current_one_follows_when_another_one_changed(deliveries: Deliveries) -> None:
    """D1: the last written is the current one, also when only another one of the contact changed."""
    deliveries.sync(prospect("1", *three()), minutes=600)
    deliveries.deliver()
    deliveries.sent()
    deliveries.later()
    deliveries.sync(prospect("1", *three(disposition="Sold")))
    deliveries.deliver()
    assert deliveries.sent() == ["10", "20"]


def test_the_current_one_follows_although_the_run_was_cut_off(deliveries: Deliveries) -> None:
    """D1, R1: interrupted before the current one, the next run sends only the current one."""
    deliveries.sync(prospect("1", *three()), minutes=600)
    deliveries.deliver()
    deliveries.sent()
    deliveries.later()
    deliveries.sync(prospect("1", *three(disposition="Sold")))
    begun = deliveries.deliver(lambda body: None if body["externalID"] == "10" else unavailable())
    assert (begun.delivered, begun.waiting) == (1, 1)
    assert begun.unavailable
    assert deliveries.sent() == ["10"]
    deliveries.later()
    assert deliveries.deliver().delivered == 1
    assert deliveries.sent() == ["20"]
    assert deliveries.deliver().delivered == 0


def test_without_a_key_nothing_is_queued(deliveries: Deliveries) -> None:
    """D1: a first key after syncs without one floods nobody; what changes from then on goes."""
    deliveries.key(is_set=False)
    deliveries.sync(prospect("1", lead("10")), prospect("2", lead("20"), phone1="518-555-0177"))
    deliveries.key(is_set=True)
    assert deliveries.deliver().delivered == 0
    assert deliveries.due() == 0
    deliveries.later()
    deliveries.sync(prospect("2", lead("20", disposition="Sold"), phone1="518-555-0177"))
    deliveries.deliver()
    assert deliveries.sent() == ["20"]


def test_a_change_of_gone_since_tells_the_current_one_again(deliveries: Deliveries) -> None:
    """D1: when `gone_since` changes, the contact's current opportunity is upserted again, and once only."""
    both = [lead("10", lastchangedon=stamp(10)), lead("20", lastchangedon=stamp(50))]
    deliveries.sync(prospect("1", *both), minutes=600)
    deliveries.deliver()
    deliveries.sent()
    deliveries.later()
    deliveries.sync(prospect("1", both[0]))
    due = deliveries.ask("select * from pipeline.due_deliveries")
    assert len(due) == 1
    deliveries.later(minutes=1)
    deliveries.deliver()
    assert deliveries.sent() == ["10"]
    deliveries.later()
    again(deliveries, due)
    deliveries.deliver()
    assert deliveries.sent() == []
    deliveries.sync(prospect("1", *both))
    deliveries.deliver()
    assert deliveries.sent() == ["20"]


def test_who_is_unknown_to_hatch_stays_so_when_something_is_gone(deliveries: Deliveries) -> None:
    """D1: `gone_since` never sends history to Hatch."""
    deliveries.key(is_set=False)
    deliveries.sync(prospect("1", lead("10"), lead("20")))
    deliveries.key(is_set=True)
    deliveries.later()
    deliveries.sync(prospect("1", lead("10")))
    assert deliveries.deliver().delivered == 0
    assert deliveries.sent() == []
    assert deliveries.due() == 0


def test_a_person_may_send_the_rest(deliveries: Deliveries) -> None:
    """D1: `deliver --since` sends what changed since then and is not delivered."""
    deliveries.key(is_set=False)
    deliveries.sync(prospect("1", lead("10")))
    deliveries.later()
    since = deliveries.now
    deliveries.sync(prospect("2", lead("20"), lead("21")))
    deliveries.key(is_set=True)
    ask_for(deliveries.warehouse, deliveries.settings, since, 99)
    assert deliveries.deliver().delivered == 2
    assert deliveries.sent() == ["20", "21"]
    ask_for(deliveries.warehouse, deliveries.settings, since - timedelta(days=1), 100)
    report = deliveries.deliver()
    assert (report.delivered, report.known) == (1, 2)
    assert deliveries.sent() == ["10"]


def test_history_tells_hatch_of_nobody_new(deliveries: Deliveries) -> None:
    """D1: what a backfill or sweep (reason `history`) brings goes to Hatch only if it was delivered before."""
    deliveries.sync(prospect("1", lead("10")))
    deliveries.deliver()
    deliveries.sent()
    deliveries.later()
    deliveries.sync(prospect("1", lead("10", disposition="Sold")), prospect("2", lead("20")))
    with deliveries.warehouse.transaction() as connection:
        connection.execute("update pipeline.due_deliveries set reason = 'history'")
    deliveries.deliver()
    assert deliveries.sent() == ["10"]
    assert deliveries.due() == 0


def test_who_came_last_goes_first(deliveries: Deliveries) -> None:
    """E6: a new lead does not wait behind a backlog, nor behind a delivery requested by hand."""
    deliveries.sync(prospect("1", lead("10")), minutes=600)
    deliveries.key(is_set=False)
    deliveries.later()
    deliveries.sync(prospect("0", lead("1")), minutes=600)
    deliveries.key(is_set=True)
    deliveries.later()
    deliveries.sync(prospect("2", lead("20")), minutes=600)
    deliveries.later()
    ask_for(deliveries.warehouse, deliveries.settings, deliveries.now - timedelta(minutes=31), 99)
    assert [row[1] for row in deliveries.ask(statement("delivery/due"))] == ["20", "10", "1"]


def test_a_crash_between_merge_and_delivery_loses_nothing(deliveries: Deliveries) -> None:
    """D1, R1: what is due for Hatch is written in the merge's transaction."""
    deliveries.sync(prospect("1", lead("10")))
    deliveries.later(days=2)
    deliveries.sync()
    deliveries.deliver()
    assert deliveries.sent() == ["10"]


def test_a_crash_between_ledger_and_settlement_doubles_nothing(deliveries: Deliveries) -> None:
    """D3, R1: the ledger is written before what is due is settled; killed in between, nothing is sent again."""
    deliveries.sync(prospect("1", *three()), prospect("2"), minutes=600)
    due = deliveries.ask("from pipeline.due_deliveries")
    deliveries.deliver()
    assert len(deliveries.sent()) == 4
    again(deliveries, due)
    report = deliveries.deliver()
    assert (report.delivered, report.known) == (0, 4)
    assert deliveries.sent() == []
    assert deliveries.due() == 0


def test_losing_the_warehouse_sends_nothing_again(deliveries: Deliveries) -> None:
    """D3: what Hatch has received is in the outbox, so work.duckdb may be lost."""
    deliveries.sync(prospect("1", *three()), prospect("2"), minutes=600)
    deliveries.deliver()
    deliveries.later()
    deliveries.sync(prospect("1", *three(disposition="Sold")))
    deliveries.deliver()
    deliveries.sent()
    deliveries.warehouse.work.unlink()
    deliveries.later()
    deliveries.sync(prospect("1", *three(disposition="Sold")), prospect("2"), minutes=600)
    report = deliveries.deliver()
    assert (report.delivered, report.known) == (0, 4)
    assert deliveries.sent() == []


def again(deliveries: Deliveries, due: list[tuple[object, ...]]) -> None:
    """As if the settlement had never been."""
    with deliveries.warehouse.transaction() as connection:
        connection.executemany("insert into pipeline.due_deliveries values (?, ?, ?, ?, ?, ?)", due)


def unavailable() -> httpx.Response:
    return httpx.Response(500)
