"""SPEC W2: the backfill reads the past, while syncs continue and come first. D1: history is not sent to Hatch."""

import os
import signal
import threading
import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from lp_pipeline.clients.leadperfection import Window, feeds
from lp_pipeline.errors import LeadPerfectionError, SettingsError, WarehouseError
from lp_pipeline.extract.feed_reader import FeedReader
from lp_pipeline.extract.history_cursors import days
from lp_pipeline.insight.report.write import is_current
from lp_pipeline.orchestration.failures import INTERRUPTED
from lp_pipeline.orchestration.schedules import sync_schedule
from lp_pipeline.storage.locks import NEXT, PAST, Turn
from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline.storage.warehouse import run
from lp_pipeline_tests.account import Account, failures, shown_errors
from lp_pipeline_tests.runs.past import DAYS, asked, day, fill_back, ids, person, run_job
from lp_pipeline_tests.scenario import NOON, PATIENCE, lead, only, prospect


def test_it_reads_the_days_of_lps_calendar_and_moves_no_watermark(lp_account: Account) -> None:
    """W2: from the first day's midnight to the last one's, in LP's zone, in pieces; a second one changes nothing."""
    lp_account.sync()
    for number in range(25, 29):
        lp_account.lp.put(person(lp_account, str(number), day(number)))
    before = lp_account.ask("from pipeline.watermarks"), len(lp_account.lp.requests)
    report = fill_back(lp_account)
    assert (report.pieces, report.merged.inserted, ids(lp_account)) == (3, 3, ["26", "27", "28"])
    assert asked(lp_account, before[1])[0][0] == "2026-02-26 00:00:00"
    assert asked(lp_account)[-1] == ("2026-02-28 00:00:00", "2026-03-01 00:10:00")
    assert lp_account.ask("from pipeline.watermarks") == before[0]
    again = fill_back(lp_account)
    assert (again.readings > 0, again.stored) == (True, 0)
    assert again.notes == ["read again: these days were read by 2026-03-02"]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
@pytest.mark.parametrize(
    ("first", "last", "window"),
    [
        (date.min, date.max, ("1970-01-01", NOON)),
        (date.min, date(1970, 1, 1), ("1970-01-01", "1970-01-02")),
        (date(2026, 3, 1), date.max, ("2026-03-01", NOON)),
    ],
)
def test_days_beyond_leadperfections_calendar_are_those_at_its_ends(
    zone: str, first: date, last: date, window: tuple[str, str | datetime]
) -> None:
    """W2, J4: `--from 0001-01-01 --to 9999-12-31` is all there is, in every zone."""
    place = ZoneInfo(zone)
    begin, end = (
        each if isinstance(each, datetime) else datetime.fromisoformat(each).replace(tzinfo=place) for each in window
    )
    assert days(first, last, place, NOON) == Window(begin, end)


def test_days_before_leadperfections_calendar_are_refused(lp_account: Account) -> None:
    """J4: there can be nothing; days to come are refused likewise."""
    with pytest.raises(SettingsError, match="no dates before 1970, and the last day is 0001-01-01"):
        fill_back(lp_account, date.min, date.min)
    with pytest.raises(SettingsError, match="begins on 9999-12-31, and that day has not begun"):
        fill_back(lp_account, date.max, date.max)
    assert lp_account.lp.requests == []


def test_it_goes_on_where_it_failed_and_reads_nothing_twice(lp_account: Account) -> None:
    """W2: a piece that fails ends the run with a message; what was read stays, and only that piece is read again."""
    for number in range(26, 29):
        lp_account.lp.put(person(lp_account, str(number), day(number)))
    lp_account.lp.fault("result0", path="GetLead", after=4)
    with pytest.raises(LeadPerfectionError, match="start the backfill again to resume"):
        fill_back(lp_account)
    assert ids(lp_account) == ["26", "27", "28"]  # of the third day what the other feed showed
    seen = len(lp_account.lp.requests)
    report = fill_back(lp_account)
    assert report.notes == ["resumed from 2026-02-28 00:00"]
    assert {start[:10] for start, _ in asked(lp_account, seen)} == {"2026-02-28"}
    assert lp_account.ask("select count(*), count(finished_at) from pipeline.backfills") == [(1, 1)]


def test_empty_pieces_are_asked_for_twice(lp_account: Account) -> None:
    """W5: one empty answer is not believed."""
    lp_account.lp.put(person(lp_account, "1", day(26)))
    lp_account.lp.fault("empty", path="GetLead")
    fill_back(lp_account, DAYS[0], DAYS[0])
    assert lp_account.ask("select feed, outcome, kind, pages from sync_runs order by feed")[0] == (
        "leads",
        "read",
        "backfill",
        3,
    )


def test_what_a_failed_backfill_has_merged_is_published(lp_account: Account) -> None:
    """Q1, W2: users need not wait for a sync, which may be a long way off; the message is still the first error's."""
    for number in (26, 27, 28):
        lp_account.lp.put(person(lp_account, f"{number}", day(number)))
    lp_account.lp.fault("403", path="Get", after=4, times=2)
    result = run_job(lp_account, "backfill", **{"from": f"{DAYS[0]}", "to": f"{DAYS[1]}"})
    (message,) = failures(result)
    assert "start the backfill again to resume" in message
    published = lp_account.published("select external_contact_id from opportunities order by 1")
    assert [row[0] for row in published] == ids(lp_account) == ["26", "27"]


def test_what_an_interrupted_backfill_has_merged_is_published(lp_account: Account) -> None:
    """Q1, W2: after Ctrl-C or "Terminate", too."""
    for number in (26, 27):
        lp_account.lp.put(person(lp_account, f"{number}", day(number)))

    def interrupt(_path: str, fields: dict[str, str]) -> None:
        if fields.get("startdate", "").startswith("2026-02-27"):
            lp_account.lp.before_request = None
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)

    lp_account.lp.before_request = interrupt
    result = run_job(lp_account, "backfill", **{"from": f"{DAYS[0]}", "to": f"{DAYS[1]}"})
    assert shown_errors(result.all_events) == [INTERRUPTED]
    assert lp_account.published("select external_contact_id from opportunities") == [("26",)]


def test_every_lead_of_the_days_arrives(lp_account: Account) -> None:
    """F2: a lead that changed on a later day than another one of its prospect gets its opportunity, too, whether the
    backfill or a sync comes to its stamp."""
    leads = [lead(str(n), dateentered=day(n), lastchangedon=day(n)) for n in (26, 27)]
    fresh = lead("99", dateentered=lp_account.wall(minutes=2), lastchangedon=lp_account.wall(minutes=2))
    lp_account.lp.put(prospect("1", *leads, fresh, dateadded=day(1), lastchanged=day(26)))
    fill_back(lp_account)
    found = "select external_id from opportunities order by 1"
    assert lp_account.ask(found) == [("26",), ("27",)]
    assert lp_account.sync().inserted == 1
    assert lp_account.ask(found) == [("26",), ("27",), ("99",)]


def test_a_sync_in_between_comes_first_and_the_newer_reading_wins(lp_account: Account) -> None:
    """W2, M4: a sync that starts while a piece is being read gets its turn; what it read is newer than the piece."""
    lp_account.sync()
    lp_account.lp.put(person(lp_account, "1", day(26), disposition="Set"))
    synced: list[int] = []

    def meanwhile(path: str, fields: dict[str, str]) -> None:
        if path.endswith("GetProspectData") and not synced and fields["startdate"].startswith("2026-02-26"):
            synced.append(0)
            lp_account.lp.put(person(lp_account, "1", disposition="Sold"))
            synced[0] = lp_account.sync().inserted

    lp_account.lp.before_request = meanwhile
    report = fill_back(lp_account, DAYS[0], DAYS[0])
    lp_account.lp.before_request = None
    assert synced == [1]
    assert report.merged.inserted == 0
    assert lp_account.ask("select status from opportunities where external_contact_id = '1'") == [("Sold",)]


def test_a_sync_that_waits_gets_its_turn_first(lp_account: Account) -> None:
    """W2, R2: a backfill takes the turn only when nobody else waits for it, however long that takes."""
    order: list[str] = []
    begun = threading.Event()

    def past() -> None:
        begun.set()
        with lp_account.connections() as connections, connections.warehouse_briefly():
            order.append("backfill")

    def sync() -> None:
        with lp_account.connections() as connections:
            _ = connections.warehouse
            order.append("sync")

    threads = [threading.Thread(target=past), threading.Thread(target=sync)]
    with Turn(lp_account.folder):
        threads[0].start()
        assert begun.wait(PATIENCE)
        threads[1].start()
        while not Turn(lp_account.folder, NEXT).is_taken():
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert order == ["sync", "backfill"]


def test_no_tick_is_skipped_for_a_backfill(lp_account: Account) -> None:
    """W2: while a backfill stores a piece, the schedule starts its sync all the same, which waits that moment."""
    with dg.instance_for_test() as instance, lp_account.connections() as connections, connections.warehouse_briefly():
        tick = sync_schedule(lp_account.load)(dg.build_schedule_context(instance=instance))
    assert isinstance(tick, dg.RunRequest)


def test_one_reads_the_past_at_a_time(lp_account: Account) -> None:
    """M4: a second one would number its readings out of order."""
    with Turn(lp_account.folder, PAST), pytest.raises(WarehouseError, match="Another backfill or sweep"):
        fill_back(lp_account)


@pytest.mark.parametrize(("first", "last"), [("2026-02-28", "2026-02-26"), ("2026-04-01", "2026-04-02")])
def test_days_that_make_no_sense_are_refused(lp_account: Account, first: str, last: str) -> None:
    """W2: nothing is asked of LeadPerfection."""
    with pytest.raises(SettingsError):
        fill_back(lp_account, date.fromisoformat(first), date.fromisoformat(last))
    assert lp_account.lp.requests == []


def test_the_job_reads_publishes_and_refuses_what_is_no_day(lp_account: Account) -> None:
    """W2, E8: the job's config is validated with a clear message; what it read is published and reported."""
    lp_account.lp.put(person(lp_account, "1", day(26)))
    result = run_job(lp_account, "backfill", **{"from": "26.02.2026", "to": "2026-02-26"})
    assert failures(result) == [
        "from: '26.02.2026' is not a valid day; use YYYY-MM-DD, today, yesterday or, for example, 7 days ago."
    ]
    assert run_job(lp_account, "backfill", **{"from": "4 days ago", "to": "yesterday"}).success
    assert lp_account.published("select external_contact_id from opportunities") == [("1",)]
    assert is_current(lp_account.load())


def due(account: Account) -> list[tuple[object, ...]]:
    return account.ask("select external_contact_id, reason from pipeline.due_deliveries order by all")


def test_history_is_not_delivered_but_what_a_sync_reads_later_is(lp_account: Account) -> None:
    """D1: what a backfill inserts is not sent to Hatch; a later sync's update of it is."""
    lp_account.with_hatch()
    lp_account.lp.put(person(lp_account, "1", day(26)))
    fill_back(lp_account)
    assert due(lp_account) == []
    lp_account.lp.put(person(lp_account, "1", disposition="Sold", dateadded=day(26)))
    lp_account.sync()
    assert due(lp_account) == [("1", "updated")]


@pytest.mark.slow
def test_what_a_backfill_updates_is_delivered_if_it_was_before(lp_account: Account) -> None:
    """D1: of two updates that LP did not announce, Hatch gets the one that it knows."""
    lp_account.lp.put(person(lp_account, "1", day(26)))
    fill_back(lp_account)
    lp_account.with_hatch()
    lp_account.lp.put(person(lp_account, "2"))
    lp_account.sync()
    lp_account.deliver()
    lp_account.later(hours=1)
    lp_account.lp.put(person(lp_account, "3", phone1="518-555-0177"))
    lp_account.sync()
    lp_account.deliver()
    for cst_id in ("1", "2"):
        lp_account.lp.edit(cst_id, lambda record: record.update(firstname="Bea"), stamp=False)
    fill_back(lp_account, DAYS[0], date(2026, 3, 2))
    assert due(lp_account) == [("1", "history"), ("2", "history")]
    lp_account.deliver()
    assert [each["firstName"] for each in lp_account.lp.hatch_writes()] == ["Ann", "Ann", "Bea"]


def test_news_that_a_backfill_reads_first_is_no_history(lp_account: Account) -> None:
    """D1: a new lead reaches Hatch although a backfill read it minutes before the sync would have."""
    lp_account.with_hatch()
    lp_account.sync()
    lp_account.later()
    lp_account.lp.put(person(lp_account, "1"))
    fill_back(lp_account, date(2026, 3, 1), date(2026, 3, 2))
    assert due(lp_account) == [("1", "inserted")]
    assert lp_account.sync().inserted == 0


def test_a_sync_that_merges_a_killed_backfills_readings_delivers_none(lp_account: Account) -> None:
    """D1, R1: what was stored but not merged is history all the same."""
    lp_account.with_hatch()
    lp_account.lp.put(person(lp_account, "1", day(26)))
    with lp_account.connections() as connections:  # as far as a backfill comes that is killed before it merges
        settings = connections.settings
        with connections.warehouse_briefly() as warehouse:
            sync_id = begin_sync(warehouse, settings, "killed")
        for feed in filter(None, feeds(settings)):
            reader = FeedReader(
                connections.leadperfection_for_history,
                connections.warehouse_briefly,
                settings,
                feed,
                sync_id,
                kind="backfill",
            )
            reader.read_past(days(DAYS[0], DAYS[0], settings.zone, settings.now()), full_page_seen=False)
    assert only(lp_account.ask("select count(*) from pipeline.unmerged")) == 2
    assert lp_account.sync().inserted == 1
    assert due(lp_account) == []


def gaps(account: Account) -> int:
    with account.connections() as connections, connections.warehouse.connection() as connection:
        return len(run(connection, "checks/window_gaps"))


def test_a_backfill_opens_no_gap_and_fills_one(lp_account: Account) -> None:
    """W6: days long before the first sync are no gap; a real one is filled."""
    lp_account.lp.put(person(lp_account, "1"))
    lp_account.sync()
    fill_back(lp_account)
    assert gaps(lp_account) == 0
    lp_account.later(days=2)
    lp_account.lp.put(person(lp_account, "2"))
    with lp_account.connections() as connections, connections.warehouse.transaction() as connection:
        late = lp_account.now - timedelta(hours=1)
        connection.execute("update pipeline.watermarks set watermark = $1", [late]).fetchall()
    lp_account.sync()
    assert gaps(lp_account) == 2
    fill_back(lp_account, NOON.date(), (NOON + timedelta(days=2)).date())
    assert gaps(lp_account) == 0


def test_a_backfill_ahead_of_the_syncs_opens_no_gap(lp_account: Account) -> None:
    """W6: after an outage the last days are filled back before the syncs have come that far."""
    lp_account.lp.put(person(lp_account, "1"))
    lp_account.sync()
    lp_account.later(days=10)
    today = lp_account.now.date()
    fill_back(lp_account, today - timedelta(days=2), today - timedelta(days=1))
    assert gaps(lp_account) == 0
