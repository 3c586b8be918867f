"""SPEC E6: how long a new opportunity took from LeadPerfection's stamp to the published file."""

from datetime import timedelta
from typing import Any

import duckdb
import pytest

from lp_pipeline.storage.publish import Publication, publish
from lp_pipeline_tests.scenario import Scenario, lead, prospect

SPEED = "select external_contact_id, external_id, seconds from speed_to_lead order by all"


@pytest.fixture
def scenario(scenario: Scenario) -> Scenario:
    """An account that has synced before; few of its contacts change later."""
    scenario.sync(*(prospect(cst_id, entered("11:50:00", f"{cst_id}0")) for cst_id in ("91", "92", "93", "94")))
    return scenario


def publication(scenario: Scenario) -> Publication:
    return publish(scenario.warehouse, outbox=scenario.outbox, now=scenario.now, zone="America/New_York", force=True)


def published(scenario: Scenario, query: str = SPEED) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(scenario.warehouse.published), read_only=True) as connection:
        return connection.execute(query).fetchall()


def entered(time: str, lead_id: str = "10", **fields: Any) -> dict[str, Any]:
    return lead(lead_id, dateentered=f"2026-03-02T{time}", lastchangedon=f"2026-03-02T{time}", **fields)


def test_a_new_lead_is_timed_from_its_entry_to_its_first_publication(scenario: Scenario) -> None:
    """E6: LP's entry counts, also if the lead was edited before it was read; later syncs and changes don't."""
    edited = entered("11:40:00") | {"lastchangedon": "2026-03-02T11:58:00"}
    scenario.sync(prospect("1", edited, lastchanged="2026-02-27T10:00:00"))
    scenario.later(minutes=2)
    publication(scenario)
    assert published(scenario) == [("1", "10", 22 * 60)]
    scenario.later()
    scenario.sync(prospect("1", edited | {"disposition": "Sold", "lastchangedon": "2026-03-02T12:10:00"}))
    for rebuilt in (False, True):
        if rebuilt:
            scenario.warehouse.published.unlink()
        assert publication(scenario).rebuilt is rebuilt
        assert published(scenario) == [("1", "10", 22 * 60)]


def test_waiting_for_the_publications_minute_counts(scenario: Scenario) -> None:
    """E6, Q1: until the new copy is there, nobody sees the lead."""
    publication(scenario)
    scenario.sync(prospect("1", entered("12:00:00")))
    later = scenario.now + timedelta(minutes=1)
    asked_at = later - timedelta(seconds=0.2)
    publish(scenario.warehouse, outbox=scenario.outbox, now=asked_at, zone="America/New_York", clock=lambda: later)
    assert published(scenario) == [("1", "10", 60)]
    assert published(scenario, "select published_at from published") == [(later,)]


def test_a_prospect_without_a_lead_is_timed_by_its_own_stamp(scenario: Scenario) -> None:
    """E6: as is an old lead of a prospect that changed now."""
    scenario.sync(prospect("1", lastchanged="2026-03-02T11:50:00"), feed="prospects")
    old = {"dateentered": "2024-03-02T10:00:00", "lastchangedon": "2024-03-02T10:00:00"}
    scenario.sync(prospect("2", lead("20", **old), lastchanged="2026-03-02T11:55:00"))
    publication(scenario)
    assert published(scenario) == [("1", None, 600), ("2", "20", 300)]


def test_what_has_no_stamp_inside_the_window_is_not_timed(scenario: Scenario) -> None:
    """E6: a stamp of years ago says nothing about how fast the pipeline is."""
    old = {"dateentered": "2024-03-02T10:00:00", "lastchangedon": "2024-03-02T10:00:00"}
    scenario.sync(prospect("1", lead("10", **old), lastchanged="2024-03-02T10:00:00"))
    speed = publication(scenario).speed
    assert published(scenario) == []
    assert (speed["opportunities"], speed["p50"], speed["sync_p50"]) == (0, None, None)


def test_the_very_first_sync_is_not_timed(scenario: Scenario) -> None:
    """E6: what it reads was there before anybody waited for it."""
    publication(scenario)
    assert published(scenario, "select count(*) from opportunities") == [(4,)]
    assert published(scenario) == []


def test_history_is_not_timed(scenario: Scenario) -> None:
    """E6: backfill and sweep aside; what a sync reads of the same prospect as well counts."""
    for kind in ("backfill", "sweep"):
        scenario.read("leads", prospect(kind, entered("11:50:00")), kind=kind)
    scenario.read("leads", prospect("both", entered("11:50:00")), kind="backfill")
    scenario.read("prospects", prospect("both", lastchanged="2026-03-02T11:50:00"))
    scenario.merge()
    publication(scenario)
    assert published(scenario) == [("both", "10", 600)]


@pytest.mark.slow
def test_each_sync_and_all_of_them_have_a_median_and_a_95th_percentile(scenario: Scenario) -> None:
    """E6: in minutes, in the publication's report, which the asset shows."""
    scenario.sync(*(prospect(str(number), entered(f"11:{number:02}:00", str(number))) for number in range(30, 51)))
    first = publication(scenario).speed
    assert (first["sync_opportunities"], first["sync_p50"], first["sync_p95"]) == (21, 20.0, 29.0)
    scenario.later()
    scenario.sync(*(prospect(number, entered("12:15:00", number)) for number in ("1", "2")))
    assert publication(scenario).speed == {
        "sync_opportunities": 2,
        "sync_p50": 0.0,
        "sync_p95": 0.0,
        "opportunities": 23,
        "p50": 19.0,
        "p95": 28.9,
    }


def test_it_is_never_negative(scenario: Scenario) -> None:
    """E6: LeadPerfection's clock may be a little ahead of ours."""
    scenario.sync(prospect("1", entered("12:00:30")))
    publication(scenario)
    assert published(scenario) == [("1", "10", 0)]
