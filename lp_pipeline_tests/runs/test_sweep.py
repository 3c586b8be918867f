"""SPEC S1: the sweep finds what LeadPerfection changed without a stamp, within its calls, and counts it."""

from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import dagster as dg
import pytest

from lp_pipeline.orchestration.schedules import sweep_schedule
from lp_pipeline.storage.locks import PAST, Turn
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.runs.past import day, fill_back, ids, person, run_job, sweep_up
from lp_pipeline_tests.scenario import NOON, Record, lead, only, prospect


@pytest.fixture(autouse=True)
def in_few_pieces(lp_account: Account) -> None:
    """Long pieces make quick tests."""
    lp_account.environ["LP_PIECE_HOURS"] = "8000"


def swept_to(account: Account) -> datetime | None:
    found: datetime | None = only(account.ask("select swept_to from pipeline.sweep"))
    return found


def test_edits_without_a_stamp_arrive_and_are_counted(lp_account: Account) -> None:
    """S1, F4: unannounced edits and call results arrive; what was stamped is no such edit; both feeds count it once."""
    lp_account.with_hatch()
    for cst_id in ("1", "2"):
        lp_account.lp.put(person(lp_account, cst_id))
    lp_account.sync()
    lp_account.later(days=2)
    lp_account.lp.put(person(lp_account, "3", dateadded=day(1)))
    lp_account.sync()
    call = {"calldatetime": "2026-03-03T10:00:00", "phone": "5185550123", "resultcode": "NA", "calltype": "O"}
    lp_account.lp.edit(
        "1", lambda r: (r.update(city="Troy", calls=[call]), r["leads"][0].update(disposition="Sold")), stamp=False
    )
    lp_account.lp.edit("2", lambda record: record.update(city="Troy"))
    result = run_job(lp_account, "sweep")
    assert result.success
    assert lp_account.published("select field, count(*) from unannounced_changes group by all order by 1") == [
        ("lead.disposition", 1),
        ("prospect.city", 1),
    ]
    assert lp_account.published("select external_contact_id, result_code from calls") == [("1", "NA")]
    assert lp_account.ask("select status from opportunities order by external_contact_id") == [
        ("Sold",),
        ("Set",),
        ("Set",),
    ]


def unannounced(account: Account) -> list[tuple[object, ...]]:
    return account.ask("select field, count(*) from unannounced_changes group by all order by 1")


def known(account: Account) -> None:
    """After two syncs, two days later, what LeadPerfection has is no news any more."""
    for _ in range(2):
        account.sync()
        account.later(days=1)


def record_city(city: str, record: Record) -> None:
    record["city"] = city


@pytest.mark.slow
@pytest.mark.parametrize("hours", [21, 0, 50])
def test_an_edit_that_the_feeds_show_at_different_times_counts_once(lp_account: Account, hours: int) -> None:
    """S1: however far apart; the second feed's reading is no news, whichever one it is."""
    lp_account.lp.put(person(lp_account, "1"))
    known(lp_account)
    lp_account.lp.edit("1", lambda record: record.update(city="Troy"), stamp=False)
    lp_account.lp.edit("1", lambda record: record["leads"][0].update(disposition="Sold"), stamp=False)
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    sweep_up(lp_account)
    expected = [("lead.disposition", 1), ("prospect.city", 1)]
    assert unannounced(lp_account) == expected
    lp_account.later(hours=hours)
    del lp_account.environ["LP_PROSPECT_ACTION"]
    assert sweep_up(lp_account).unannounced == {}
    assert unannounced(lp_account) == expected


@pytest.mark.slow
def test_each_edit_counts_however_soon_it_follows_another_one(lp_account: Account) -> None:
    """S1: a second edit of the same field an hour later, and one that takes the first one back."""
    lp_account.lp.put(person(lp_account, "1", city="Albany"))
    known(lp_account)
    for number, city in enumerate(("Troy", "Utica", "Troy", "Albany"), 1):
        lp_account.lp.edit("1", partial(record_city, city), stamp=False)
        assert sweep_up(lp_account).unannounced == {"prospect.city": 1}
        assert unannounced(lp_account) == [("prospect.city", number)]
        lp_account.later(hours=1)


@pytest.mark.slow
def test_a_value_that_is_gone_counts_once_too(lp_account: Account) -> None:
    """S1: cleared in both feeds, and found by one sweep after the other."""
    lp_account.lp.put(person(lp_account, "1", city="Albany"))
    known(lp_account)
    lp_account.lp.edit("1", lambda record: record.update(city=""), stamp=False)
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    assert sweep_up(lp_account).unannounced == {"prospect.city": 1}
    del lp_account.environ["LP_PROSPECT_ACTION"]
    assert sweep_up(lp_account).unannounced == {}


def test_nothing_is_delivered_that_was_not_before(lp_account: Account) -> None:
    """D1: what a sweep inserts is history."""
    lp_account.with_hatch()
    lp_account.lp.put(person(lp_account, "1", day(20)))
    assert sweep_up(lp_account).merged.inserted == 1
    assert lp_account.ask("from pipeline.due_deliveries") == []


@pytest.mark.slow
def test_a_rejected_record_that_was_mended_passes(lp_account: Account) -> None:
    """J7: rejected records are read by id, whenever they changed; one that times out stops nobody."""
    for cst_id in ("1", "2"):
        at = lp_account.wall(minutes=1)
        lp_account.lp.put(prospect(cst_id, lead(f"{cst_id}0", lastchangedon=at), email=..., lastchanged=at))
    assert lp_account.sync().rejected == 2
    lp_account.later(days=40)
    lp_account.lp.edit("2", lambda record: record.update(email="ann@example.com"), stamp=False)
    lp_account.lp.switch(broken_record="1")
    report = sweep_up(lp_account)
    assert "prospect 1 times out at LeadPerfection" in report.notes
    assert ids(lp_account) == ["2"]
    assert lp_account.ask("select external_contact_id, attempts from rejected_records") == [("1", 1)]


def history(account: Account, count: int) -> None:
    """So many people, one for each day before the last sixty, all known."""
    for number in range(count):
        account.lp.put(person(account, f"{number:03}", account.wall(days=60 + number)))
    first = (account.now - timedelta(days=60 + count)).date()
    fill_back(account, first, (account.now - timedelta(days=59)).date())


@pytest.mark.slow
def test_the_round_goes_on_each_day_and_begins_anew(lp_account: Account) -> None:
    """S1: each sweep of a round (here of five) reads its share of what is known, whatever time that spans; after the
    last one a new round begins."""
    lp_account.environ["LP_SWEEP_ROUND_DAYS"] = "5"
    history(lp_account, 20)
    seen = len(lp_account.lp.requests)
    reached = []
    for _ in range(6):
        assert sweep_up(lp_account).calls <= 12
        reached.append(swept_to(lp_account))
        lp_account.later(days=1)
    between = [(later - sooner).days for sooner, later in pairwise(reached[:4]) if sooner and later]
    assert (between, reached[4]) == ([4] * 3, None)
    assert reached[5] == reached[0]
    starts = [each["startdate"] for path, each in lp_account.lp.requests[seen:] if each.get("options") == "1024"]
    assert min(starts) < lp_account.wall(days=60 + 19 + 6).replace("T", " ")


def test_it_keeps_to_its_calls(lp_account: Account) -> None:
    """S1: a sweep begins no piece beyond LP_SWEEP_CALLS, says so, and the next one resumes there."""
    lp_account.environ["LP_SWEEP_CALLS"] = "10"
    history(lp_account, 60)
    lp_account.environ["LP_PAGE_SIZE"] = "1"
    report = sweep_up(lp_account)
    assert report.calls < 10 + 2 * 12
    assert "LP_SWEEP_CALLS" in report.notes[-1]
    first = swept_to(lp_account)
    sweep_up(lp_account)
    second = swept_to(lp_account)
    assert first
    assert second
    assert first < second < NOON


@pytest.mark.slow
def test_a_busy_month_does_not_keep_history_from_its_turn(lp_account: Account) -> None:
    """S1: all that was ever read is read again in its time, however many calls the last days take."""
    history(lp_account, 5)
    for number in range(40):
        lp_account.lp.put(person(lp_account, f"9{number:02}"))
    lp_account.environ |= {"LP_SWEEP_CALLS": "20", "LP_PAGE_SIZE": "2"}
    assert sweep_up(lp_account).calls > 20
    assert swept_to(lp_account)


def test_a_full_one_reads_everything(lp_account: Account) -> None:
    """S1: all history, and to no budget: the edit of long ago arrives at once, whoever else is known."""
    lp_account.environ["LP_SWEEP_CALLS"] = "10"
    history(lp_account, 30)
    for number in (0, 15, 29):
        lp_account.lp.edit(f"{number:03}", lambda record: record.update(firstname="Bea"), stamp=False)
    report = sweep_up(lp_account, full=True)
    assert (report.merged.updated, report.unannounced, report.notes) == (3, {"prospect.firstname": 3}, [])


def test_the_nightly_one_waits_for_a_backfill(lp_account: Account) -> None:
    """S1: it is skipped while another one reads the past."""
    schedule = sweep_schedule(lp_account.load)
    assert isinstance(schedule(), dg.RunRequest)
    with Turn(lp_account.folder, PAST):
        assert isinstance(schedule(), dg.SkipReason)
