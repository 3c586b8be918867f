"""Contract section 4: windows, the stamps they match, and pages."""

import pytest

from lp_pipeline.sandbox import Sandbox

from .lp import FORM, LEAD, LP, MORNING, PROSPECT, Clock, prospect


@pytest.mark.parametrize(
    ("stamp", "inside"),
    [
        ("2026-03-02T09:59:59.9999999", False),
        ("2026-03-02T10:00:00", True),
        ("2026-03-02T10:30:00.5", True),
        ("2026-03-02T11:00:00.0000000", True),
        ("2026-03-02T11:00:00.0000001", False),
        ("1900-01-01T00:00:00", False),
        ("", False),
        (None, False),
        (7, False),
    ],
)
def test_both_ends_of_a_window_are_inclusive_to_the_second(
    lp: LP, sandbox: Sandbox, stamp: object, inside: bool
) -> None:
    """A stamp is compared as it is with the two ends at their full seconds."""
    sandbox.put({"cst_id": "1", "leads": [{"id": "2", "dateentered": stamp}]})
    shown = lp.ids(startdate="2026-03-02 10:00:00", enddate="2026-03-02 11:00:00")
    assert shown == (["1"] if inside else [])


def test_the_last_second_can_be_taken_whole(lp: LP, sandbox: Sandbox) -> None:
    """`end_inclusive_second` is for a tenant that truncates fractions before comparing."""
    sandbox.put(prospect("1", "2026-03-02T12:00:00.9"))
    assert lp.ids() == []
    sandbox.switch(end_inclusive_second=True)
    assert lp.ids() == ["1"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-02 08:00:00", "2026-03-02"),
        ("2026-03-02 12:00:00", "2026-03-02 08:00:00"),
        ("2026-03-03", "2026-03-02"),
    ],
)
def test_an_inverted_window_is_empty_and_no_error(lp: LP, sandbox: Sandbox, start: str, end: str) -> None:
    """200 and [], as if nothing had changed; a bare end date is its midnight."""
    sandbox.put(prospect("1"))
    assert lp.read(startdate=start, enddate=end) == []


def test_bare_dates_are_midnights(lp: LP, sandbox: Sandbox) -> None:
    """From the first midnight to the second one."""
    sandbox.put(prospect("1"))
    sandbox.put(prospect("2", "2026-03-03T00:00:00"))
    sandbox.put(prospect("3", "2026-03-03T00:00:00.1"))
    assert lp.ids(startdate="2026-03-02", enddate="2026-03-03") == ["1", "2"]


@pytest.mark.parametrize(
    "fields",
    [{"startdate": ""}, {"startdate": "2026-03-02+08:00:00"}, {"enddate": "03/02/2026"}, {"startdate": "2026-02-30"}],
)
def test_what_is_no_date_is_refused_in_words(lp: LP, fields: dict[str, str]) -> None:
    """LP's error format: 200, Result 0 and a message."""
    assert lp.read(**fields)[0]["Result"] == 0


def test_each_option_bit_tests_its_own_date(lp: LP, sandbox: Sandbox) -> None:
    """A lead is found by the bits of the dates that lie in the window, and by no others; 0 is lead entered only."""
    stamp, bits = "2026-03-02T09:00:00.5", {"1024": 1024, "2048": 2048, "4096": 4096, "8192": 8192}
    bits |= {"16384": 16384, "32768": 32768, "131072": 131072}
    leads = {
        "1024": {"dateentered": stamp},
        "2048": {"lastchangedon": stamp},
        "4096": {"entrydate": "2026-03-02T00:00:00"},
        "8192": {"appointments": [{"lastchangedon": stamp}]},
        "32768": {"jobs": [{"lastchanged": stamp}]},
        "131072": {"notes": [{"enteredon": stamp}]},
        "16384": {},
    }
    for cst_id, lead in leads.items():
        sandbox.put({"cst_id": cst_id, "leads": [lead]})
    sandbox.edit("16384", stamp=False, hidden=16384)
    for cst_id, bit in bits.items():
        assert lp.ids(options=bit) == [cst_id]
    assert lp.ids(options=0) == ["1024"]
    assert lp.ids(options=1) == ["1024"]
    assert lp.ids(options=65536) == []
    assert lp.ids(options=60416) == ["1024", "2048", "8192", "16384", "32768"]


def test_stamps_are_found_under_keys_of_any_case(lp: LP, sandbox: Sandbox) -> None:
    """Key casing doesn't matter."""
    sandbox.put({"CstID": 5, "LEADS": [{"ID": 50, "LastChangedOn": "2026-03-02T09:00:00"}]})
    assert lp.read() == [{"CstID": 5, "LEADS": [{"ID": 50, "LastChangedOn": "2026-03-02T09:00:00"}]}]
    assert lp.read(lds_id=50, cst_id=5)
    assert sandbox.get(5)["CstID"] == 5


def test_the_prospect_feed_tests_the_prospects_own_dates(lp: LP, sandbox: Sandbox) -> None:
    """Matches lastchanged and dateadded, whatever the options; a lead's change is not a prospect's change."""
    sandbox.put({"cst_id": "1", "lastchanged": "2026-03-02T09:00:00"})
    sandbox.put({"cst_id": "2", "dateadded": "2026-03-02T09:00:00"})
    sandbox.put({"cst_id": "3", "leads": [{"dateentered": "2026-03-02T09:00:00"}]})
    assert lp.ids(PROSPECT) == ["1", "2"]
    assert lp.ids(LEAD) == ["3"]


def test_the_prospect_feed_may_come_without_leads(lp: LP, sandbox: Sandbox) -> None:
    """By switch, only in that feed."""
    sandbox.put(prospect("1"))
    assert lp.read(PROSPECT)[0]["leads"]
    sandbox.switch(prospect_feed_leads=False)
    assert "leads" not in lp.read(PROSPECT)[0]
    assert lp.read(LEAD)[0]["leads"]


def test_ids_narrow_a_window_and_zero_means_any(lp: LP, sandbox: Sandbox) -> None:
    """A lead's id finds every prospect that has it, each with all its leads."""
    shared = {"id": 77, "ils_id": "9", "dateentered": "2026-03-02T09:00:00"}
    sandbox.put(prospect("1"))
    sandbox.put(prospect("2", leads=[shared, {"id": "78"}]))
    sandbox.put(prospect("3", leads=[shared]))
    assert lp.ids(cst_id=0, lds_id=0, ils_id=0) == ["1", "2", "3"]
    assert lp.ids(cst_id=2) == ["2"]
    assert lp.ids(lds_id=77) == ["2", "3"]
    assert len(lp.read(lds_id=78)[0]["leads"]) == 2
    assert lp.ids(ils_id=9) == ["2", "3"]
    assert lp.ids(cst_id=2, startdate="2026-03-02 11:00:00") == []


def test_an_id_with_a_narrow_window_can_return_somebody_else(lp: LP, sandbox: Sandbox) -> None:
    """As observed with one tenant; a wide window is safe."""
    sandbox.put(prospect("1"))
    sandbox.put(prospect("2"))
    sandbox.switch(narrow_window_ignores_ids=True)
    assert lp.ids(cst_id=2) == ["1", "2"]
    assert lp.ids(cst_id=2, startdate="2000-01-01") == ["2"]


def test_field_names_may_have_any_case_and_unknown_ones_are_ignored(lp: LP, sandbox: Sandbox) -> None:
    """No error, and the right page."""
    for number in (1, 2, 3):
        sandbox.put(prospect(number))
    fields = {"STARTDATE": MORNING["startdate"], "EndDate": MORNING["enddate"], "pagesize": 2, "startindex": 2}
    answer = lp.post(LEAD, **fields, nonsense="x")
    assert [record["cst_id"] for record in answer.json()] == [3]


def test_pages_are_counted_as_pages_or_as_rows(lp: LP, sandbox: Sandbox) -> None:
    """StartIndex begins at 1; a short page is the last."""
    for number in (10, 9, 100, 2, 30):
        sandbox.put(prospect(str(number)))
    assert [lp.ids(PageSize=2, StartIndex=page) for page in (1, 2, 3, 4)] == [["2", "9"], ["10", "30"], ["100"], []]
    sandbox.switch(paging="row")
    assert [lp.ids(PageSize=2, StartIndex=row) for row in (1, 2, 5)] == [["2", "9"], ["9", "10"], ["100"]]


def test_start_index_may_be_ignored(lp: LP, sandbox: Sandbox) -> None:
    """Then every page is the first one."""
    for number in (1, 2, 3):
        sandbox.put(prospect(str(number)))
    sandbox.switch(paging="nothing")
    assert [lp.ids(PageSize=2, StartIndex=page) for page in (1, 2, 3)] == [["1", "2"]] * 3


def test_a_page_after_a_full_one_may_be_empty_at_first(lp: LP, sandbox: Sandbox) -> None:
    """The second request returns it; the first page is never empty."""
    for number in (1, 2, 3):
        sandbox.put(prospect(str(number)))
    sandbox.switch(empty_page_first=True)
    assert [lp.ids(PageSize=2, StartIndex=page) for page in (1, 2, 2, 3)] == [["1", "2"], [], ["3"], []]


def test_a_page_may_be_capped(lp: LP, sandbox: Sandbox) -> None:
    """A larger PageSize is silently capped."""
    for number in range(5):
        sandbox.put(prospect(str(number + 1)))
    sandbox.switch(max_page_size=3)
    assert [lp.ids(StartIndex=page) for page in (1, 2)] == [["1", "2", "3"], ["4", "5"]]


def test_rows_may_be_ordered_by_their_last_change(lp: LP, sandbox: Sandbox) -> None:
    """Latest first, so that rows move while pages are read."""
    sandbox.put(prospect("1", "2026-03-02T08:00:00"))
    sandbox.put(prospect("2", "2026-03-02T09:00:00"))
    sandbox.switch(order="lastchanged_desc")
    assert lp.ids() == ["2", "1"]


def test_a_record_can_move_between_two_pages(lp: LP, sandbox: Sandbox) -> None:
    """`before_request` may change the world just before a call is answered: here it hides one record from a reader."""
    for number in range(1, 5):
        sandbox.put(prospect(str(number), f"2026-03-02T0{number}:00:00"))
    sandbox.switch(order="lastchanged_desc")

    def meddle(path: str, fields: dict[str, str]) -> None:
        assert path == LEAD
        if fields["StartIndex"] == "2":
            sandbox.edit("1")

    sandbox.before_request = meddle
    assert lp.ids(PageSize=2, StartIndex=1) == ["4", "3"]
    assert lp.ids(PageSize=2, StartIndex=2) == ["3", "2"]


def test_unknown_actions_are_404_and_json_bodies_400(lp: LP) -> None:
    """As is anything that is not a form."""
    assert lp.post("/api/Customers/GetEverything").status_code == 404
    assert lp.http.post(LEAD, json=MORNING, headers=lp.headers).status_code == 400
    assert lp.http.post("/token", json={}).status_code == 400
    assert lp.http.get(LEAD, headers=lp.headers).status_code == 405
    assert lp.http.put(LEAD, data=MORNING, headers=lp.headers).status_code == 405
    assert lp.http.post("/token", content=b"", headers={"Content-Type": FORM}).status_code == 400


def test_edits_show_at_once_under_lp_wall_clock(lp: LP, sandbox: Sandbox, clock: Clock) -> None:
    """A stamp is the zone's wall time with fraction digits; without one nobody sees the edit."""
    sandbox.put(prospect("1", "2026-01-01T00:00:00", LastChanged="x"))
    sandbox.edit("1", lambda record: record.update(city="Troy"), stamp=False)
    assert lp.ids() == []
    sandbox.edit("1", lead="10")
    assert lp.read()[0]["leads"][0]["lastchangedon"] == "2026-03-02T12:00:00.000"
    assert lp.ids(PROSPECT) == []
    clock.turn(hours=-2, microseconds=250_000)
    sandbox.edit(1)
    assert lp.read(PROSPECT)[0]["lastchanged"] == "2026-03-02T10:00:00.250"
    assert sandbox.get(1)["city"] == "Troy"


def test_a_change_that_lp_does_not_show_is_found_all_the_same(lp: LP, sandbox: Sandbox) -> None:
    """Jobs carry no stamp, but the job bit finds them, also after later edits; a new record forgets it."""
    sandbox.put(prospect("1", "2026-01-01T00:00:00"))
    sandbox.edit("1", lambda record: record.update(city="Troy"), stamp=False, hidden=32768)
    sandbox.edit("1", stamp=False)
    assert lp.ids() == ["1"]
    sandbox.put(prospect("1", "2026-01-01T00:00:00"))
    assert lp.ids() == []


def test_who_is_removed_is_gone(lp: LP, sandbox: Sandbox) -> None:
    """From every window, and for `get` and `edit`."""
    sandbox.put(prospect("1"))
    sandbox.remove("1")
    assert lp.ids() == []
    for call in (sandbox.get, sandbox.edit):
        with pytest.raises(KeyError, match="no prospect 1"):
            call("1")
