"""What is pushed and what is not: switches, since when, per-run overrides (SPEC C4)."""

from datetime import timedelta

import pytest

from lp_pipeline.communications.manual import Choice, settle
from lp_pipeline_tests.communications.talk import ALL, LONG_AGO, Talk

OFF = {"PUSH_TO_NOTES": "false"}
SWITCHES = {
    "note": "PUSH_TO_NOTES",
    "call_log": "PUSH_TO_CALL_LOGS",
    "production_note": "PUSH_TO_PRODUCTION_NOTES",
}


@pytest.mark.parametrize("on", SWITCHES)
def test_one_target_alone_may_be_on(talk: Talk, on: str) -> None:
    """C4: each switch is for its own target: `note` is not `production_note`."""
    talk.environ |= {name: str(target == on).lower() for target, name in SWITCHES.items()}
    talk.text("c1")
    talk.push()
    states = {target: (state, reason) for _, target, state, reason in talk.pushes()}
    assert states.pop(on) == ("sent", None)
    assert set(states.values()) == {("skipped", "switched_off")}
    assert len(talk.lp.all_notes()) + len(talk.lp.all_call_logs()) + len(talk.lp.all_job_notes()) == 1


def test_by_default_notes_are_on_and_the_other_two_off(talk: Talk) -> None:
    """C4."""
    talk.text("c1")
    talk.push()
    assert talk.pushes("target", "state") == [("call_log", "skipped"), ("note", "sent"), ("production_note", "skipped")]


def test_all_targets_off_asks_lp_nothing(talk: Talk) -> None:
    """C4: PUSH_COMMUNICATIONS=false skips everything."""
    talk.environ |= ALL | {"PUSH_COMMUNICATIONS": "false"}
    talk.text("c1")
    talk.push()
    assert {row[2:] for row in talk.pushes()} == {("skipped", "switched_off")}
    assert talk.lp.requests == []


@pytest.mark.parametrize("the_sensor_is_down", [False, True])
def test_off_for_a_week_and_on_again_floods_nobody(talk: Talk, the_sensor_is_down: bool) -> None:
    """C4: what landed meanwhile was seen when it was off, even if nothing is pushed until it is on again."""
    talk.text("before")
    talk.push()
    talk.environ |= OFF
    for _ in range(7):
        talk.later(days=1)
        talk.text(f"while off {talk.now:%d}")
        if not the_sensor_is_down:
            talk.push()
    talk.environ |= {"PUSH_TO_NOTES": "true"}
    talk.later(days=1)
    talk.text("after")
    talk.push()
    assert len(talk.lp.notes(1)) == 2
    assert sorted(talk.states().values()) == ["sent"] * 2 + ["skipped"] * 7
    settle(talk.outbox, talk.load(), "again", Choice(reason="switched_off", target="note"))
    talk.push()
    assert len(talk.lp.notes(1)) == 9


def test_off_while_the_sensor_is_down_does_not_lose_what_landed_before(talk: Talk) -> None:
    """C4: a target that was on when it landed is owed; it goes when it is on again."""
    talk.text("c1")
    talk.environ |= OFF
    talk.push()
    assert talk.states() == {"c1": "pending"}
    talk.environ |= {"PUSH_TO_NOTES": "true"}
    talk.push()
    assert talk.states() == {"c1": "sent"}


def test_call_logs_switched_on_later_begin_then(talk: Talk) -> None:
    """C4: none of the past; `pushes again` sends them after all."""
    for number in range(5):
        talk.text(f"c{number}")
    talk.push()
    talk.environ |= {"PUSH_TO_CALL_LOGS": "true"}
    talk.text("new")
    talk.push()
    assert len(talk.lp.call_logs(1)) == 1
    chosen = settle(talk.outbox, talk.load(), "again", Choice(reason="switched_off", target="call_log"))
    assert sorted(chosen) == [(f"c{number}", "call_log") for number in range(5)]
    talk.push()
    assert len(talk.lp.call_logs(1)) == 6


def test_a_first_export_of_180_days_pushes_nothing_of_the_past(talk: Talk) -> None:
    """C4: what happened before pushing was first on is `before_start`; what happens since is pushed."""
    del talk.environ["PUSH_SINCE"]
    for day in range(1, 181):
        talk.text(f"c{day}", minutes=day * 24 * 60)
    talk.push()
    assert {row[3] for row in talk.pushes() if row[1] == "note"} == {"before_start"}
    talk.later()
    talk.text("new")
    talk.push()
    assert len(talk.lp.all_notes()) == 1
    settle(
        talk.outbox, talk.load(), "again", Choice(reason="before_start", since=talk.now - timedelta(days=3, hours=1))
    )
    talk.push()
    assert len(talk.lp.all_notes()) == 4


def test_pushing_that_is_switched_on_later_begins_then(talk: Talk) -> None:
    """C4: the default of PUSH_SINCE is when pushing was first on, not when something first landed."""
    del talk.environ["PUSH_SINCE"]
    talk.environ["PUSH_COMMUNICATIONS"] = "false"
    talk.text("c1", minutes=0)
    talk.later(days=2)
    talk.environ["PUSH_COMMUNICATIONS"] = "true"
    talk.text("c2", minutes=60)
    talk.text("c3", minutes=0)
    talk.push()
    assert talk.reasons() == {"c1": "switched_off", "c2": "before_start", "c3": None}


def test_what_happened_before_push_since_is_skipped(talk: Talk) -> None:
    """C4: PUSH_SINCE, also one that lies before the first push."""
    talk.environ["PUSH_SINCE"] = (talk.now - timedelta(minutes=20)).isoformat()
    talk.text("c1", minutes=21)
    talk.text("c2", minutes=19)
    talk.push()
    assert talk.reasons() == {"c1": "before_start", "c2": None}


def test_a_run_may_switch_a_target_on_or_off_for_itself(talk: Talk) -> None:
    """The four switches as overrides: what is not overridden stays as it was when the communication landed."""
    talk.environ |= OFF
    talk.text("c1")
    talk.environ |= {"PUSH_TO_NOTES": "true"}
    talk.push(push_to_call_logs=True)
    assert [row[1:3] for row in talk.pushes()] == [
        ("call_log", "sent"),
        ("note", "skipped"),
        ("production_note", "skipped"),
    ]
    talk.text("c2")
    talk.push(push_to_notes=False)
    assert talk.states()["c2"] == "skipped"
    talk.text("c3")
    talk.push(push_communications=False)
    assert talk.states()["c3"] == "skipped"
    assert talk.lp.all_notes() == []


def test_losing_the_warehouse_sends_nothing_again(talk: Talk) -> None:
    """Q1, done 3: the outbox alone knows what was sent."""
    talk.text("c1")
    talk.push()
    for path in talk.folder.glob("*.duckdb"):
        path.unlink()
    talk.text("c1", body="shown again, and changed")
    assert talk.push().counts.total() == 0
    assert len(talk.lp.all_notes()) == 1


def test_a_communication_that_is_shown_again_is_known(talk: Talk) -> None:
    """C1, C2: in the same list, later, with other columns: one row, one note."""
    said = talk.said("c1")
    talk.land(said, said, {**said, "body": "x"})
    talk.push()
    talk.land({**said, "delivery_status": "delivered"})
    talk.push()
    assert (len(talk.lp.all_notes()), set(talk.states())) == (1, {"c1"})


def test_a_push_that_is_dropped_during_a_run_is_not_sent(talk: Talk) -> None:
    """E3: nothing is sent, or written over, that a person has settled meanwhile."""
    talk.text("c1", "1", minutes=30)
    talk.text("c2", "2", minutes=20)
    talk.text("c3", "nobody", minutes=10)

    def drop(path: str, fields: dict[str, str]) -> None:
        if path.endswith("AddNotes"):
            settle(talk.outbox, talk.load(), "drop", Choice(("c2", "c3")))

    talk.lp.before_request = drop
    talk.push()
    assert talk.states() == {"c1": "sent", "c2": "skipped", "c3": "skipped"}
    assert talk.lp.notes(2) == []


def test_unmatched_is_tried_soon_then_hourly_then_no_more(talk: Talk) -> None:
    """C5: for 30 days; what is about to be read is found within minutes."""
    talk.text("c1", "99")
    began = talk.now

    def tries(**after: float) -> bool:
        talk.now = began + timedelta(**after)
        return bool(talk.push(due_only=True).counts)

    assert [minute for minute in range(10) if tries(minutes=minute)] == [0, 1, 2, 4, 8]
    assert [minute for minute in range(60 * 26, 60 * 28, 10) if tries(minutes=minute)] == [60 * 26, 60 * 27]
    assert [hour for hour in range(24 * 30 - 2, 24 * 30 + 3) if tries(hours=hour)] == [718, 719, 720]
    assert talk.states() == {"c1": "unmatched"}
    assert talk.push().of("unmatched") == 1  # started by hand, it is tried all the same


def test_the_clock_of_sent_pushes_is_kept(talk: Talk) -> None:
    """Names: `attempts` and `updated_at`."""
    talk.environ["PUSH_SINCE"] = LONG_AGO
    talk.text("c1")
    talk.push()
    assert talk.column("attempts", "c1") == 1
    assert talk.column("updated_at", "c1").startswith("2026-03-02T17:00:00")
