"""After an older copy of the data folder was restored nothing is pushed twice (SPEC R5)."""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.communications.manual import recovered
from lp_pipeline.errors import SettingsError
from lp_pipeline.runs.steps import dry_run
from lp_pipeline_tests.communications.talk import ALL, Talk

NOTES, CALLS = "AddNotes", "AddCallHistory"


class Restored:
    """A copy of the data folder, made now, that takes its place later."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._copy = talk.folder.with_name("copy")
        self.made_at = talk.now
        talk.outbox.close()
        shutil.copytree(talk.folder, self._copy, symlinks=True)

    def restore(self, since: datetime | None = None) -> int:
        """Restore it some time later and say so; how many pushes are looked for."""
        self._talk.outbox.close()
        shutil.rmtree(self._talk.folder)
        shutil.copytree(self._copy, self._talk.folder, symlinks=True)
        self._talk.later()
        return recovered(self._talk.outbox, self._talk.load(), since or self.made_at).total()


def settled(talk: Talk) -> None:
    """A push puts them in doubt, the next one, when the doubt is over, settles it."""
    talk.push()
    talk.over()
    talk.push()


def writes(talk: Talk) -> int:
    """How often LeadPerfection was asked to write something."""
    return sum(path.endswith((NOTES, CALLS, "AddProductionNote")) for path, _ in talk.lp.requests)


def test_what_was_pushed_since_the_copy_is_found_and_not_pushed_again(talk: Talk) -> None:
    """R5: of two that were pending in the copy one was pushed since then; there is one note of each in the end."""
    talk.text("c1")
    talk.text("c2", "2")
    talk.lp.fault("string", path=NOTES, message="Not now.", times=2)
    talk.push()
    copy = Restored(talk)
    talk.later(minutes=2)
    talk.lp.fault("string", path=NOTES, message="Not now.", times=1)
    talk.push()
    assert [len(talk.lp.notes(1)), len(talk.lp.notes(2))] in ([0, 1], [1, 0])
    assert copy.restore() == 2
    settled(talk)
    assert [len(talk.lp.notes(1)), len(talk.lp.notes(2))] == [1, 1]
    assert talk.states() == {"c1": "sent", "c2": "sent"}


def test_nothing_is_sent_before_the_doubt_is_over(talk: Talk) -> None:
    """R5, C7: LeadPerfection may still be writing what a crash cut off; then it is looked up, and once only."""
    talk.text("c1")
    copy = Restored(talk)
    copy.restore()
    talk.push()
    assert (writes(talk), talk.states()) == (0, {"c1": "sending"})
    talk.over()
    talk.lp.fault("string", path=NOTES, message="Not now.")
    talk.push()
    assert talk.states() == {"c1": "pending"}
    talk.later()
    before = len(talk.lp.requests)
    talk.push()
    assert [path.rpartition("/")[2] for path, _ in talk.lp.requests[before:]] == ["token", NOTES]
    assert talk.states() == {"c1": "sent"}


def test_what_lands_again_is_looked_for_and_what_is_new_is_not(talk: Talk) -> None:
    """R5: what the copy had never seen lands again after the command; what occurs later was never pushed before."""
    copy = Restored(talk)
    talk.text("c1")
    talk.text("c2", minutes=3 * 24 * 60)  # occurred before the copy was made, landed after it
    talk.push()
    assert len(talk.lp.notes(1)) == 2
    said = [talk.said("c1"), talk.said("c2", minutes=3 * 24 * 60)]
    assert copy.restore() == 0
    talk.later(hours=2)
    talk.land(*said, talk.said("c3", minutes=1))
    before = len(talk.lp.requests)
    talk.push()
    assert [path.rpartition("/")[2] for path, _ in talk.lp.requests[before:]] == ["token", "GetLead", NOTES]
    assert talk.states() == {"c1": "sent", "c2": "sent", "c3": "sent"}
    assert sorted(text.partition("\n")[0][-10:] for text in talk.lp.notes(1)) == [
        "[hatch:c1]",
        "[hatch:c2]",
        "[hatch:c3]",
    ]


def test_call_logs_are_found_by_date_and_phone_also_when_their_calls_were_read(talk: Talk) -> None:
    """R5, C7: two at the same second went at different dates; LeadPerfection's calls, read since, move no date on."""
    talk.environ |= {"PUSH_TO_NOTES": "false", "PUSH_TO_CALL_LOGS": "true"}
    other = {"calldatetime": "2026-03-02T11:50:00", "phone": "5185550999"}  # moves the first one on
    talk.lp.put({**talk.lp.get(1), "calls": [other], "lastchanged": talk.wall(minutes=1)})
    talk.sync()
    talk.publish()
    talk.text("c1")
    talk.text("c2")
    copy = Restored(talk)
    talk.push()
    dates = [call["calldatetime"][-8:] for call in talk.lp.call_logs(1)]
    assert dates == ["11:50:01", "11:50:02"]
    assert copy.restore() == 0
    talk.lp.put({**talk.lp.get(1), "lastchanged": talk.wall(minutes=1)})
    talk.sync()
    talk.publish()
    settled(talk)
    assert talk.states("call_log") == {"c1": "sent", "c2": "sent"}
    assert len(talk.lp.call_logs(1)) == 2


def test_what_cannot_be_looked_for_needs_a_decision(talk: Talk) -> None:
    """R5, C7: production notes are never shown, call logs for a week only."""
    talk.environ |= ALL
    talk.text("c1", minutes=6 * 24 * 60)
    copy = Restored(talk)
    copy.restore(since=copy.made_at - timedelta(days=7))
    settled(talk)
    assert (talk.states("production_note"), talk.states("call_log")) == ({"c1": "uncertain"}, {"c1": "uncertain"})
    assert (talk.states(), len(talk.lp.notes(1)), talk.lp.job_notes(71)) == ({"c1": "sent"}, 1, [])


def test_what_was_pushed_again_by_hand_is_found_too(talk: Talk) -> None:
    """R5: skipped in the copy, pushed since then by `pushes again`, and asked for again after the restoration."""
    again = ["pushes", "again", "c1"]
    environ = {**talk.environ, "PUSH_TO_NOTES": "false"}
    talk.environ["PUSH_TO_NOTES"] = "false"
    talk.environ["PUSH_TO_CALL_LOGS"] = "true"
    talk.text("c1")
    talk.push()
    assert talk.states() == {"c1": "skipped"}
    copy = Restored(talk)
    environ = {**talk.environ, "PUSH_TO_NOTES": "true"}
    talk.environ = environ
    for _ in range(2):
        result = CliRunner().invoke(main, again, env={**environ, "LP_PIPELINE_NOW": talk.now.isoformat()})
        assert result.exit_code == 0, result.output
        settled(talk)
        assert (talk.states(), len(talk.lp.notes(1))) == ({"c1": "sent"}, 1)
        copy.restore(since=copy.made_at - timedelta(minutes=1))


def test_what_is_unmatched_is_looked_for_once_it_matches(talk: Talk) -> None:
    """R5, C5: it was matched and pushed after the copy was made, long after it occurred and was first seen."""
    talk.text("c1", "9")
    talk.push()
    talk.later()
    copy = Restored(talk)
    talk.text("c1", "1")
    talk.later(hours=1)
    talk.push()
    assert copy.restore() == 1
    talk.push()
    assert talk.states() == {"c1": "unmatched"}
    talk.text("c1", "1", minutes=90)
    talk.over()
    before = writes(talk)
    talk.push()
    assert (writes(talk) - before, talk.states(), len(talk.lp.notes(1))) == (0, {"c1": "sent"}, 1)


def test_the_command_says_how_many(talk: Talk) -> None:
    """R5: pushes that are sent are left alone; a time that is yet to come is a mistake."""
    talk.text("c1")
    talk.push()
    talk.text("c2", "9")
    talk.push()
    environ = {**talk.environ, "LP_PIPELINE_NOW": talk.now.isoformat()}
    shown = CliRunner().invoke(main, ["recovered", "--since", "2026-03-01"], env=environ)
    assert shown.output.startswith("1 push will be looked up")
    with pytest.raises(SettingsError, match="in the future"):
        recovered(talk.outbox, talk.load(), talk.now + timedelta(minutes=1))


def test_a_dry_run_says_that_it_is_looked_for(talk: Talk) -> None:
    """R5: nothing is promised to be written that may be there."""
    talk.text("c1")
    recovered(talk.outbox, talk.load(), talk.now)
    with talk.connections() as connections:
        assert [(each.what, each.target) for each in dry_run(connections, {}) if each.target == "note"] == [
            ("in doubt: looked up before it is sent", "note")
        ]


def test_an_outbox_of_version_1_is_migrated(talk: Talk) -> None:
    """R6: what it holds stays."""
    talk.text("c1")
    talk.outbox.close()
    with closing(sqlite3.connect(talk.outbox.path)) as connection:
        connection.executescript("drop table pushes_to_look_for; pragma user_version = 1;")
    talk.push()
    assert talk.states() == {"c1": "sent"}
