"""Pushes whose outcome is unknown: nothing is lost, nothing is doubled (SPEC C7)."""

import sqlite3
from contextlib import closing

import pytest

from lp_pipeline_tests.communications.talk import ALL, Talk
from lp_pipeline_tests.scenario import lead, prospect

NOTES, CALLS, READ = "AddNotes", "AddCallHistory", "GetLead"


def test_sending_is_on_disk_before_the_request_leaves(talk: Talk) -> None:
    """C7: with address, text and date; the first one and every repetition."""
    talk.environ |= ALL
    talk.text("c1")
    talk.lp.fault("429", path=NOTES, retry_after=1)
    seen: list[tuple[str, ...]] = []

    def look(path: str, fields: dict[str, str]) -> None:
        if path.endswith((NOTES, CALLS)):
            columns = "state, target, external_contact_id, text, call_date, job_id"
            with closing(sqlite3.connect(talk.outbox.path)) as connection:
                query = f"select {columns} from communication_pushes where state = 'sending'"
                seen.extend(connection.execute(query).fetchall())

    talk.lp.before_request = look
    talk.push()
    text = talk.lp.notes(1)[0]
    assert sorted(seen, key=str) == [
        ("sending", "call_log", "1", None, "2026-03-02 11:50:00", "71"),
        ("sending", "note", "1", text, None, "71"),
        ("sending", "note", "1", text, None, "71"),
        ("sending", "production_note", "1", text, None, "71"),
    ]


@pytest.mark.parametrize("fault", ["lost", "cut", "500", "html", "blank", "503", "broken_json"])
def test_an_answer_that_says_nothing_leaves_it_in_doubt(talk: Talk, fault: str) -> None:
    """C7: not before 5 minutes have passed is LP read, twice; there or not, there is one note in the end."""
    talk.text("c1")
    talk.lp.fault(fault, path=NOTES)
    talk.push()
    assert talk.states() == {"c1": "sending"}
    talk.later(minutes=4)
    before = len(talk.lp.requests)
    talk.push()
    assert [path for path, _ in talk.lp.requests[before:] if path.endswith((NOTES, READ))] == []
    talk.later(minutes=2)
    talk.push()
    assert talk.states() == {"c1": "sent"}
    assert len(talk.lp.notes(1)) == 1


def test_what_is_not_there_is_read_twice_before_it_is_sent_again(talk: Talk) -> None:
    """C7: and goes out word for word, although the communication and the contact have changed meanwhile."""
    talk.environ |= ALL
    talk.text("c1", body="before")
    talk.lp.fault("refuse", path=NOTES, times=1)
    talk.lp.fault("refuse", path=CALLS, times=1)
    talk.push()
    assert (talk.states("note"), talk.states("call_log")) == ({"c1": "sending"}, {"c1": "sending"})
    date = talk.column("call_date", "c1", "call_log")
    talk.over()
    talk.text("c1", "2", minutes=3, body="after", phone="5185550199")
    before = len(talk.lp.requests)
    talk.push()
    actions = [path.rpartition("/")[2] for path, _ in talk.lp.requests[before:] if not path.endswith("token")]
    assert actions == [READ, READ, CALLS, NOTES]
    assert talk.lp.notes(1)[0].endswith("[hatch:c1]\nbefore")
    (call,) = talk.lp.call_logs(1)
    assert (call["calldatetime"].replace("T", " "), call["phone"]) == (date, "5185550101")
    assert (talk.lp.notes(2), talk.lp.call_logs(2)) == ([], [])


def test_what_is_there_is_read_once(talk: Talk) -> None:
    """C7: one look that finds it is enough; several in doubt of one prospect are read together."""
    for number in range(3):
        talk.text(f"c{number}")
        talk.lp.fault("lost", path=NOTES)
    talk.push()
    talk.over()
    before = len(talk.lp.requests)
    talk.push()
    assert [path.rpartition("/")[2] for path, _ in talk.lp.requests[before:]] == ["token", READ]
    assert set(talk.states().values()) == {"sent"}
    assert len(talk.lp.notes(1)) == 3


def test_a_write_that_lp_commits_late_is_not_repeated(talk: Talk) -> None:
    """C7: the client gave up, LP went on; that is what the 5 minutes are for."""
    talk.text("c1")
    talk.lp.fault("late", path=NOTES, seconds=200)
    talk.push()
    assert talk.lp.notes(1) == []
    talk.over()
    talk.push()
    assert talk.states() == {"c1": "sent"}
    assert len(talk.lp.notes(1)) == 1


def test_the_doubt_counts_from_the_last_time_that_the_request_left(talk: Talk) -> None:
    """C7: a claim that then waited for the rate, or for LP's 429, must not be looked up too early."""
    talk.text("c1")
    talk.lp.fault("429", path=NOTES, retry_after=1)
    talk.lp.fault("lost", path=NOTES)
    stamps: list[str] = []

    def look(path: str, fields: dict[str, str]) -> None:
        if path.endswith(NOTES):
            stamps.append(talk.column("sending_really_since", "c1"))

    talk.lp.before_request = look
    talk.push()
    assert stamps[0] < stamps[1]
    assert talk.column("attempts", "c1") == 1


def test_a_call_log_is_recognized_by_date_and_phone(talk: Talk) -> None:
    """C7: in whichever form LP shows them; other calls of the prospect are not it."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_CALL_LOGS": "true"}
    others = [
        {"calldatetime": "2026-03-02T11:50:00", "phone": "5185550999"},
        {"calldatetime": "2026-03-02T11:50:01", "phone": "5185550101"},
    ]
    talk.lp.put({**talk.lp.get(1), "calls": others})
    talk.text("c1")
    talk.lp.fault("refuse", path=CALLS)
    talk.push()
    talk.over()
    talk.push()
    assert (len(talk.lp.call_logs(1)), talk.states("call_log")) == (1, {"c1": "sent"})
    talk.text("c2", minutes=3)
    talk.lp.fault("lost", path=CALLS)
    talk.push()
    talk.over()
    talk.push()
    assert (len(talk.lp.call_logs(1)), talk.states("call_log")["c2"]) == (2, "sent")


def test_what_lp_no_longer_shows_is_uncertain(talk: Talk) -> None:
    """C7: a call log over 6 days old, for LP shows a week; a production note, for it is never shown. Notes still go."""
    talk.environ |= ALL
    talk.text("c1", minutes=6 * 24 * 60)
    talk.lp.fault("lost", path=CALLS)
    talk.lp.fault("lost", path=NOTES, times=2)
    talk.push()
    talk.over()
    talk.push()
    assert talk.states("call_log") == talk.states("production_note") == {"c1": "uncertain"}
    assert talk.states("note") == {"c1": "sent"}
    assert (len(talk.lp.call_logs(1)), len(talk.lp.notes(1)), len(talk.lp.job_notes(71))) == (1, 1, 1)
    talk.push()
    assert (len(talk.lp.call_logs(1)), len(talk.lp.job_notes(71))) == (1, 1)


def test_call_dates_are_moved_on_until_they_are_unique(talk: Talk) -> None:
    """C7: several within one second, and LP's own call at the next one; another contact's do not matter."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_CALL_LOGS": "true"}
    talk.lp.put({**talk.lp.get(1), "calls": [{"calldatetime": "2026-03-02T11:50:01", "phone": "5185550101"}]})
    talk.sync()
    talk.publish()
    for number in range(3):
        talk.text(f"c{number}")
    talk.text("d1", "2")
    talk.push()
    dates = sorted(call["calldatetime"][-2:] for call in talk.lp.call_logs(1))
    assert dates == ["00", "02", "03"]
    assert talk.lp.call_logs(2)[0]["calldatetime"] == "2026-03-02T11:50:00"


def test_two_instants_of_one_wall_time_are_two_calls(talk: Talk) -> None:
    """C7: the hour that a clock change repeats."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_CALL_LOGS": "true", "PUSH_SINCE": "2025-01-01T00:00:00Z"}
    talk.text("c1", occurred_at="2025-11-02T05:30:00Z")
    talk.text("c2", occurred_at="2025-11-02T06:30:00Z")
    talk.push()
    assert [call["calldatetime"] for call in talk.lp.call_logs(1)] == ["2025-11-02T01:30:00", "2025-11-02T01:30:01"]


def test_a_record_without_the_keys_has_no_notes_and_no_calls(talk: Talk) -> None:
    """C7, contract 3: some keys are simply missing; what is not there is sent again."""
    talk.lp.put({name: value for name, value in talk.lp.get(1).items() if name not in ("notes", "calls")})
    talk.text("c1")
    talk.lp.fault("refuse", path=NOTES)
    talk.push()
    talk.over()
    talk.push(due_only=True)
    assert (talk.states(), len(talk.lp.notes(1))) == ({"c1": "sent"}, 1)


@pytest.mark.parametrize("hiding", ["prospect", "times out"])
def test_what_lp_does_not_show_is_tried_later_and_then_left_to_a_person(talk: Talk, hiding: str) -> None:
    """C7: without the prospect nobody can know; it is never sent blindly, and holds up no other."""
    talk.text("c1")
    talk.lp.fault("refuse", path=NOTES)
    talk.push()
    if hiding == "prospect":
        talk.lp.remove(1)
    else:
        talk.lp.switch(broken_record="1")
    talk.text("c2", "2")
    for _ in range(30):
        talk.later(hours=1)
        assert talk.push(due_only=True).errors == []
    assert talk.states() == {"c1": "uncertain", "c2": "sent"}
    assert talk.reasons()["c1"] == "not_shown"
    assert talk.lp.notes(1) == []


def test_lp_showing_it_again_in_time_settles_it(talk: Talk) -> None:
    """C7: an empty answer under load, or two, is no proof that the note is not there."""
    talk.text("c1")
    talk.lp.fault("lost", path=NOTES)
    talk.push()
    talk.over()
    talk.lp.fault("empty", path="/Get", times=4)
    talk.push()
    assert talk.states() == {"c1": "sending"}
    talk.over()
    talk.push(due_only=True)
    assert (talk.states(), len(talk.lp.notes(1))) == ({"c1": "sent"}, 1)


def test_notes_may_be_shown_as_one_plain_string(talk: Talk) -> None:
    """Contract 3: `notes` is at times a plain string."""
    talk.lp.put({**talk.lp.get(1), "notes": "Left voicemail\r\nTwice"})
    talk.text("c1", minutes=20)
    talk.text("c2")
    talk.lp.fault("lost", path=NOTES)
    talk.lp.fault("refuse", path=NOTES)
    talk.push()
    talk.over()
    talk.push()
    assert (talk.states(), len(talk.lp.notes(1))) == ({"c1": "sent", "c2": "sent"}, 2)


def test_somebody_elses_record_is_not_looked_at(talk: Talk) -> None:
    """Contract 4: an id may return somebody else; a prospect without a lead is found by the other feed."""
    talk.lp.put(prospect("9", phone1="5185550109", notes=[], calls=[], lastchanged=talk.wall(minutes=5)))
    talk.sync()
    talk.publish()
    talk.text("c1", "9")
    talk.lp.fault("lost", path=NOTES)
    talk.push()
    talk.over()
    talk.push()
    assert (talk.states(), len(talk.lp.notes(9))) == ({"c1": "sent"}, 1)


def test_an_error_while_looking_up_sends_nothing_again(talk: Talk) -> None:
    """C7, R3: LP went away between the two looks; what was in doubt is in doubt; then it is found out."""
    talk.text("c1", "1")
    talk.text("c2", "2")
    talk.lp.fault("refuse", path=NOTES, times=2)
    talk.push()
    talk.over()
    talk.lp.fault("503", path="/Get", times=6, after=2)
    talk.text("c3", "3")
    report = talk.push()
    assert len(report.errors) == 1
    assert talk.states() == {"c1": "sending", "c2": "sending", "c3": "sent"}
    talk.later(minutes=10)
    talk.push()
    assert set(talk.states().values()) == {"sent"}
    assert len(talk.lp.all_notes()) == 3


def test_a_prospect_that_is_answered_with_an_error_holds_up_no_other_look(talk: Talk) -> None:
    """C8, W5: an answer that is no page says nothing about its prospect's notes, and nothing about the next one's."""
    for number in "12":
        talk.text(f"c{number}", number)
    talk.lp.fault("lost", path=NOTES, times=2)
    talk.push()
    talk.over()
    talk.lp.fault("answer", path="GetLead", body='[{"Result": -1, "Message": "Error: deleted"}]')
    assert talk.push().errors == []
    assert talk.states() == {"c1": "sent", "c2": "sent"}
    assert len(talk.lp.all_notes()) == 2


def test_an_lp_that_never_says_clearly_is_not_asked_for_ever(talk: Talk) -> None:
    """C7, C8: an error 500 that means no: looked up in vain each time, it has failed after 8 tries over a day."""
    talk.text("c1")
    for _ in range(12):
        talk.lp.fault("500", path=NOTES)
        talk.push()
        talk.later(hours=3)
    assert talk.states() == {"c1": "failed"}
    assert talk.reasons()["c1"] == "not_found_in_leadperfection"


def test_an_lp_that_fails_on_everything_is_left_alone(talk: Talk) -> None:
    """C8: five unclear answers in a row stop a target, so that an outage leaves few in doubt, not all."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_PRODUCTION_NOTES": "true"}
    for number in range(9):
        talk.text(f"c{number}")
    talk.lp.fault("503", path=NOTES, times=9)
    assert "5 consecutive pushes to production_note had an unknown outcome" in talk.push().stopped["production_note"]
    assert sorted(talk.states("production_note").values()) == ["pending"] * 4 + ["sending"] * 5


def test_a_target_that_is_switched_off_meanwhile_is_still_looked_up(talk: Talk) -> None:
    """C7: reading is not pushing: what is in doubt is settled, what is not there stays pending."""
    for number, fault in enumerate(("lost", "refuse")):
        talk.text(f"c{number}", minutes=30 - number)
        talk.lp.fault(fault, path=NOTES)
    talk.push()
    talk.environ["PUSH_COMMUNICATIONS"] = "false"
    talk.over()
    talk.push()
    assert talk.states() == {"c0": "sent", "c1": "pending"}
    assert len(talk.lp.notes(1)) == 1


def test_a_lead_that_is_new_changes_no_address_that_is_fixed(talk: Talk) -> None:
    """C7: the job is that of the first try."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_PRODUCTION_NOTES": "true"}
    talk.text("c1")
    talk.lp.fault("string", path=NOTES, message="Not now.")
    talk.push()
    talk.later()
    stamp = talk.wall(minutes=1)
    record = talk.lp.get(1)
    record["leads"].append(lead("19", lastchangedon=stamp, jobs=[{"id": "799"}]))
    talk.lp.put({**record, "lastchanged": stamp})
    talk.sync()
    talk.publish()
    talk.push()
    assert (len(talk.lp.job_notes(71)), talk.lp.job_notes(799)) == (1, [])
