"""The contract's oddities that no other test meets at a server: pages that mislead, values as text, silent edits."""

import pytest

from lp_pipeline.sandbox.world.stamps import Record
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.runs.past import person, sweep_up
from lp_pipeline_tests.scenario import NOON, lead, only, prospect

JOB = 32768  # the option bit of jobs
CALL = {"calldatetime": "2026-03-02T10:00:00", "phone": "5185550123", "resultcode": "NA", "calltype": "O"}


def fill(account: Account, count: int) -> None:
    for number in range(count):
        account.lp.put(person(account, str(100 + number)))


def test_a_leadperfection_that_ignores_start_index_fails_its_feed_and_moves_nothing(lp_account: Account) -> None:
    """W4: no feed is cut short in silence; once it pages again, the same window is read."""
    lp_account.environ["LP_PAGE_SIZE"] = "5"
    lp_account.lp.switch(paging="nothing")
    fill(lp_account, 12)
    assert "ignores StartIndex" in str(lp_account.read("leads")["leads"].error)
    lp_account.lp.switch(paging="page")
    lp_account.later()
    assert lp_account.read("leads")["leads"].window_from == NOON.replace(hour=16, minute=40)
    assert lp_account.merge().inserted == 12


@pytest.mark.parametrize("paging", ["page", "row"])
def test_a_page_that_is_empty_at_first_hides_nothing(lp_account: Account, paging: str) -> None:
    """W4: an empty page straight after a full one is asked for once more before it is believed."""
    lp_account.environ["LP_PAGE_SIZE"] = "5"
    lp_account.lp.switch(empty_page_first=True, paging=paging)
    fill(lp_account, 17)
    lp_account.read("leads")
    assert lp_account.merge().inserted == 17


def test_booleans_and_money_are_kept_as_received_and_typed_for_people(lp_account: Account) -> None:
    """W7, Q2: "true", "false" and "0.00" stay text in `raw`; the views make a boolean and a number of them."""
    stamps = {"lastchangedon": lp_account.wall(minutes=1)}
    for number, (sold, amount) in enumerate((("true", "18250.00"), ("false", "0.00"), ("", ""))):
        own = lead(f"{number}0", sold=sold, GrossSaleAmount=amount, **stamps)
        lp_account.lp.put(prospect(str(number), own, lastchanged=lp_account.wall(minutes=1)))
    lp_account.sync()
    lp_account.publish()
    raw = "select record ->> '$.sold', record ->> '$.GrossSaleAmount' from raw.leads where feed = 'leads' order by 1, 2"
    assert lp_account.published(raw) == [("", ""), ("false", "0.00"), ("true", "18250.00")]
    views = "select sold, gross_sale_amount::varchar from leads order by external_id"
    assert lp_account.published(views) == [(True, "18250.00"), (False, "0.00"), (None, None)]


def test_a_call_result_alone_arrives_by_the_sweep(lp_account: Account) -> None:
    """F4, S1: LeadPerfection announces it to no sync; a later sweep brings it in, and nothing else has changed."""
    lp_account.environ["LP_PIECE_HOURS"] = "8000"
    for cst_id in ("1", "2"):
        lp_account.lp.put(person(lp_account, cst_id))
        lp_account.sync()
        lp_account.later(hours=1)
    lp_account.lp.edit("1", lambda record: record.update(calls=[CALL]), stamp=False)
    assert lp_account.sync().new_calls == 0
    report = sweep_up(lp_account)
    assert (report.merged.new_calls, report.merged.updated) == (1, 0)
    assert only(lp_account.ask("select result_code from calls")) == "NA"


def test_a_job_that_changes_arrives_although_it_shows_no_stamp(lp_account: Account) -> None:
    """F1, F2: LeadPerfection knows that a job changed, and shows it under its lead without a stamp."""
    lp_account.lp.put(person(lp_account, "1"))
    lp_account.sync()
    lp_account.later(hours=1)

    def sign(record: Record) -> None:
        record["leads"][0]["jobs"] = [{"id": "7001", "contractdate": "2026-03-02T00:00:00", "jobstatus": "New"}]

    lp_account.lp.edit("1", sign, stamp=False, hidden=JOB)
    assert lp_account.sync().updated == 1
