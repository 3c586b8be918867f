"""SPEC Q1, Q2: what people see of outbox.sqlite, and when."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from lp_pipeline.clients.hatch import Malformed, communication
from lp_pipeline.communications.export import read_export
from lp_pipeline.communications.landing import land
from lp_pipeline.communications.ledger import register
from lp_pipeline.delivery import deliver
from lp_pipeline.storage.publish import Publication, publish
from lp_pipeline_tests.clients.hatch.fakes import FakeHatch, item, unprocessable
from lp_pipeline_tests.scenario import NOON, Scenario, lead, prospect

HATCH = {
    "HATCH_API_KEY": "key",
    "HATCH_SOURCE": "custom:lp",
    "HATCH_RATE_PER_MINUTE": "60000",
    "HATCH_EXPORT_KEY": "key",
    "PUSH_SINCE": "2026-03-01T00:00:00Z",
}


@pytest.fixture
def known(tmp_path: Path) -> Iterator[Scenario]:
    """Two opportunities in the warehouse."""
    scenario = Scenario(tmp_path, **HATCH)
    scenario.sync(prospect("1", lead("10")), prospect("2", email="bob@example.com", phone1=""))
    with closing(scenario.outbox):
        yield scenario


def publication(scenario: Scenario) -> Publication:
    """Publish, if that is to be; a minute has gone by."""
    scenario.later(minutes=2)
    return publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York")


def ask(scenario: Scenario, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(scenario.warehouse.published), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(query).fetchall()


def land_items(scenario: Scenario, *lines: bytes) -> None:
    columns = scenario.settings.hatch_time_columns
    land(scenario.outbox, scenario.settings, [communication(line, columns) for line in lines], "inbox")


def test_communications_are_published_typed(known: Scenario) -> None:
    """Q1, Q2: as received in raw.communications, typed in communications; what is none, with its reason."""
    land_items(
        known,
        item(id="c1", body="Grüße 🏠\nline two", duration="1:05", media_url="https://a.example/1", direction="inbound"),
        item(id="c2", external_contact_id=1, external_id=10, phone="(518) 555-0123", category="call", Odd={"a": [1]}),
        b"{no json",
    )
    publication(known)
    assert ask(known, "select communication_id, body, duration_seconds, links from communications order by 1") == [
        ("c1", "Grüße 🏠\nline two", 65, '["https://a.example/1"]'),
        ("c2", "Can we move it?", None, "[]"),
    ]
    query = (
        "select occurred_at = '2026-03-02 15:05:00Z'::timestamptz, landed_at, channel, external_contact_id, "
        "external_id, phone, source from raw.communications where communication_id = 'c2'"
    )
    (row,) = ask(known, query)
    assert (row[0], *row[2:]) == (True, "call", "1", "10", "5185550123", "inbox")
    assert row[1] == NOON
    (record,) = ask(known, "select record from raw.communications where communication_id = 'c2'")
    assert json.loads(record[0])["Odd"] == {"a": [1]}
    assert ask(known, "select record, reason from rejected_communications") == [
        ('"{no json"', "it is no JSON object"),
    ]


def test_both_ledgers_are_published(known: Scenario) -> None:
    """Q1, D3, C7: what became of each delivery and each push."""
    hatch = FakeHatch([unprocessable("/email", "bounces")])
    with hatch.client(known.settings) as client:
        deliver(known.warehouse, known.outbox, client, known.settings)
    land_items(known, item(id="c1"))
    with known.outbox.transaction() as connection:
        register(connection, known.outbox, known.settings)
    publication(known)
    query = (
        "select state, count(*), max(error_code), max(error_field), max(words), max(delivered_at), "
        "max(delivered_content ->> '$.source') from hatch_deliveries group by state order by state"
    )
    assert ask(known, query) == [
        ("delivered", 1, None, None, None, NOON, "custom:lp"),
        ("refused", 1, 422, "/email", "bounces", None, None),
    ]
    joined = (
        "select count(*) from opportunities as o inner join hatch_deliveries as d on "
        "o.external_contact_id = d.external_contact_id and o.external_id is not distinct from d.external_id "
        "and o.external_created_local = d.external_created_local"
    )
    assert ask(known, joined) == [(2,)]
    query = "select target, state, reason, attempts, updated_at from communication_pushes order by target"
    assert ask(known, query) == [
        ("call_log", "skipped", "switched_off", 0, NOON),
        ("note", "pending", None, 0, NOON),
        ("production_note", "skipped", "switched_off", 0, NOON),
    ]
    assert ask(known, "select communications, hatch_deliveries from published") == [(1, 2)]


def test_it_is_replaced_when_the_outbox_alone_changed(known: Scenario) -> None:
    """Q1: after a push or a landing that changed something, and not when nothing did."""
    assert publication(known).published
    assert not publication(known).published
    land_items(known, item(id="c1"))
    assert publication(known).published
    land_items(known, item(id="c1"))
    assert not publication(known).published
    with FakeHatch().client(known.settings) as client:
        deliver(known.warehouse, known.outbox, client, known.settings)
        assert publication(known).published
        deliver(known.warehouse, known.outbox, client, known.settings)
    assert not publication(known).published
    known.outbox.keep("something", "that nobody sees")
    with FakeHatch([httpx.Response(500)]).client(known.settings) as client:
        assert read_export(known.outbox, client, known.settings).asked
    assert not publication(known).published


def test_what_lands_while_it_is_written_is_published_next(known: Scenario) -> None:
    """Q1: the revision is read before the rows, so that nothing falls in between."""
    land_items(known, item(id="c1"))
    before = known.outbox.revision
    publication(known)
    assert known.ask("select outbox_revision from pipeline.publication") == [(before,)]


def test_after_the_outbox_was_lost_it_is_published_anew(known: Scenario) -> None:
    """Q1: another count of changes is a change, even a smaller one."""
    land_items(known, item(id="c1"))
    land_items(known, item(id="c2"))
    publication(known)
    known.outbox.close()
    for left in known.folder.glob("outbox.sqlite*"):
        left.unlink()
    assert publication(known).published
    assert ask(known, "select count(*) from raw.communications") == [(0,)]


def test_everything_of_it_is_explained(known: Scenario) -> None:
    """Q2: every table, view and column carries a comment, with rows in it or without."""
    publication(known)
    bare = (
        "select table_name, column_name from duckdb_columns() where comment is null and not internal "
        "and table_name similar to '.*(communication|deliver).*'"
    )
    assert ask(known, bare) == []


def test_many_communications(known: Scenario) -> None:
    """Q1: more rows than are copied at once, each once, in the order of time."""
    columns = known.settings.hatch_time_columns
    now = NOON - timedelta(days=1)
    lines = (item(id=f"c{n}", created_at=(now + timedelta(seconds=n)).isoformat()) for n in range(60))
    found = [communication(line, columns) for line in lines]
    assert not any(isinstance(each, Malformed) for each in found)
    land(known.outbox, known.settings, found, "export")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lp_pipeline.storage.draft.ROWS_AT_ONCE", 25)
        publication(known)
    query = "select list(communication_id order by rowid) from raw.communications"
    assert ask(known, query) == [([f"c{n}" for n in range(60)],)]
