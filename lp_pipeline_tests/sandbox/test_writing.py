"""Contract section 5: notes, notes on jobs, call logs, and how they are read back."""

from pathlib import Path
from typing import Any

import pytest

from lp_pipeline.sandbox import Sandbox

from .lp import CALL, JOB_NOTE, LEAD, LP, NOTE, PROSPECT, Clock, prospect

CALLED = {
    "CustID": "1",
    "EmpID": "64",
    "CallDate": "2026-03-02 11:30:00",
    "ResultCode": "LM",
    "CallType": "O",
    "Phone": "5185550123",
}
DONE = "UPDATED SUCCESSFULLY!"


def test_a_note_is_shown_after_those_that_were_there(lp: LP, sandbox: Sandbox) -> None:
    """In both feeds, as the contract shows a note; every call adds another one, and nothing else changes."""
    sandbox.put(prospect("1", Notes=[{"note": "old"}]))
    for text in ("first + 100%\nsecond line 🏡", "first + 100%\nsecond line 🏡"):
        assert lp.write(NOTE, rectype="cst", recid="1", notes=text) == DONE
    for path in (LEAD, PROSPECT):
        old, *new = lp.read(path)[0]["Notes"]
        assert old == {"note": "old"}
        assert [note["note"] for note in new] == ["first + 100%\nsecond line 🏡"] * 2
        assert new[0] == {
            "id": "880001",
            "enteredby": "sandbox",
            "enteredon": "2026-03-02T12:00:00.000",
            "updatedon": "",
            "category": "General",
            "note": "first + 100%\nsecond line 🏡",
        }
        assert new[1]["id"] == "880002"
    assert lp.read()[0]["lastchanged"] == "2026-03-02T09:00:00"
    assert sandbox.notes(1) == ["first + 100%\nsecond line 🏡"] * 2


def test_a_note_on_an_issued_lead_is_shown_there(lp: LP, sandbox: Sandbox) -> None:
    """`recid` is the lead's ils_id, and the category may be chosen."""
    leads = [{"id": 10, "ils_id": "7", "dateentered": "2026-03-02T09:00:00"}, {"id": 11, "ils_id": ""}]
    sandbox.put(prospect("1", leads=leads))
    assert lp.write(NOTE, rectype="ILS", recid="7", notes="x", nct_id="3") == DONE
    record = lp.read()[0]
    assert [(note["note"], note["category"]) for note in record["leads"][0]["notes"]] == [("x", "3")]
    assert "notes" not in record
    assert "notes" not in record["leads"][1]


@pytest.mark.parametrize(
    ("stored", "shown"), [("Called twice", "Called twice\nnew"), ("", "new"), (None, ["new"]), ([], ["new"])]
)
def test_notes_that_are_one_text_stay_one(lp: LP, sandbox: Sandbox, stored: object, shown: object) -> None:
    """A new note goes on its own line; if there were none, an array is created."""
    sandbox.put(prospect("1", notes=stored))
    lp.write(NOTE, rectype="cst", recid="1", notes="new")
    notes = lp.read()[0]["notes"]
    assert (notes if isinstance(notes, str) else [note["note"] for note in notes]) == shown


def test_what_was_not_written_to_stays_verbatim(lp: LP, sandbox: Sandbox) -> None:
    """On the same page as a record that was."""
    sandbox.put(prospect("1"))
    verbatim = '{"cst_id":2,   "leads":[{"dateentered":"2026-03-02T09:00:00"}]}'
    sandbox.put(verbatim)
    lp.write(NOTE, rectype="cst", recid="1", notes="x")
    assert lp.text().endswith(f",{verbatim}]")


def test_a_note_is_found_by_its_own_option_bit_alone(lp: LP, sandbox: Sandbox) -> None:
    """131072, notes updated; the bits that the pipeline asks for do not see it."""
    sandbox.put(prospect("1", "2026-01-01T00:00:00"))
    lp.write(NOTE, rectype="cst", recid="1", notes="x")
    assert lp.ids(options=131072) == ["1"]
    assert lp.ids() == []


def test_a_write_may_move_the_prospects_lastchanged(lp: LP, sandbox: Sandbox) -> None:
    """By switch, for every kind of write."""
    sandbox.switch(write_moves_lastchanged=True)
    writes: list[tuple[str, dict[str, Any]]] = [
        (NOTE, {"rectype": "cst", "recid": "1", "notes": "x"}),
        (NOTE, {"rectype": "job", "recid": "7001", "notes": "x"}),
        (CALL, CALLED),
    ]
    for path, fields in writes:
        sandbox.put(prospect("1", "2026-01-01T00:00:00", leads=[{"id": "2", "jobs": [{"id": 7001}]}]))
        assert lp.ids(PROSPECT) == []
        lp.write(path, **fields)
        assert lp.ids(PROSPECT) == ["1"]


def test_notes_on_jobs_are_kept_where_lp_shows_them_to_nobody(lp: LP, sandbox: Sandbox) -> None:
    """By either of the two actions; only the tests can ask for them."""
    record = prospect("1", leads=[{"id": "2", "jobs": [{"id": 7001}, {"id": "7002"}], "lastchangedon": "2026-03-02"}])
    sandbox.put(record)
    assert lp.write(NOTE, rectype="job", recid="7001", notes="a") == DONE
    assert lp.write(JOB_NOTE, jobid="7001", notes="b") == DONE
    assert lp.write(JOB_NOTE, jobid="7002", notes="c") == DONE
    assert lp.read(PROSPECT) == [record]
    assert sandbox.job_notes(7001) == ["a", "b"]
    assert sandbox.all_job_notes() == [("7001", "a"), ("7001", "b"), ("7002", "c")]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (NOTE, {"rectype": "cst", "recid": "2", "notes": "x"}),
        (NOTE, {"rectype": "ils", "recid": "0", "notes": "x"}),
        (NOTE, {"rectype": "job", "recid": "1", "notes": "x"}),
        (NOTE, {"rectype": "job", "recid": "", "notes": "x"}),
        (NOTE, {"rectype": "lead", "recid": "1", "notes": "x"}),
        (NOTE, {"rectype": "cst", "recid": "1", "notes": " "}),
        (NOTE, {"rectype": "cst", "recid": "1"}),
        (JOB_NOTE, {"jobid": "8", "notes": "x"}),
    ],
)
def test_a_note_that_has_no_place_is_refused(lp: LP, sandbox: Sandbox, path: str, fields: dict[str, str]) -> None:
    """With status 200 and Result 0; nothing is written."""
    sandbox.put(prospect("1"))
    assert lp.write(path, **fields)[0]["Result"] == 0
    assert sandbox.all_notes() == sandbox.all_job_notes() == []


@pytest.mark.parametrize(
    ("dialect", "answer"),
    [
        ("text", "The note could not be added."),
        ("result", [{"Result": 0, "Message": "Error: The note could not be added."}]),
        ("message", {"message": "The note could not be added.", "status": 400, "error": "Bad Request"}),
    ],
)
def test_notes_may_be_refused_in_three_dialects(lp: LP, sandbox: Sandbox, dialect: str, answer: object) -> None:
    """All with status 200, and none writes anything."""
    sandbox.put(prospect("1"))
    sandbox.switch(note_answer=dialect)
    assert lp.write(NOTE, rectype="cst", recid="1", notes="x") == answer
    assert sandbox.notes(1) == []


def test_a_note_may_be_too_long(lp: LP, sandbox: Sandbox) -> None:
    """3500 characters by default, any number by switch."""
    sandbox.put(prospect("1"))
    assert lp.write(NOTE, rectype="cst", recid="1", notes="é" * 3500) == DONE
    assert lp.write(NOTE, rectype="cst", recid="1", notes="x" * 3501)[0]["Result"] == 0
    sandbox.switch(note_length=0)
    assert lp.write(NOTE, rectype="cst", recid="1", notes="x" * 50_000) == DONE
    assert [len(text) for text in sandbox.notes(1)] == [3500, 50_000]


def test_notes_may_be_hidden_from_every_reader(lp: LP, sandbox: Sandbox) -> None:
    """A tenant that shows none, however many there are."""
    sandbox.put(prospect("1", Notes=[], leads=[{"id": "2", "notes": [], "dateentered": "2026-03-02T09:00:00"}]))
    lp.write(NOTE, rectype="cst", recid="1", notes="x")
    sandbox.switch(hide_notes=True)
    record = lp.read()[0]
    assert "notes" not in {name.lower() for name in (*record, *record["leads"][0])}


def test_a_call_log_is_shown_for_a_week(lp: LP, sandbox: Sandbox, clock: Clock) -> None:
    """As the contract shows a call; after a week only the tests still know of it."""
    sandbox.put(prospect("1"))
    extras = {"Duration": "00:01:30", "RecordingURL": "https://example.com/1.mp3"}
    assert lp.write(CALL, **CALLED, **extras) == [{"Result": 1, "Message": "Success"}]
    call = {
        "calldatetime": "2026-03-02T11:30:00",
        "phone": "5185550123",
        "resultcode": "LM",
        "resultdescr": "Left Message",
        "calltype": "O",
        "duration": "00:01:30",
        "recordingurl": "https://example.com/1.mp3",
    }
    assert lp.read()[0]["calls"] == [call]
    lp.write(CALL, **{**CALLED, "CallDate": "2026-02-20 11:30:00"})
    assert lp.read()[0]["calls"] == [call]
    clock.turn(days=6, hours=22)  # of which the night to the 8th takes one
    lp.sign_in()
    assert lp.read()[0]["calls"] == [call]
    clock.turn(hours=1)
    assert "calls" not in lp.read()[0]
    assert [call["calldatetime"][:10] for call in sandbox.call_logs("1")] == ["2026-03-02", "2026-02-20"]
    assert sandbox.all_call_logs()[0] == ("1", call)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CustID": "9"}, "CustID does not exist."),
        ({"EmpID": "65"}, "EmpID does not exist."),
        ({"ResultCode": "lm"}, "ResultCode does not exist."),
        ({"CallType": "X"}, "CallType does not exist."),
        ({"CallDate": ""}, "CallDate is required."),
        ({"CallDate": "03/02/2026"}, "calldate is not a date"),
        ({"Phone": "(518)555-0123"}, "Phone is not valid."),
        ({"Duration": "90"}, "Duration is not valid."),
    ],
)
def test_a_wrong_call_log_is_refused_with_status_200(
    lp: LP, sandbox: Sandbox, wrong: dict[str, str], said: str
) -> None:
    """Result 0 and the reason; nothing is written."""
    sandbox.put(prospect("1"))
    (answer,) = lp.write(CALL, **{**CALLED, **wrong})
    assert answer["Result"] == 0
    assert answer["Message"].startswith(f"Error: {said}")
    assert sandbox.call_logs("1") == []


def test_each_tenant_has_its_own_employees_and_codes(lp: LP, sandbox: Sandbox) -> None:
    """Three switches; a code without words is shown as itself."""
    sandbox.put(prospect("1"))
    sandbox.switch(employee_ids=[7], call_types=["Out"], result_codes=["HATCH"])
    assert lp.write(CALL, **CALLED)[0]["Result"] == 0
    theirs = {**CALLED, "EmpID": "7", "CallType": "Out", "ResultCode": "HATCH"}
    assert lp.write(CALL, **theirs)[0]["Result"] == 1
    assert lp.read()[0]["calls"][0]["resultdescr"] == "HATCH"


@pytest.mark.parametrize("path", [NOTE, JOB_NOTE, CALL])
def test_writing_takes_a_token_and_permission(lp: LP, sandbox: Sandbox, path: str) -> None:
    """401, and nothing is written."""
    sandbox.put(prospect("1"))
    sandbox.switch(permissions=["GetLead"])
    fields = {"rectype": "cst", "recid": "1", "notes": "x", **CALLED}
    assert lp.post(path, **fields).status_code == 401
    lp.headers = {}
    assert lp.post(path, **fields).status_code == 401
    assert sandbox.all_notes() == []
    assert sandbox.all_call_logs() == []


def test_what_was_written_outlives_the_record(lp: LP, sandbox: Sandbox) -> None:
    """Put anew or changed, a prospect keeps its notes; removed, only the tests still know them."""
    sandbox.put(prospect("1"))
    lp.write(NOTE, rectype="cst", recid="1", notes="x")
    sandbox.put(prospect("1", "2026-03-02T10:00:00"))
    sandbox.edit("1")
    assert [note["note"] for note in lp.read()[0]["notes"]] == ["x"]
    sandbox.remove("1")
    assert lp.ids() == []
    assert sandbox.notes("1") == ["x"]


def test_the_worlds_own_people_can_be_written_to(world_lp: LP, world: Sandbox) -> None:
    """Whatever shape their notes have, among them plain texts and nulls."""
    people = [str(300_001 + place) for place in range(50)]
    for cst_id in people:
        assert world_lp.write(NOTE, rectype="cst", recid=cst_id, notes=f"mark {cst_id}") == DONE
    for cst_id in people:
        (record,) = world_lp.read(PROSPECT, cst_id=cst_id, startdate="2000-01-01") or world_lp.read(
            cst_id=cst_id, startdate="2000-01-01"
        )
        notes = record["notes"]
        assert f"mark {cst_id}" in (notes if isinstance(notes, str) else [note["note"] for note in notes])


def test_a_job_of_the_worlds_own_takes_notes(tmp_path: Path, clock: Clock, world: Sandbox, world_lp: LP) -> None:
    """Jobs are known by the records that hold them."""
    people = world_lp.pages(startdate="2000-01-01", PageSize=500)
    leads = [lead for person in people for lead in person["leads"]]
    job = next(job for lead in leads for job in lead["jobs"] or [])
    assert world_lp.write(JOB_NOTE, jobid=job["id"], notes="x") == DONE
    assert world.job_notes(job["id"]) == ["x"]
