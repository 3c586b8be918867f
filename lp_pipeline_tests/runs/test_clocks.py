"""Clock changes, and clocks that are wrong: every change arrives, and in one update (SPEC W1, W3, J5)."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lp_pipeline.storage.warehouse import run
from lp_pipeline_tests.account import Account, account_of
from lp_pipeline_tests.scenario import lead, only, prospect

NEW_YORK, DENVER = "America/New_York", "America/Denver"


def begin(account: Account, now: datetime) -> None:
    """One lead, known for long and synced."""
    account.now = now
    account.environ["LP_PROSPECT_ACTION"] = "off"
    stamp = account.wall(minutes=5)
    account.lp.put(prospect("1", lead("10", dateentered=stamp, lastchangedon=stamp), lastchanged=stamp))
    assert account.sync().inserted == 1


def change(account: Account, status: str) -> None:
    """LeadPerfection changes the lead, and stamps it with its own wall clock."""
    account.lp.edit("1", lambda record: record["leads"][0].update(disposition=status), lead="10")


def updates(account: Account) -> list[str]:
    """The values that updates of the status brought, in order; one that came twice is there twice."""
    rows = account.ask(
        "select new_value from opportunity_changes where column_name = 'status' order by sync_id, new_value"
    )
    return [value for (value,) in rows]


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        # at these moments the hour before, or after, is repeated or skipped
        (NEW_YORK, "2026-11-01T06:00:00Z"),
        pytest.param(NEW_YORK, "2026-03-08T07:00:00Z", marks=pytest.mark.slow),
        pytest.param(DENVER, "2026-11-01T08:00:00Z", marks=pytest.mark.slow),
        pytest.param(DENVER, "2026-03-08T09:00:00Z", marks=pytest.mark.slow),
        # these don't change their clocks when the others do
        pytest.param("America/Phoenix", "2026-11-01T09:00:00Z", marks=pytest.mark.slow),
        pytest.param("Pacific/Honolulu", "2026-03-08T12:00:00Z", marks=pytest.mark.slow),
    ],
)
def test_a_change_around_a_clock_change_arrives_in_one_update(tmp_path: Path, zone: str, moment: str) -> None:
    """W3: changes before and after it, in the hour that is repeated or skipped, each arrive at the next sync, and in
    one update; no window is inverted, as LeadPerfection sees it."""
    at = datetime.fromisoformat(moment)
    with account_of(Account, tmp_path, zone=zone) as account:
        begin(account, at - timedelta(minutes=50))
        for changed, synced in ((-25, -20), (-2, 15), (20, 45)):
            account.now = at + timedelta(minutes=changed)
            change(account, f"changed at {changed}")
            account.now = at + timedelta(minutes=synced)
            assert account.sync().updated == 1
        assert updates(account) == ["changed at -25", "changed at -2", "changed at 20"]
        sent = [(fields["startdate"], fields["enddate"]) for path, fields in account.lp.requests if "GetLead" in path]
        assert all(first < last for first, last in sent)


@pytest.mark.parametrize("skew", [timedelta(minutes=15), pytest.param(timedelta(minutes=-15), marks=pytest.mark.slow)])
def test_an_lp_clock_that_is_15_minutes_wrong_loses_nothing(lp_account: Account, skew: timedelta) -> None:
    """W1, W3: ahead of ours, a change may arrive one sync later; behind, the overlap covers it; once in any case."""
    lp_account.lp.switch(clock_skew_seconds=int(skew.total_seconds()))
    begin(lp_account, lp_account.now)
    lp_account.later(seconds=1)
    change(lp_account, "right after a sync")
    lp_account.later(minutes=14)
    lp_account.sync()
    lp_account.later(minutes=14)
    change(lp_account, "right before one")
    lp_account.later(minutes=1)
    lp_account.sync()
    assert "right after a sync" in updates(lp_account)
    lp_account.later()
    lp_account.sync()
    assert updates(lp_account) == ["right after a sync", "right before one"]


def test_our_clock_set_back_by_an_hour_is_told_and_loses_nothing(lp_account: Account) -> None:
    """W1: loudly, once a feed; what LeadPerfection (whose clock is right) stamps meanwhile arrives when ours has got
    there, or is corrected."""
    begin(lp_account, lp_account.now)
    lp_account.later()
    change(lp_account, "before")
    lp_account.sync()
    lp_account.now -= timedelta(hours=1)
    lp_account.lp.switch(clock_skew_seconds=3600)
    change(lp_account, "while it was wrong")
    warnings: list[str] = []
    lp_account.later(minutes=5)
    lp_account.read(warnings=warnings)
    assert ["set back" in warning for warning in warnings] == [True]
    lp_account.merge()
    lp_account.later(minutes=5)
    lp_account.read(warnings=warnings)
    assert len(warnings) == 1
    lp_account.now += timedelta(hours=1)
    lp_account.lp.switch(clock_skew_seconds=0)
    lp_account.later(minutes=5)
    lp_account.sync()
    assert updates(lp_account) == ["before", "while it was wrong"]
    with lp_account.connections() as connections, connections.warehouse.transaction() as connection:
        assert run(connection, "checks/window_gaps") == []


def test_a_machine_that_sleeps_for_three_days_in_the_middle_of_a_sync_loses_nothing(lp_account: Account) -> None:
    """R1, W1: the sign-in has run out when it wakes, and is made anew; what changed meanwhile the next sync reads."""
    lp_account.environ["LP_PAGE_SIZE"] = "2"
    begin(lp_account, lp_account.now)
    lp_account.later()
    for number in range(2, 8):
        stamp = lp_account.wall(minutes=1)
        lp_account.lp.put(prospect(str(number), lead(f"{number}0", lastchangedon=stamp), lastchanged=stamp))
    slept: list[datetime] = []

    def sleep(path: str, fields: dict[str, str]) -> None:
        if fields.get("StartIndex") == "2" and not slept:
            slept.append(lp_account.later(days=3))
            change(lp_account, "while it slept")

    lp_account.lp.before_request = sleep
    assert lp_account.sync().inserted == 6
    assert slept
    lp_account.sync()
    assert updates(lp_account) == ["while it slept"]
    assert only(lp_account.ask("select count(*) from opportunities")) == 7
