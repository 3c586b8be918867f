"""What an outage of LeadPerfection must not age (SPEC R7): doubts, attempts, the days of an unmatched push."""

import sqlite3
from contextlib import closing

import pytest

from lp_pipeline_tests.communications.talk import Talk
from lp_pipeline_tests.scenario import prospect

NOTES, CALLS, FEEDS = "AddNotes", "AddCallHistory", "/Get"
OUTAGES = {"503": "503", "time-outs": "500", "cut connections": "cut", "maintenance page": "html", "nothing": "empty"}
OUTAGES |= {"an envelope instead of records": "answer"}


def outage(talk: Talk, hours: int, fault: str, path: str) -> None:
    """So many hours in which these requests fail, with a push that is started every hour."""
    talk.lp.fault(fault, path=path, times=100_000)
    for _ in range(hours):
        talk.later(hours=1)
        talk.push(due_only=True)
    over(talk)
    talk.later(minutes=20)


def over(talk: Talk) -> None:
    """No request fails any more."""
    with closing(sqlite3.connect(talk.lp.path)) as connection:
        connection.execute("delete from faults")
        connection.commit()


def read(talk: Talk) -> None:
    """A sync in which both feeds show something, so that it has read until now."""
    talk.lp.edit(2)
    talk.lp.edit(2, lead="20")
    talk.sync()
    talk.publish()


FIRST, *OTHERS = OUTAGES.values()
ARRIVED = [True, pytest.param(False, marks=pytest.mark.slow)]
SOME_SLOW = [FIRST, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)]


@pytest.mark.parametrize("fault", SOME_SLOW, ids=OUTAGES.keys())
@pytest.mark.parametrize("arrived", ARRIVED, ids=["arrived", "lost"])
@pytest.mark.slow
def test_notes_in_doubt_wait_until_lp_can_be_read_again(talk: Talk, fault: str, arrived: bool) -> None:
    """R7: reads fail for 30 hours while sign-in works, and nothing changes; then each note is looked up, and is there
    once."""
    talk.text("c0", "3")
    talk.push()
    for number in "12":
        talk.text(f"c{number}", number)
        talk.lp.fault("lost" if arrived else "refuse", path=NOTES)
    talk.push()
    before = [talk.column("attempts", name) for name in ("c1", "c2")]
    outage(talk, 30, fault, FEEDS)
    assert talk.states() == {"c0": "sent", "c1": "sending", "c2": "sending"}
    assert [talk.column("attempts", name) for name in ("c1", "c2")] == before
    talk.push(due_only=True)
    assert set(talk.states().values()) == {"sent"}
    assert (len(talk.lp.notes(1)), len(talk.lp.notes(2))) == (1, 1)


@pytest.mark.parametrize("fault", ["500", pytest.param("empty", marks=pytest.mark.slow)])
def test_a_doubt_about_the_only_push_there_ever_was(talk: Talk, fault: str) -> None:
    """R7: time-outs use up no attempt though there is no other prospect to compare with; an answer that shows nothing
    is left to a person after a day."""
    talk.text("c1")
    talk.lp.fault("lost", path=NOTES)
    talk.push()
    outage(talk, 30, fault, FEEDS)
    talk.push()
    assert talk.states() == {"c1": "sent" if fault == "500" else "uncertain"}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["503", "cut", "refuse"])
def test_tries_that_nobody_answered_are_not_counted(talk: Talk, fault: str) -> None:
    """R7, C8: writes fail for 40 hours while reads work: no push has failed, and all arrive once."""
    for number in "123":
        talk.text(f"c{number}", number)
    outage(talk, 40, fault, NOTES)
    assert "failed" not in talk.states().values()
    for _ in range(3):
        talk.push()
        talk.later(hours=1)
    assert set(talk.states().values()) == {"sent"}
    assert [len(talk.lp.notes(number)) for number in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.slow
def test_a_push_that_is_cut_while_others_go_through_has_failed_in_the_end(talk: Talk) -> None:
    """C8: then it is that push, and no outage."""
    talk.text("c0", minutes=30, body="poison")
    for number in range(16):
        talk.text(f"d{number}", "2", minutes=20 - number)
        poison = [fields for path, fields in talk.lp.requests if path.endswith(NOTES) and fields["recid"] == "1"]
        talk.lp.fault("refuse", path=NOTES, after=0 if not poison else 1)
        talk.push()
        talk.later(hours=13)
        over(talk)
    assert talk.states()["c0"] == "failed"


@pytest.mark.parametrize("arrived", ARRIVED, ids=["arrived", "lost"])
def test_a_call_log_whose_days_ended_in_an_outage_is_looked_up_all_the_same(talk: Talk, arrived: bool) -> None:
    """R7, C7: it could have been known. Found: sent. Not there: LP may show it no longer, so a person decides; it is
    never sent again unseen."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_CALL_LOGS": "true"}
    talk.text("c1", minutes=5.8 * 24 * 60)
    talk.lp.fault("lost" if arrived else "refuse", path=CALLS)
    talk.push()
    outage(talk, 12, "503", FEEDS)
    assert talk.states("call_log") == {"c1": "sending"}
    talk.push()
    assert talk.states("call_log") == {"c1": "sent" if arrived else "uncertain"}
    assert len(talk.lp.call_logs(1)) == (1 if arrived else 0)


@pytest.mark.slow
def test_an_outage_prolongs_the_30_days_of_an_unmatched_push(talk: Talk) -> None:
    """R7, C5: LP could not be read for 31 days; whom the next sync reads is found."""
    read(talk)
    talk.text("c1", "99")
    talk.push()
    talk.later(days=31)
    talk.push(due_only=True)
    assert talk.states() == {"c1": "unmatched"}
    talk.later(days=1)
    talk.lp.put(prospect("99", notes=[], lastchanged=talk.wall(days=3)))
    read(talk)
    talk.push(due_only=True)
    assert talk.states() == {"c1": "sent"}


@pytest.mark.slow
def test_the_30_days_are_over_once_lp_has_been_read_through_them(talk: Talk) -> None:
    """C5: read and not found, it is tried no more."""
    read(talk)
    talk.text("c1", "99")
    talk.push()
    talk.later(days=31)
    read(talk)
    assert talk.push(due_only=True).of("unmatched") == 1
    talk.later(days=2)
    assert talk.push(due_only=True).of("unmatched") == 0
