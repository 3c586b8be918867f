"""SPEC W5: answers that are no page of prospects move no watermark, hide no record and hold up nothing else."""

import json
from datetime import timedelta
from typing import Any

import pytest

from lp_pipeline.errors import LeadPerfectionError
from lp_pipeline_tests.account import Account, failures
from lp_pipeline_tests.runs.past import DAYS, day, fill_back, person, sweep_up
from lp_pipeline_tests.scenario import NOON, only, prospect

HIDDEN = prospect("90211", firstname="Secretname")
NO_PAGES: list[Any] = [
    {"data": [HIDDEN], "total": 1},
    {"success": True, "result": {"prospects": [HIDDEN]}},
    [{"Result": -1, "Message": "Secretname"}],
    {"success": False},
    {"statusCode": 400, "detail": "Secretname"},
    ["Error: no"],
    [[HIDDEN]],
    [{"prospect": HIDDEN}],
    "Secretname",
    [None],
    [None, 3, "Secretname"],
    17,
    False,
    {},
]
HALF: list[Any] = [{"Result": -1, "Message": "Secretname"}, {"success": False}, "Error: no", [HIDDEN], None, 3, {}]


def some_slow(values: list[Any], everyday: int = 3) -> list[Any]:
    """All but the first few are slow tests: whole syncs that differ in the answer alone."""
    return [*values[:everyday], *(pytest.param(each, marks=pytest.mark.slow) for each in values[everyday:])]


def answer(account: Account, value: Any, path: str = "GetLead", **more: int) -> None:
    account.lp.fault("answer", path=path, body=json.dumps(value), **more)


def watermark(account: Account, feed: str = "leads") -> Any:
    return only(account.ask(f"select watermark from pipeline.watermarks where feed = '{feed}'"))


@pytest.mark.parametrize("value", some_slow(NO_PAGES, 1))
def test_a_record_behind_an_answer_that_is_no_page_arrives_later(lp_account: Account, value: Any) -> None:
    """W5: the feed fails and its watermark stays, sync after sync; with an ordinary answer the record is there."""
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    lp_account.lp.put(person(lp_account, "0"))
    lp_account.sync()
    lp_account.later()
    lp_account.lp.put(person(lp_account, "1"))
    answer(lp_account, value, times=2)
    for _ in range(2):
        report = lp_account.read("leads")["leads"]
        assert report.outcomes == ["failed"]
        assert "GetLead" in str(report.error)
        assert "Secretname" not in str(report.error)
        assert watermark(lp_account) == NOON
        lp_account.later(minutes=30)
    assert lp_account.sync().inserted == 1
    assert watermark(lp_account) == lp_account.now


@pytest.mark.slow
@pytest.mark.parametrize("feed", ["leads", "prospects"])
def test_the_other_feed_is_merged_and_published(lp_account: Account, feed: str) -> None:
    """W5, W8, R4: the run fails with a message that says what kind of thing came; what the other feed read is there."""
    lp_account.lp.put(person(lp_account, "1"))
    answer(lp_account, {"data": [HIDDEN], "total": 1}, path="GetLead" if feed == "leads" else "GetProspectData")
    result = lp_account.run()
    assert not result.success
    (message,) = failures(result)
    assert "an object around something else" in message
    assert "Secretname" not in " ".join([message, *(event.message or "" for event in result.all_events)])
    assert lp_account.published("select external_contact_id from opportunities") == [("1",)]
    assert "Secretname" not in str(lp_account.published("from sync_runs"))
    lp_account.later()
    assert lp_account.run().success
    assert watermark(lp_account, feed) == lp_account.now


@pytest.mark.parametrize("value", some_slow(HALF, 1))
def test_elements_that_are_no_records_cost_no_other_record(lp_account: Account, value: Any) -> None:
    """W5, J7: the records beside them are merged at once, what they hide arrives with the next ordinary answer; they
    stand in rejected_records."""
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    lp_account.lp.put(person(lp_account, "0"))
    lp_account.sync()
    lp_account.later()
    beside = person(lp_account, "1")
    lp_account.lp.put(beside)
    lp_account.lp.put(person(lp_account, "2"))
    answer(lp_account, [beside, value])
    warnings: list[str] = []
    report = lp_account.read("leads", warnings=warnings)["leads"]
    assert (report.error, report.outcomes, watermark(lp_account)) == (None, ["read"], NOON)
    assert "1 of 2 elements were not prospects" in warnings[0]
    assert "Secretname" not in warnings[0]
    assert "1 of 2 elements" in lp_account.ask("select error from sync_runs order by rowid desc limit 1")[0][0]
    merged = lp_account.merge()
    assert (merged.inserted, merged.rejected) == (1, 1)
    lp_account.later(minutes=45)
    assert lp_account.sync().inserted == 1
    assert watermark(lp_account) == lp_account.now
    assert lp_account.ask("select external_contact_id, attempts from rejected_records") == [(None, 1)]


def test_after_a_day_an_element_that_is_no_record_holds_the_feed_no_longer(lp_account: Account) -> None:
    """W5: as with an empty window, the watermark waits for 24 hours at most; nothing is asked for without end."""
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    lp_account.lp.put(person(lp_account, "0"))
    lp_account.sync()
    for hours, moved in ((23, False), (1, True)):
        lp_account.later(hours=hours)
        answer(lp_account, [person(lp_account, "1"), None], times=1)
        lp_account.environ["LP_PIECE_HOURS"] = "100"
        lp_account.sync()
        assert watermark(lp_account) == (lp_account.now if moved else NOON)
    assert lp_account.now - NOON == timedelta(hours=24)


def test_a_prospect_without_an_id_moves_the_watermark(lp_account: Account) -> None:
    """J7: it is stored as received and rejected, so nothing is lost; with an id it passes."""
    lp_account.environ["LP_PROSPECT_ACTION"] = "off"
    nameless = {name: value for name, value in person(lp_account, "2").items() if name != "cst_id"}
    answer(lp_account, [person(lp_account, "1"), nameless])
    merged = lp_account.sync()
    assert (merged.inserted, merged.rejected) == (1, 1)
    assert watermark(lp_account) == lp_account.now


def test_forty_errors_beside_forty_records_hold_up_none_of_them(lp_account: Account) -> None:
    """W5, J7: a page half of which is no record is merged by the sync job like any other, with its rejections."""
    page = [[person(lp_account, str(number)), {"Result": -1, "Message": f"Error {number}"}] for number in range(40)]
    answer(lp_account, [element for pair in page for element in pair])
    assert lp_account.run().success
    assert only(lp_account.published("select count(*) from opportunities")) == 40
    assert only(lp_account.published("select count(*) from rejected_records")) == 40


@pytest.mark.parametrize("key", ["CST_ID", "Cst_Id", "CstID", "cstid"])
def test_an_id_is_one_whatever_the_case_of_its_key(lp_account: Account, key: str) -> None:
    """J4: keys are found whatever their case."""
    record = person(lp_account, "1")
    answer(lp_account, [{key: record.pop("cst_id"), **record}])
    assert lp_account.sync().inserted == 1
    assert watermark(lp_account) == lp_account.now


@pytest.mark.parametrize("value", some_slow(NO_PAGES[:2], 1))
def test_a_backfill_does_not_go_past_what_is_no_page(lp_account: Account, value: Any) -> None:
    """W2, W5: it stops with the error, and resumes at that very piece."""
    for number in (26, 27, 28):
        lp_account.lp.put(person(lp_account, str(number), day(number)))
    answer(lp_account, value, after=2)
    with pytest.raises(LeadPerfectionError, match="start the backfill again"):
        fill_back(lp_account, *DAYS)
    fill_back(lp_account, *DAYS)
    assert lp_account.ask("select count(*) from opportunities") == [(3,)]


@pytest.mark.slow
def test_a_sweep_leaves_out_a_rejected_record_that_is_answered_with_an_error(lp_account: Account) -> None:
    """S1, J7: one record never stops the others, nor what else the sweep reads."""
    for cst_id in ("1", "2"):
        lp_account.lp.put(person(lp_account, cst_id, lastname=...))
    assert lp_account.sync().rejected == 2
    for cst_id in ("1", "2"):
        lp_account.lp.edit(cst_id, lambda record: record.update(lastname="Field"), stamp=False)
    answer(lp_account, [{"Result": -1, "Message": "Error: deleted"}])
    report = sweep_up(lp_account)
    assert any("is answered with an error" in note for note in report.notes)
    assert report.merged.inserted == 2
