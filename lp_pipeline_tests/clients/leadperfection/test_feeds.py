"""Reading a feed through a window: pages, caps, lies, shifts, and records that always time out."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lp_pipeline.clients.leadperfection.feeds import Feed, WindowReading, feeds, read_window
from lp_pipeline.clients.leadperfection.windows import as_sent
from lp_pipeline.errors import LeadPerfectionError, SlowQuery

from .fakes import HOUR, NOON, FakeLeadPerfection, prospect, response, settings

STAMP = "2026-03-02T12:00:00.5"  # New York, at NOON


def read(
    lp: FakeLeadPerfection, trust: bool = True, size: int = 5, patient: bool = False, **more: str
) -> WindowReading:
    given = settings(LP_PAGE_SIZE=str(size), **more)
    with lp.client(given) as client:
        return read_window(client, feeds(given)[0], HOUR, given, trust_short_page=trust, patient=patient)


def rows(number: int) -> list[dict[str, Any]]:
    return [prospect(each) for each in range(1, number + 1)]


def ids(number: int) -> frozenset[str]:
    return frozenset(str(each) for each in range(1, number + 1))


# What is asked for, what comes back


def test_the_two_feeds_are_what_the_settings_say() -> None:
    """W1: two feeds; the prospect feed's action and options are settings, and it can be switched off."""
    assert feeds(settings()) == (
        Feed("leads", "Customers/GetLead", 60416),
        Feed("prospects", "Customers/GetProspectData", 0),
    )
    assert feeds(settings(LP_PROSPECT_ACTION="off", LP_LEAD_OPTIONS="1"))[1] is None


def test_a_page_is_asked_for_as_the_contract_says() -> None:
    """Contract 4: the fields of GetLead; no filter is 0; both ends of the window with a time."""
    lp = FakeLeadPerfection(rows(1))
    read(lp, size=50)
    (request,) = lp.requests
    assert request.path == "/api/Customers/GetLead"
    assert request.fields == {
        **as_sent(HOUR, settings().zone).fields(),
        "cst_id": "0",
        "lds_id": "0",
        "ils_id": "0",
        "PageSize": "50",
        "StartIndex": "1",
        "options": "60416",
    }


def test_a_reading_is_one_record_as_one_page_showed_it() -> None:
    """W7: as received, in reading order: page and place."""
    result = read(FakeLeadPerfection(rows(7)))
    assert [(each.page, each.place) for each in result.readings] == [(1, n) for n in range(1, 6)] + [(2, 1), (2, 2)]
    assert [json.loads(each.record) for each in result.readings] == rows(7)
    assert [each.cst_id for each in result.readings] == [str(n) for n in range(1, 8)]
    assert {each.read_at for each in result.readings} == {NOON}
    assert result.ids == ids(7)
    assert (result.pages, result.several, result.full_page, result.shifted) == (2, True, True, False)


def test_progress_is_told_after_every_page() -> None:
    """W2: shows its progress."""
    heard: list[int] = []
    given = settings(LP_PAGE_SIZE="2")
    with FakeLeadPerfection(rows(5)).client(given) as client:
        read_window(client, feeds(given)[0], HOUR, given, trust_short_page=True, on_page=heard.append)
    assert heard == [2, 4, 5]


def test_an_empty_window_is_one_request() -> None:
    """W5: whether to ask again is for the caller to decide."""
    lp = FakeLeadPerfection()
    result = read(lp, trust=False)
    assert (len(lp.requests), result.readings, result.several) == (1, [], False)


def test_elements_that_are_no_records_are_read_too() -> None:
    """J7: one bad record never stops the others."""
    lp = FakeLeadPerfection(replies=[response([None, 3, {"CstID": 7}, {"cst_id": "8", "leads": "none"}])])
    window = read(lp)
    assert [each.cst_id for each in window.readings] == [None, None, "7", "8"]
    assert window.no_records == ["null", "a number"]


def test_a_prospect_that_lacks_its_id_is_a_record_even_alone_on_the_last_page() -> None:
    """J7: it will be rejected; nothing else is hidden behind it."""
    lp = FakeLeadPerfection(replies=[response([prospect(1), prospect(2)]), response([{"firstname": "Ann"}])])
    window = read(lp, size=2)
    assert [each.cst_id for each in window.readings] == ["1", "2", None]
    assert window.no_records == []


# The end of a feed


@given(number=st.integers(0, 40), size=st.integers(1, 9), counts=st.sampled_from(["page", "row"]))
def test_a_feed_is_read_to_its_end_whatever_start_index_counts(number: int, size: int, counts: str) -> None:
    """W4: pages are read until the feed is at its end; StartIndex is detected."""
    lp = FakeLeadPerfection(rows(number), counts=counts)
    assert read(lp, size=size).ids == ids(number)
    assert read(lp, size=size, LP_PAGING=counts).ids == ids(number)


@given(number=st.integers(0, 40), cap=st.integers(1, 9), counts=st.sampled_from(["page", "row"]))
def test_a_capped_page_size_loses_nothing_until_a_full_page_was_seen(number: int, cap: int, counts: str) -> None:
    """W4: until this LP has once given a full page of this size, a short first page is followed by one more request."""
    result = read(FakeLeadPerfection(rows(number), counts=counts, cap=cap), trust=False, size=10)
    assert result.ids == ids(number)
    assert not result.full_page


def test_a_short_first_page_ends_the_feed_once_full_ones_were_seen() -> None:
    """Contract 4: a page shorter than PageSize is the last."""
    lp = FakeLeadPerfection(rows(3))
    assert read(lp, trust=True).pages == 1
    lp = FakeLeadPerfection(rows(3))
    result = read(lp, trust=False)
    assert (lp.start_indexes, result.several, result.full_page) == ([1, 2], False, False)


def test_an_empty_page_after_a_full_one_is_asked_for_once_more() -> None:
    """Contract 4: under load LP may answer an empty 200 where rows exist."""
    lp = FakeLeadPerfection(rows(12))
    lp.empty_answers = {2}
    assert read(lp).ids == ids(12)
    assert lp.start_indexes == [1, 2, 2, 3]
    lp = FakeLeadPerfection(rows(5))
    assert read(lp).several
    assert lp.start_indexes == [1, 2, 2]


def test_what_start_index_counts_is_found_out_once() -> None:
    """Contract 4: measured as a page number, treated as a row offset by others: detect it."""
    given = settings(LP_PAGE_SIZE="5")
    for counts, first, again in (("page", [1, 2, 3, 4], [1, 2, 3, 4]), ("row", [1, 2, 6, 11, 16], [1, 6, 11, 16])):
        lp = FakeLeadPerfection(rows(17), counts=counts)
        with lp.client(given) as client:
            for expected in (first, again):
                lp.requests.clear()
                result = read_window(client, feeds(given)[0], HOUR, given, trust_short_page=True)
                assert result.ids == ids(17)
                assert lp.start_indexes == expected
                assert client.start_index_counts == {"Customers/GetLead": counts}


def test_a_leadperfection_that_ignores_start_index_is_an_error() -> None:
    """W4: not an endless reading, and not a feed cut short in silence."""
    for trust, number in ((True, 5), (False, 3)):
        lp = FakeLeadPerfection(rows(number), counts="nothing")
        with pytest.raises(LeadPerfectionError, match="ignores StartIndex"):
            read(lp, trust=trust)
        assert len(lp.requests) == 3


# Shifting pages


def stamped(where: str, stamp: str) -> dict[str, Any]:
    lead = {"id": "1"}
    places: dict[str, dict[str, Any]] = {
        "prospect.lastchanged": {"LastChanged": stamp},
        "prospect.dateadded": {"dateadded": stamp},
        "lead.dateentered": {"leads": [{**lead, "DateEntered": stamp}]},
        "lead.lastchangedon": {"Leads": [None, {**lead, "lastchangedon": stamp}]},
        "appointment.lastchangedon": {"leads": [{**lead, "Appointments": [{"lastchangedon": stamp}]}]},
        "job.lastchanged": {"leads": [{**lead, "jobs": [{"lastchanged": stamp}]}]},
        "job.lastchangedon": {"leads": [{**lead, "jobs": [{"lastChangedOn": stamp}]}]},
    }
    return {"cst_id": "6", **places[where]}


@pytest.mark.parametrize(
    "where",
    [
        "prospect.lastchanged",
        "prospect.dateadded",
        "lead.dateentered",
        "lead.lastchangedon",
        "appointment.lastchangedon",
        "job.lastchanged",
        "job.lastchangedon",
    ],
)
def test_a_change_stamped_after_the_reading_began_means_that_rows_may_have_shifted(where: str) -> None:
    """W4: any of the record's change stamps, by LP's clock."""
    assert read(FakeLeadPerfection([*rows(5), stamped(where, STAMP)])).shifted
    assert not read(FakeLeadPerfection([*rows(5), stamped(where, "2026-03-02T11:59:00")])).shifted
    assert not read(FakeLeadPerfection([stamped(where, STAMP)])).shifted  # one page can't shift


def test_leadperfections_clock_decides_and_ours_only_where_it_shows_none() -> None:
    """W4: by LP's clock, as the Date of its answers shows it."""
    fast = NOON + timedelta(minutes=7)
    for date, stamp, shifted in [
        (fast, "2026-03-02T12:07:01", True),
        (fast, STAMP, False),
        (None, STAMP, True),
        (None, "2026-03-02T12:07:01", False),
    ]:
        lp = FakeLeadPerfection([*rows(5), prospect(6, lastchanged=stamp)], date=date)
        assert read(lp).shifted is shifted


@pytest.mark.parametrize(
    ("stamp", "shifted"),
    [
        ("2026-03-02T12:00:00", True),
        ("2026-03-02 12:00:00", True),
        ("2026-03-02T12:00:00.1234567", True),
        ("2026-03-02T17:00:00Z", True),
        ("2026-03-02T12:00:00-05:00", True),
        ("2026-03-02T11:59:58.9", False),
        ("2026-03-02T12:00:02.1", False),
        ("2026-03-02", False),
        ("03/02/2026 12:00:00", False),
        ("2026-03-02T25:00:00", False),
        ("", False),
        (17, False),
        (None, False),
    ],
)
def test_stamps_are_read_in_the_contracts_forms_alone(stamp: object, shifted: bool) -> None:
    """Contract 3: ISO, T or blank, 0 to 7 fraction digits; what is none is no stamp, and no crash."""
    assert read(FakeLeadPerfection([*rows(5), prospect(6, lastchanged=stamp)])).shifted is shifted


def test_a_stamp_in_the_hour_that_comes_twice_counts_in_either() -> None:
    """W4 in the hour that a clock change repeats: better once too often than a row missed."""
    for instant in ("2026-11-01T05:30:00+00:00", "2026-11-01T06:30:00+00:00"):
        lp = FakeLeadPerfection([*rows(5), prospect(6, lastchanged="2026-11-01T01:30:00")])
        lp.date = datetime.fromisoformat(instant)
        assert read(lp).shifted


# Records that always time out


def slow_at(lp: FakeLeadPerfection, *bad: int) -> FakeLeadPerfection:
    """Any page that holds one of these rows times out."""
    lp.slow = frozenset(map(str, bad))
    return lp


def test_a_page_that_times_out_raises_unless_told_to_be_patient() -> None:
    """Contract 6: the caller halves the window first."""
    with pytest.raises(SlowQuery):
        read(slow_at(FakeLeadPerfection(rows(12)), 8))


@given(
    number=st.integers(1, 30),
    size=st.integers(1, 7),
    counts=st.sampled_from(["page", "row"]),
    set_by_user=st.booleans(),
    cap=st.integers(1, 8) | st.none(),
    bad=st.sets(st.integers(1, 30), max_size=3),
)
@example(number=10, size=2, counts="page", set_by_user=False, cap=None, bad={6})
@example(number=6, size=2, counts="row", set_by_user=False, cap=None, bad={5})
@example(number=3, size=2, counts="page", set_by_user=False, cap=1, bad={1})
@example(number=12, size=7, counts="page", set_by_user=False, cap=2, bad={1})
def test_a_record_that_always_times_out_is_set_aside_and_all_others_are_read(
    number: int, size: int, counts: str, set_by_user: bool, cap: int | None, bad: set[int]
) -> None:
    """Contract 6: set that record aside with its reason, carry on with the rest."""
    lp = slow_at(FakeLeadPerfection(rows(number), counts=counts, cap=cap or size), *bad)
    paging = {"LP_PAGING": counts} if set_by_user else {}
    result = read(lp, trust=cap is None, size=size, patient=True, **paging)
    there = {each for each in bad if each <= number}
    assert result.ids == ids(number) - {str(each) for each in there}
    assert sorted(result.set_aside) == sorted(there)


def test_more_than_three_rows_in_a_row_are_not_the_rows_fault() -> None:
    """Contract 6: then LeadPerfection is down."""
    with pytest.raises(SlowQuery):
        read(slow_at(FakeLeadPerfection(rows(12)), 6, 7, 8, 9), patient=True)
    assert read(slow_at(FakeLeadPerfection(rows(12)), 6, 7, 8, 10), patient=True).set_aside == [6, 7, 8, 10]


def test_a_single_row_is_tried_twice() -> None:
    """Contract 6: a record that always times out must not use up the run."""
    lp = slow_at(FakeLeadPerfection(rows(3)), 2)
    read(lp, size=3, patient=True)
    assert [each.fields["PageSize"] for each in lp.requests][:3] == ["3"] * 3
    assert [each.fields["StartIndex"] for each in lp.requests if each.fields["PageSize"] == "1"] == ["1", "2", "2", "3"]


def test_an_empty_answer_for_a_single_row_is_asked_for_once_more() -> None:
    """Contract 4: an empty page straight after a full one, even of one row."""
    lp = slow_at(FakeLeadPerfection(rows(6)), 5)
    lp.empty_answers = {8}  # row 6, after page 1, page 2 three times, row 4, row 5 twice
    assert read(lp, size=3, patient=True).ids == ids(6) - {"5"}
    assert [each.fields["StartIndex"] for each in lp.requests][4:9] == ["4", "5", "5", "6", "6"]
