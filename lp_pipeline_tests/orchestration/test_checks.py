"""Alarms about a feed that is silent and a zone that is set wrong; and their silence when all is well."""

from datetime import timedelta
from typing import Any

import pytest

from lp_pipeline.storage.warehouse import run
from lp_pipeline.transform.merge import variables
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.runs.past import person
from lp_pipeline_tests.scenario import Scenario, lead, prospect


def alarms(scenario: Scenario, name: str) -> list[Any]:
    with scenario.warehouse.connection(variables(scenario.settings)) as connection:
        return run(connection, f"checks/{name}")


def changed(scenario: Scenario, cst_id: int, hours: float) -> dict[str, Any]:
    """A prospect whose stamps are so many hours old by LP_TIMEZONE."""
    wall = (scenario.now.astimezone(scenario.settings.zone) - timedelta(hours=hours)).replace(tzinfo=None).isoformat()
    return prospect(str(cst_id), lead(f"{cst_id}0", lastchangedon=wall, dateentered=wall), lastchanged=wall)


def silent(scenario: Scenario, leads: int) -> None:
    """Ten syncs in thirty hours; the lead feed shows something to the first so many of them, the other one to all."""
    for number in range(10):
        asked(scenario, leads=int(number < leads), prospects=1)
        scenario.later(hours=3.1)


def asked(scenario: Scenario, **readings: int) -> None:
    """The ledger's rows of one sync."""
    with scenario.warehouse.transaction() as connection:
        for feed, number in readings.items():
            connection.execute(
                "insert into sync_runs by name select epoch($now)::bigint as sync_id, $feed as feed, 'sync' as kind, "
                "$now as started_at, $now as ended_at, $number as readings, 'read' as outcome",
                {"now": scenario.now, "feed": feed, "number": number},
            ).fetchall()


def test_a_feed_that_is_silent_while_the_other_is_not_is_told(scenario: Scenario) -> None:
    """An endpoint of LP once returned nothing for four days: a day of it, over eight syncs, is reported."""
    silent(scenario, 1)
    ((feed, other, _, syncs),) = alarms(scenario, "silent_feeds")
    assert (feed, other, syncs) == ("leads", "prospects", 9)


def test_no_alarm_while_both_are_quiet_or_a_feed_is_often_so(scenario: Scenario) -> None:
    """A weekend is no alarm, nor is a silence such as there were three already."""
    silent(scenario, 9)
    for _ in range(10):
        asked(scenario, leads=0, prospects=0)
        scenario.later(hours=4)
    assert alarms(scenario, "silent_feeds") == []
    for _ in range(2):
        silent(scenario, 1)
    assert len(alarms(scenario, "silent_feeds")) == 1
    silent(scenario, 1)
    assert alarms(scenario, "silent_feeds") == []


def test_stamps_in_the_future_are_told(scenario: Scenario) -> None:
    """J5: LP's clock is ahead of the zone that is set; a clock a bit ahead, or one odd record, is not that."""
    for cst_id, hours in enumerate((-0.25, -0.25, -0.25, -2)):
        scenario.read("leads", changed(scenario, cst_id, hours))
    assert alarms(scenario, "implausible_zone") == []
    for cst_id in (4, 5):
        scenario.read("leads", changed(scenario, cst_id, -2))
    ((sign, hours, records),) = alarms(scenario, "implausible_zone")
    assert (sign, round(hours, 1), records) == ("ahead", 2.0, 3)


def test_what_history_shows_is_no_sign(scenario: Scenario) -> None:
    """J5: only what syncs read is looked at, also where a backfill reads at the very same time."""
    for cst_id in range(6):
        scenario.read("leads", changed(scenario, cst_id, -2), kind="backfill")
    scenario.read("leads", changed(scenario, 6, 0))
    assert alarms(scenario, "implausible_zone") == []


def read_every_quarter(scenario: Scenario, syncs: int, hours: float, between: float = 0.25) -> None:
    for number in range(syncs):
        scenario.read("leads", changed(scenario, number, hours + 0.1 * (number % 3)))
        scenario.later(hours=between)


def test_what_is_never_fresher_than_an_hour_is_told(scenario: Scenario) -> None:
    """J5: LP's clock is behind the zone that is set: whatever syncs read is two hours old."""
    read_every_quarter(scenario, 9, hours=2)
    ((sign, hours, records),) = alarms(scenario, "implausible_zone")
    assert (sign, round(hours, 1), records) == ("behind", 2.0, 8)
    scenario.read("leads", changed(scenario, 99, 0.2))
    assert alarms(scenario, "implausible_zone") == []


@pytest.mark.slow
def test_a_quiet_tenant_or_a_daily_sync_is_no_sign(scenario: Scenario) -> None:
    """J5: few changes prove nothing, nor do old ones that a sync reads once a day."""
    read_every_quarter(scenario, 8, hours=2)
    assert alarms(scenario, "implausible_zone") == []
    scenario.later(days=4)
    read_every_quarter(scenario, 12, hours=5, between=5)
    assert alarms(scenario, "implausible_zone") == []


def test_the_checks_warn_and_name_what_to_do(lp_account: Account) -> None:
    """J5: the check names LP_TIMEZONE and the command, and only warns."""
    lp_account.environ["LP_TIMEZONE"] = "America/New_York"
    stamps = lp_account.wall(minutes=1), lp_account.wall(hours=-3, minutes=5)
    for cst_id in ("1", "2", "3"):
        lp_account.lp.put(person(lp_account, cst_id, stamps[0], lastchanged=stamps[1]))
    result = lp_account.run()
    assert result.success
    found = {each.check_name: each for each in result.get_asset_check_evaluations()}
    assert found["no_feed_is_silent"].passed
    check = found["zone_is_plausible"]
    assert (check.passed, check.severity.value) == (False, "WARN")
    assert "LP_TIMEZONE" in str(check.description)
    assert "lp-pipeline rezone" in str(check.description)
