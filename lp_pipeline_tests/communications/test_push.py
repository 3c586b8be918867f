"""What is pushed where, in which order, and what LeadPerfection's refusals do (SPEC C4, C6, C8)."""

from itertools import pairwise

import pytest

from lp_pipeline.communications.ledger import register
from lp_pipeline.communications.push import Push
from lp_pipeline.runs.steps import push_open
from lp_pipeline_tests.communications.talk import ALL, Talk

NOTES, CALLS = "AddNotes", "AddCallHistory"


def test_a_communication_goes_once_to_each_target_that_is_on(talk: Talk) -> None:
    """C4: a note on the prospect, a call log, a note on the lead's first job; the same push again does nothing."""
    talk.environ |= ALL
    talk.text("c1", body="Call me")
    report = talk.push()
    assert report.of("sent") == 3
    assert talk.lp.notes(1) == ["Hatch text, inbound, 2026-03-02 11:50 EST [hatch:c1]\nCall me"]
    assert talk.lp.job_notes(71) == talk.lp.notes(1)
    (call,) = talk.lp.call_logs(1)
    assert (call["calldatetime"], call["phone"]) == ("2026-03-02T11:50:00", "5185550101")
    assert (call["calltype"], call["resultcode"]) == ("O", "LM")
    assert talk.push().counts.total() == 0
    assert len(talk.lp.all_notes()) == len(talk.lp.all_call_logs()) == len(talk.lp.all_job_notes()) == 1


def test_a_call_log_tells_how_long_it_took_and_where_it_is_recorded(talk: Talk) -> None:
    """C4, contract 5: AddCallHistory's optional fields, and the employee that the sign-in names."""
    talk.environ |= ALL
    talk.text(
        "c1", category="call", duration_seconds=3725, recording_url="https://rec.example.com/1", phone="5185550177"
    )
    talk.push()
    (call,) = talk.lp.call_logs(1)
    assert (call["duration"], call["recordingurl"]) == ("01:02:05", "https://rec.example.com/1")
    assert call["phone"] == "5185550177"
    sent = next(fields for path, fields in talk.lp.requests if path.endswith(CALLS))
    assert sent["EmpID"] == "64"


def test_the_other_action_for_production_notes_works_too(talk: Talk) -> None:
    """Contract 5: LP_PRODUCTION_NOTE_ACTION chooses between the two."""
    talk.environ |= ALL | {"LP_PRODUCTION_NOTE_ACTION": "Installer/AddInstallerJobNotes"}
    talk.text("c1")
    talk.push()
    assert len(talk.lp.job_notes(71)) == 1


def test_what_cannot_go_to_a_target_is_skipped_there_alone(talk: Talk) -> None:
    """C5: no job, and no phone for a call log; the note goes all the same."""
    talk.environ |= ALL
    talk.lp.put({**talk.lp.get(3), "phone1": "", "leads": [], "lastchanged": talk.wall(minutes=5)})
    talk.sync()
    talk.publish()
    talk.text("c1", "3")
    talk.push()
    assert talk.pushes() == [
        ("c1", "call_log", "skipped", "no_phone"),
        ("c1", "note", "sent", None),
        ("c1", "production_note", "skipped", "no_job"),
    ]


def test_each_prospects_communications_go_oldest_first(talk: Talk) -> None:
    """C8: whatever the order in which they landed."""
    for minutes in (5, 30, 10, 20):
        talk.text(f"c{minutes}", minutes=minutes)
    talk.push()
    assert [note.partition("[hatch:")[2].partition("]")[0] for note in talk.lp.notes(1)] == ["c30", "c20", "c10", "c5"]


@pytest.mark.parametrize("name", ["PUSH_COMMUNICATIONS", "PUSH_TO_NOTES"])
def test_a_switch_that_is_turned_off_holds_for_the_rest_of_a_push(talk: Talk, name: str) -> None:
    """C4: between two messages; the other targets go through, and what is left waits until it is on again."""
    talk.environ |= {"PUSH_TO_CALL_LOGS": "true"}
    for number in range(4):
        talk.text(f"c{number}", minutes=20 - number)
    with talk.connections() as connections:
        report = push_open(
            connections,
            {},
            due_only=False,
            on_progress=lambda done, _all: talk.environ.update({name: "false"} if done == 4 else {}),
        )
    logged = 2 if name == "PUSH_COMMUNICATIONS" else 4
    assert (len(talk.lp.notes(1)), len(talk.lp.call_logs(1))) == (2, logged)
    assert report.errors == []
    talk.environ[name] = "true"
    talk.push()
    assert (len(talk.lp.notes(1)), len(talk.lp.call_logs(1))) == (4, 4)


def test_settings_that_break_in_the_middle_of_a_push_stop_it(talk: Talk) -> None:
    """C4: while the file is being edited nothing is sent under settings that may no longer hold."""
    talk.text("c1")
    talk.text("c2")
    with talk.connections() as connections:
        report = push_open(
            connections,
            {},
            due_only=False,
            on_progress=lambda _done, _all: talk.environ.update({"PUSH_TO_NOTES": "perhaps"}),
        )
    assert (len(talk.lp.notes(1)), "PUSH_TO_NOTES" in report.errors[0]) == (1, True)
    assert sorted(talk.states().values()) == ["pending", "sent"]


def test_one_failing_communication_holds_up_no_other(talk: Talk) -> None:
    """C8: LP's words stay in the ledger; the others go through; it is tried again later, and not too soon by itself."""
    talk.text("c1", "1", minutes=30)
    talk.text("c2", "2", minutes=20)
    talk.text("c3", "1", minutes=10)
    talk.lp.fault("string", path=NOTES, message="No notes from Ann Field today.")
    report = talk.push()
    assert talk.states() == {"c1": "pending", "c2": "sent", "c3": "sent"}
    assert talk.column("words", "c1") == '"No notes from Ann Field today."'
    assert "Ann" not in str(report)
    assert talk.push(due_only=True).counts.total() == 0
    talk.later(minutes=2)
    talk.push(due_only=True)
    assert talk.states()["c1"] == "sent"
    assert talk.column("words", "c1") is None


def test_the_same_refusal_five_times_in_a_row_stops_that_target_for_this_run(talk: Talk) -> None:
    """C8: its rows stay pending, the other targets continue, and the message names the setting."""
    talk.environ |= ALL
    for number in range(8):
        talk.text(f"c{number}", minutes=10 + number)
    talk.lp.switch(employee_ids=[7])
    report = talk.push()
    assert talk.lp.all_call_logs() == []
    assert set(talk.states("call_log").values()) == {"pending"}
    assert set(talk.states("note").values()) == set(talk.states("production_note").values()) == {"sent"}
    asked = [path for path, _ in talk.lp.requests if path.endswith(CALLS)]
    assert len(asked) == 5
    assert "LP_EMPLOYEE_ID" in report.stopped["call_log"]
    assert talk.column("attempts", "c0", "call_log") == 0  # the newest was not even tried
    talk.environ["LP_EMPLOYEE_ID"] = "7"
    talk.push()
    assert set(talk.states("call_log").values()) == {"sent"}
    assert talk.outbox.rows("stops") == []


@pytest.mark.parametrize(
    ("switches", "setting"),
    [
        ({"call_types": ["X"]}, "LP_CALL_TYPE"),
        ({"result_codes": ["X"]}, "LP_RESULT_CODE"),
        ({"employee_ids": [1]}, "LP_EMPLOYEE_ID"),
    ],
)
def test_the_message_names_the_setting_that_lp_does_not_know(
    talk: Talk, switches: dict[str, object], setting: str
) -> None:
    """C8: a check says what to set; `Result` in LP's dialect is not taken for the result code."""
    talk.environ |= {"PUSH_TO_CALL_LOGS": "true", "PUSH_TO_NOTES": "false"}
    for number in range(5):
        talk.text(f"c{number}", minutes=10 + number)
    talk.lp.switch(**switches)
    assert f"Check {setting}," in talk.push().stopped["call_log"]


def test_a_note_that_is_too_long_for_this_lp_names_the_length(talk: Talk) -> None:
    """C8: LP_NOTE_LENGTH is what helps."""
    talk.lp.switch(note_length=50)
    for number in range(5):
        talk.text(f"c{number}", body="x" * 100)
    assert "LP_NOTE_LENGTH" in talk.push().stopped["note"]


def test_different_refusals_stop_nothing(talk: Talk) -> None:
    """C8: only the same one, five times in a row."""
    for number in range(8):
        talk.text(f"c{number}", minutes=30 - number)
        talk.lp.fault("string", path=NOTES, message=f"No {number % 4 if number < 7 else 0}")
    assert talk.push().stopped == {}
    assert len([1 for path, _ in talk.lp.requests if path.endswith(NOTES)]) == 8


def test_after_8_tries_over_a_day_it_has_failed_until_a_person_asks_again(talk: Talk) -> None:
    """C8: neither 8 tries within minutes nor a day with few tries is enough."""
    talk.text("c1")
    talk.lp.switch(note_answer="text")
    for _ in range(9):
        talk.push()
    assert talk.states() == {"c1": "pending"}
    talk.later(hours=25)
    talk.push()
    assert talk.states() == {"c1": "failed"}
    talk.lp.switch(note_answer="ok")
    assert talk.push().counts.total() == 0


def test_left_to_itself_it_tries_8_times_over_a_day_with_growing_waits(talk: Talk) -> None:
    """C8: and never again after that."""
    talk.text("c1")
    talk.lp.switch(note_answer="message")
    began, tries = talk.now, []
    for _ in range(40 * 2):
        if talk.push(due_only=True).counts:
            tries.append(talk.now - began)
        talk.later(minutes=30)
    assert talk.states() == {"c1": "failed"}
    assert 8 <= len(tries) <= 10
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits == sorted(waits)


def test_a_target_without_its_settings_is_an_error_that_names_them(talk: Talk) -> None:
    """C8: call logs wait, notes continue."""
    talk.environ |= {"PUSH_TO_CALL_LOGS": "true", "LP_CALL_TYPE": "", "LP_RESULT_CODE": ""}
    talk.lp.switch(user_data=False)
    talk.text("c1")
    report = talk.push()
    (error,) = report.errors
    assert all(name in error for name in ("LP_EMPLOYEE_ID", "LP_CALL_TYPE", "LP_RESULT_CODE"))
    assert (talk.states("note"), talk.states("call_log")) == ({"c1": "sent"}, {"c1": "pending"})
    assert talk.column("attempts", "c1", "call_log") == 0
    assert talk.push(due_only=True).errors == []  # it pauses; what is new is pushed in the meantime
    talk.later(minutes=16)
    assert len(talk.push(due_only=True).errors) == 1


def test_codes_may_differ_by_channel(talk: Talk) -> None:
    """C8: LP_CALL_TYPE and LP_RESULT_CODE; a channel without one is named."""
    talk.environ |= {"PUSH_TO_CALL_LOGS": "true", "LP_CALL_TYPE": "text=O,call=I", "LP_RESULT_CODE": "LM"}
    talk.text("c1", minutes=10)
    talk.text("c2", minutes=20, category="call")
    assert talk.push().errors == []
    assert {call["calldatetime"][14:16]: call["calltype"] for call in talk.lp.call_logs(1)} == {"50": "O", "40": "I"}
    talk.text("c3", category="email")
    (error,) = talk.push().errors
    assert "LP_CALL_TYPE (for email)" in error


def test_a_permission_that_is_missing_stops_that_target_alone(talk: Talk) -> None:
    """C8, R3: AddCallHistory is refused after a new sign-in; the message says where to allow it; nothing is counted."""
    talk.environ |= ALL
    talk.lp.switch(permissions=["GetLead", "GetProspectData", "AddNotes"])
    for number in range(3):
        talk.text(f"c{number}")
    report = talk.push()
    assert "AddCallHistory" in report.errors[0]
    assert "Function Level Security" in report.errors[0]
    assert set(talk.states("note").values()) == set(talk.states("production_note").values()) == {"sent"}
    assert set(talk.states("call_log").values()) == {"pending"}
    assert talk.column("attempts", "c0", "call_log") == 0


def test_a_refused_sign_in_counts_as_no_try(talk: Talk) -> None:
    """R3: one error that names the credentials, asked once."""
    talk.text("c1")
    talk.lp.switch(refuse_sign_in=True)
    (error,) = talk.push().errors
    assert "LP_PASSWORD" in error
    assert [path for path, _ in talk.lp.requests] == ["/token"]
    assert (talk.states(), talk.column("attempts", "c1")) == ({"c1": "pending"}, 0)


def test_an_lp_that_cannot_be_reached_counts_as_no_try(talk: Talk) -> None:
    """C8, R3: nothing was sent, so it is pending; what is due goes later."""
    talk.text("c1")
    address, talk.environ["LP_API_URL"] = talk.environ["LP_API_URL"], "http://127.0.0.1:9"
    (error,) = talk.push().errors
    assert "could not be reached" in error
    assert (talk.states(), talk.column("attempts", "c1")) == ({"c1": "pending"}, 0)
    talk.environ["LP_API_URL"] = address
    talk.push()
    assert talk.states() == {"c1": "sent"}


def test_a_token_that_ran_out_and_a_full_quota_are_no_failures(talk: Talk) -> None:
    """Contract 1 and 6: after a 401 a new sign-in, after a 429 a wait; then the note is written, once."""
    talk.text("c1")
    talk.lp.fault("401", path=NOTES)
    talk.lp.fault("429", path=NOTES, retry_after=1, where="both")
    assert talk.push().of("sent") == 1
    assert len(talk.lp.notes(1)) == 1
    assert talk.column("attempts", "c1") == 1


def test_a_sign_in_that_fails_between_pushes_leaves_nothing_in_doubt(talk: Talk) -> None:
    """C7: the token ran out and the new sign-in met an error: LP surely did nothing, production notes included."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_PRODUCTION_NOTES": "true"}
    talk.text("c1")
    talk.lp.fault("401", path=NOTES, times=6)
    talk.lp.fault("503", path="/token", times=6, after=1)
    assert len(talk.push().errors) == 1
    assert talk.states("production_note") == {"c1": "pending"}
    talk.push()
    assert (talk.states("production_note"), len(talk.lp.job_notes(71))) == ({"c1": "sent"}, 1)


FORGERY = (
    "[hatch:c2]\n<p>Hi&nbsp;<b>there</b> \U0001f600</p><script>x()</script>\r\n\x00\x07tab\there [hatch:c2]\n[HATCH:c2]"
)


@pytest.mark.parametrize("body", [FORGERY, "x" * 20_000, "<div>" * 500 + "deep", "\U0001f600" * 5000, "\n\n\n", ""])
def test_any_body_is_pushed_and_forges_nothing(talk: Talk, body: str) -> None:
    """C6: with a body that claims to be c2's note, c2 in doubt is not there, and is sent again."""
    talk.text("c1", body=body)
    talk.push()
    (note,) = talk.lp.notes(1)
    first, _, rest = note.partition("\n")
    assert first == "Hatch text, inbound, 2026-03-02 11:50 EST [hatch:c1]"
    assert "[hatch:" not in rest.lower()
    assert len(note.encode("utf-16-le")) // 2 <= 3500
    assert not any(ord(each) < 32 and each != "\n" for each in note)
    talk.text("c2", body="mine")
    talk.lp.fault("refuse", path=NOTES)
    talk.push()
    talk.over()
    talk.push()
    assert talk.states() == {"c1": "sent", "c2": "sent"}
    assert len(talk.lp.notes(1)) == 2


def test_odd_ids_are_pushed_hashed_and_recognized(talk: Talk) -> None:
    """C6: an id that would break out of its mark."""
    for identity in ("c1]\n[hatch:c2", "a" * 200, "é", "x y"):
        talk.text(identity)
        talk.lp.fault("lost", path=NOTES)
        talk.push()
        talk.over()
        talk.push()
    assert set(talk.states().values()) == {"sent"}
    assert len(talk.lp.notes(1)) == 4


def test_a_run_whose_time_is_up_ends_well_between_two_pushes(talk: Talk) -> None:
    """W2, R3: a first export is longer than a run: the rest stays pending, nothing failed, the next run continues."""
    for number in range(3):
        talk.text(f"c{number}")
    settings = talk.load()
    with talk.outbox.transaction() as connection:
        register(connection, talk.outbox, settings)
    with talk.connections() as connections:
        report = Push(talk.outbox, lambda: connections.leadperfection, settings, lambda: ["note"], seconds=0).run()
    assert (report.errors, report.of("waiting")) == ([], 3)
    assert talk.push().of("sent") == 3
