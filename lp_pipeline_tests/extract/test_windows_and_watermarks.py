"""SPEC W1 to W6, W8: which windows are asked for, and when a watermark moves, against a real server."""

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest

from lp_pipeline.errors import SettingsError
from lp_pipeline.storage.warehouse import run
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import NOON, lead, only, prospect


def changed(account: Account, cst_id: str, **ago: float) -> dict[str, Any]:
    """A prospect whose only stamp of change is some time ago."""
    stamp = account.wall(**ago)
    return prospect(cst_id, lead(f"{cst_id}0", lastchangedon=stamp, dateentered=stamp), lastchanged=stamp)


def windows(account: Account, feed: str = "leads") -> list[tuple[Any, ...]]:
    return account.ask(
        f"select window_from, window_to, outcome, watermark_moved from sync_runs where feed = '{feed}' order by rowid"
    )


def watermark(account: Account, feed: str = "leads") -> datetime:
    found: datetime = only(account.ask(f"select watermark from pipeline.watermarks where feed = '{feed}'"))
    return found


def test_the_first_window_begins_twenty_minutes_before_now(lp_account: Account) -> None:
    """W1: for the very first sync 20 minutes before now, and it ends at now; each feed has its own."""
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.read()
    for feed in ("leads", "prospects"):
        assert windows(lp_account, feed) == [(NOON - timedelta(minutes=20), NOON, "read", True)]
        assert watermark(lp_account, feed) == NOON


def test_the_next_window_begins_before_the_watermark(lp_account: Account) -> None:
    """W1: 20 minutes before, or what LP_OVERLAP_MINUTES says."""
    lp_account.environ["LP_OVERLAP_MINUTES"] = "7"
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.read("leads")
    lp_account.lp.put(changed(lp_account, "2", minutes=1))
    lp_account.later()
    lp_account.read("leads")
    assert windows(lp_account)[-1][:2] == (NOON - timedelta(minutes=7), NOON + timedelta(minutes=15))


def test_after_an_outage_the_gap_is_read_in_pieces(lp_account: Account) -> None:
    """W1, W2: nothing that changed in an outage of days is lost; each piece has a commit of its own, oldest first."""
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.sync()
    lp_account.later(days=3)
    for cst_id, hours in (("2", 71), ("3", 40), ("4", 10), ("5", 0.1)):
        lp_account.lp.put(changed(lp_account, cst_id, hours=hours))
    assert lp_account.sync().inserted == 4
    last = windows(lp_account)[1:]
    assert [outcome for *_, outcome, _ in last] == ["read"] * 4
    assert [row[0] for row in last[1:]] == [row[1] for row in last[:-1]]
    assert max(row[1] - row[0] for row in last) == timedelta(days=1)
    assert watermark(lp_account) == lp_account.now


def test_what_was_read_before_a_failure_stays_read(lp_account: Account) -> None:
    """W2: a sync that fails in its third piece keeps the first two, and the next one resumes there."""
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.sync()
    lp_account.later(days=3)
    lp_account.lp.put(changed(lp_account, "2", hours=70))
    lp_account.lp.put(changed(lp_account, "3", hours=10))
    lp_account.lp.fault("result0", path="GetLead", after=4)
    report = lp_account.read("leads")["leads"]
    assert report.error
    assert lp_account.merge().inserted == 1
    assert NOON < watermark(lp_account) < lp_account.now
    lp_account.read("leads")
    assert lp_account.merge().inserted == 1
    assert watermark(lp_account) == lp_account.now


def test_a_first_attempt_that_fails_keeps_its_beginning(lp_account: Account) -> None:
    """W1: the first attempt's beginning is kept, should it fail."""
    lp_account.lp.put(changed(lp_account, "1", minutes=15))
    lp_account.lp.fault("result0", path="GetLead")
    assert lp_account.read("leads")["leads"].error
    lp_account.later(minutes=45)
    lp_account.read("leads")
    assert windows(lp_account)[-1][0] == NOON - timedelta(minutes=20)
    assert lp_account.merge().inserted == 1


def test_a_watermark_later_than_now_is_set_back(lp_account: Account) -> None:
    """W1: to the newest window of the ledger that is not later than now and was read; and loudly."""
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.read("leads")
    lp_account.later(hours=1)
    lp_account.lp.fault("result0", path="GetLead")
    lp_account.read("leads")
    lp_account.later(hours=9)
    lp_account.lp.put(changed(lp_account, "2", minutes=5))
    lp_account.read("leads")
    lp_account.later(hours=-8)
    warnings: list[str] = []
    lp_account.read("leads", warnings=warnings)
    assert len(warnings) == 1
    assert "set back" in warnings[0]
    assert windows(lp_account)[-1][0] == NOON - timedelta(minutes=20)


def test_an_empty_window_is_asked_for_twice_and_moves_nothing(lp_account: Account) -> None:
    """W5: under load LP answers nothing where there is something."""
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.read("leads")
    lp_account.later()
    lp_account.lp.put(changed(lp_account, "2", minutes=5))
    lp_account.lp.fault("empty", path="GetLead", times=2)
    lp_account.read("leads")
    assert windows(lp_account)[-1][2:] == ("empty", False)
    assert watermark(lp_account) == NOON
    lp_account.later()
    lp_account.read("leads")
    assert lp_account.merge().inserted == 2


def test_one_empty_answer_is_not_believed(lp_account: Account) -> None:
    """W5: the second asking brings what the first one denied."""
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.lp.fault("empty", path="GetLead")
    assert lp_account.read("leads")["leads"].readings == 1
    assert windows(lp_account)[-1][2:] == ("read", True)


def test_an_empty_window_is_believed_after_a_day(lp_account: Account) -> None:
    """W5: unless the watermark was 24 hours old when the sync began."""
    lp_account.read("leads")
    lp_account.later(hours=23)
    lp_account.read("leads")
    assert watermark(lp_account) == NOON
    lp_account.later(hours=1)
    lp_account.read("leads")
    assert watermark(lp_account) == lp_account.now


def test_what_follows_an_unbelieved_piece_is_read_but_moves_nothing(lp_account: Account) -> None:
    """W2, W5: an empty piece that is not believed holds the watermark; the pieces after it are read all the same."""
    lp_account.environ["LP_PIECE_HOURS"] = "1"
    lp_account.read("leads")
    lp_account.later(hours=5)
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.read("leads")
    assert lp_account.merge().inserted == 1
    assert watermark(lp_account) == NOON


def test_pieces_stop_when_the_time_is_over(lp_account: Account) -> None:
    """W2: a sync that runs out of its time stops between pieces, with success."""
    from lp_pipeline.clients.leadperfection import feeds
    from lp_pipeline.extract.feed_reader import FeedReader

    lp_account.read("leads")
    lp_account.later(days=4)
    lp_account.lp.put(changed(lp_account, "1", days=4))
    with lp_account.connections() as connections:
        feed = feeds(connections.settings)[0]
        reader = FeedReader(
            connections.leadperfection,
            lambda: nullcontext(connections.warehouse),
            connections.settings,
            feed,
            connections.sync_id,
            stop_at=0.0,
        )
        report = reader.read()
    assert (report.pieces, report.error) == (1, None)
    assert report.unread_since is not None
    lp_account.read("leads")
    assert watermark(lp_account) == lp_account.now


def many(account: Account, count: int, **ago: float) -> None:
    for number in range(count):
        account.lp.put(changed(account, str(1000 + number), **ago))


@pytest.mark.parametrize("counts", ["page", "row"])
@pytest.mark.parametrize("setting", ["auto", "explicit"])
def test_pages_are_read_to_the_end(lp_account: Account, counts: str, setting: str) -> None:
    """W4: whether StartIndex counts pages or rows, set or found out."""
    lp_account.environ |= {"LP_PAGE_SIZE": "7", "LP_PAGING": "auto" if setting == "auto" else counts}
    lp_account.lp.switch(paging=counts)
    many(lp_account, 40, minutes=5)
    lp_account.read()
    assert lp_account.merge().inserted == 40


def test_a_capped_page_size_is_found_out(lp_account: Account) -> None:
    """W4: until LP has once given a full page of this size, a short first page is followed by one more request."""
    lp_account.lp.switch(max_page_size=10)
    many(lp_account, 35, minutes=5)
    lp_account.read("leads")
    assert lp_account.merge().inserted == 35


def test_a_full_page_once_seen_makes_short_pages_sure(lp_account: Account) -> None:
    """W4: afterwards a short first page is the last one, in later syncs too."""
    lp_account.environ["LP_PAGE_SIZE"] = "3"
    many(lp_account, 3, minutes=5)
    lp_account.read("leads")
    for cst_id in ("1000", "1001"):
        lp_account.lp.remove(cst_id)
    lp_account.later(minutes=30)
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    before = len(lp_account.lp.requests)
    lp_account.read("leads")
    assert [path for path, _ in lp_account.lp.requests[before:]] == ["/token", "/api/Customers/GetLead"]


def test_rows_that_move_between_pages_are_not_lost(lp_account: Account) -> None:
    """W4: a record that is edited between two pages moves to the end, and another one up to a page that was read."""
    lp_account.environ["LP_PAGE_SIZE"] = "5"
    lp_account.lp.switch(order="lastchanged")
    many(lp_account, 20, minutes=5)
    edits = iter(["1002", "1003"])

    def edit_between_pages(path: str, fields: dict[str, str]) -> None:
        lp_account.later(seconds=3)
        if fields.get("StartIndex") == "2" and (cst_id := next(edits, None)):
            lp_account.lp.edit(cst_id)

    lp_account.lp.before_request = edit_between_pages
    lp_account.read("leads")
    assert [row[2] for row in windows(lp_account)] == ["shifted", "shifted", "read"]
    assert lp_account.merge().inserted == 20


def test_rows_that_leave_a_window_unseen_take_none_with_them(lp_account: Account) -> None:
    """W4: LeadPerfection's clock is an hour ahead, so a record edited between two pages is no longer in a window that
    ends now, and no stamp shows it. Such a window has ended: it is read until two readings show the same ids."""
    lp_account.environ["LP_PAGE_SIZE"] = "5"
    lp_account.lp.switch(order="cst_id", clock_skew_seconds=3600)
    many(lp_account, 20, minutes=5)
    edits = iter(["1002", "1003"])

    def edit_between_pages(path: str, fields: dict[str, str]) -> None:
        if fields.get("StartIndex") == "2" and (cst_id := next(edits, None)):
            lp_account.lp.edit(cst_id)

    lp_account.lp.before_request = edit_between_pages
    lp_account.read("prospects")
    assert [row[2] for row in windows(lp_account, "prospects")] == ["shifted", "shifted", "read"]
    assert lp_account.ask("select count(*) from pipeline.last_readings") == [(20,)]


def test_a_window_whose_rows_never_rest_is_read_in_halves(lp_account: Account) -> None:
    """W4: read once more three times at most, then in halves, which move the watermark one after the other."""
    lp_account.environ["LP_PAGE_SIZE"] = "5"
    many(lp_account, 12, minutes=5)
    lp_account.lp.put(changed(lp_account, "900", minutes=15))
    edits = iter(range(4))

    def edit_between_pages(path: str, fields: dict[str, str]) -> None:
        lp_account.later(seconds=3)
        if fields.get("StartIndex") == "2" and next(edits, None) is not None:
            lp_account.lp.edit("1011")

    lp_account.lp.before_request = edit_between_pages
    lp_account.read("leads")
    rows = windows(lp_account)
    assert [row[2] for row in rows] == ["shifted"] * 4 + ["read"] * 2
    assert rows[4][:2] == (NOON - timedelta(minutes=20), NOON - timedelta(minutes=10))
    assert rows[5][:2] == (NOON - timedelta(minutes=10), NOON)
    assert lp_account.ask("select sent_to from sync_runs order by rowid")[-2:] == [
        (datetime(2026, 3, 2, 11, 50),),
        (datetime(2026, 3, 2, 12, 10),),
    ]
    assert lp_account.merge().inserted == 13
    assert watermark(lp_account) == NOON


def test_a_shifted_window_whose_halves_fail_moves_nothing(lp_account: Account) -> None:
    """W1, W4: what was read of a shifted window is kept, but only a half that was sure moves the watermark."""
    lp_account.environ["LP_PAGE_SIZE"] = "5"
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    lp_account.read("leads")
    lp_account.later(minutes=45)
    many(lp_account, 12, minutes=5)
    edits = iter(range(5))

    def edit_then_fail(path: str, fields: dict[str, str]) -> None:
        lp_account.later(seconds=3)
        if fields.get("StartIndex") != "2":
            return
        lp_account.lp.edit("1011")
        if next(edits, None) == 3:
            lp_account.lp.fault("result0", path="GetLead", after=2)

    lp_account.lp.before_request = edit_then_fail
    report = lp_account.read("leads")["leads"]
    assert report.error
    assert watermark(lp_account) == NOON
    assert not any(moved for *_, outcome, moved in windows(lp_account) if outcome == "shifted")


def test_a_past_piece_of_several_pages_is_read_until_two_readings_agree(lp_account: Account) -> None:
    """W4: a record that is edited leaves a piece that ends before now, and moves the others."""
    lp_account.environ |= {"LP_PAGE_SIZE": "5", "LP_PIECE_HOURS": "24"}
    lp_account.read("leads")
    lp_account.later(days=1, minutes=30)
    many(lp_account, 20, hours=20)
    edited = [False]

    def edit_once(path: str, fields: dict[str, str]) -> None:
        if fields.get("StartIndex") == "3" and not edited[0]:
            edited[0] = True
            now = lp_account.wall()
            lp_account.lp.edit("1002", lambda record: record["leads"][0].update(lastchangedon=now, dateentered=now))

    lp_account.lp.before_request = edit_once
    lp_account.read("leads")
    assert lp_account.merge().inserted == 20


def test_a_slow_window_is_read_in_halves(lp_account: Account) -> None:
    """Contract 6: a query that times out again and again is asked for in halves."""
    lp_account.read("leads")
    lp_account.later(hours=23)
    lp_account.lp.switch(slow_window_hours=8)
    lp_account.lp.put(changed(lp_account, "1", hours=22))
    lp_account.lp.put(changed(lp_account, "2", hours=3))
    assert lp_account.read("leads")["leads"].error is None
    assert lp_account.merge().inserted == 2


def test_the_ledger_proves_that_no_time_was_left_out(lp_account: Account) -> None:
    """W6: and a window that is taken out of it shows as a gap."""
    for _ in range(4):
        lp_account.lp.put(changed(lp_account, "1", minutes=1))
        lp_account.read("leads")
        lp_account.later(minutes=50)
    with lp_account.connections() as connections, connections.warehouse.transaction() as connection:
        assert run(connection, "checks/window_gaps") == []
        connection.execute(
            "delete from sync_runs where rowid in (select rowid from sync_runs order by rowid limit 1 offset 2)"
        )
        ((feed, gap_from, gap_to),) = run(connection, "checks/window_gaps")
    assert (feed, gap_from, gap_to) == ("leads", NOON + timedelta(minutes=50), NOON + timedelta(minutes=80))


def test_a_feed_that_is_off_is_not_read(lp_account: Account) -> None:
    """LP_PROSPECT_ACTION=off switches that feed off."""
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    lp_account.read()
    assert {path for path, _ in lp_account.lp.requests} == {"/token", "/api/Customers/GetLead"}


def test_a_mistyped_account_is_not_remembered(lp_account: Account) -> None:
    """J5: whose data it is, is remembered with the first data; a first attempt with a wrong address locks nothing."""
    right = lp_account.environ["LP_CLIENT_ID"]
    lp_account.environ["LP_CLIENT_ID"] = "mistyped"
    assert lp_account.read("leads")["leads"].error
    lp_account.environ["LP_CLIENT_ID"] = right
    lp_account.lp.put(changed(lp_account, "1", minutes=5))
    assert lp_account.read("leads")["leads"].error is None
    lp_account.environ["LP_CLIENT_ID"] = "mistyped"
    with pytest.raises(SettingsError, match="another LeadPerfection account"):
        lp_account.read("leads")


def test_a_record_that_always_times_out_is_set_aside(lp_account: Account) -> None:
    """Contract 6: its page is read row by row, the record is set aside with a word, and the rest is not lost."""
    lp_account.environ["LP_PAGE_SIZE"] = "5"
    many(lp_account, 12, minutes=5)
    lp_account.lp.switch(broken_record="1006")
    warnings: list[str] = []
    report = lp_account.read("leads", warnings=warnings)["leads"]
    assert (report.error, report.set_aside) == (None, 1)
    assert len(warnings) == 1
    assert "1006" not in warnings[0]
    assert lp_account.merge().inserted == 11
