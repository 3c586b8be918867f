"""Pushes that need a decision: listing and settling them on the command line (SPEC E3)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner, Result

from lp_pipeline.cli.communications import deliver, push, pushes
from lp_pipeline_tests.communications.talk import ALL, Talk

NOTES = "AddNotes"


@contextmanager
def shell(talk: Talk) -> Iterator[CliRunner]:
    """A shell whose environment is the account's alone."""
    ours = ("LP_", "HATCH_", "PUSH_", "COMMUNICATIONS_", "INBOX_")
    others: dict[str, str | None] = {name: None for name in os.environ if name.startswith(ours)}
    yield CliRunner(env=others | {**talk.environ, "LP_PIPELINE_NOW": talk.now.isoformat()})


def typed(talk: Talk, *arguments: str) -> Result:
    """`lp-pipeline pushes …`."""
    with shell(talk) as runner:
        return runner.invoke(pushes, arguments, catch_exceptions=True)


def nothing_changed(talk: Talk, *arguments: str) -> bool:
    """Whether the command says that nothing matched, fails, and leaves the ledger alone."""
    before = dump(talk)
    result = typed(talk, *arguments)
    assert (result.exit_code, result.output) == (1, "Error: No matching pushes; nothing changed.\n")
    return dump(talk) == before


def held(talk: Talk) -> None:
    """One push is uncertain, one unmatched, one failed, one sent, one skipped."""
    talk.environ |= {"PUSH_TO_PRODUCTION_NOTES": "true"}
    talk.text("c1", "1")
    talk.lp.fault("lost", path=NOTES, after=1)  # the production note's: it goes second
    talk.push()
    talk.over()
    talk.push()
    talk.environ |= {"PUSH_TO_PRODUCTION_NOTES": "false"}
    talk.text("c2", "99")
    talk.text("c3", "3")
    for _ in range(8):
        talk.lp.fault("string", path=NOTES, message="Rejected by Ann.")
        talk.push()
        talk.later(hours=4)
    assert [row for row in talk.pushes("communication_id", "target", "state") if row[2] not in ("sent", "skipped")] == [
        ("c1", "production_note", "uncertain"),
        ("c2", "note", "unmatched"),
        ("c3", "note", "failed"),
    ]


def test_what_waits_for_a_person_is_listed_and_settled(talk: Talk) -> None:
    """E3: `pushes`, `sent`, `again`, `drop`, `assign`."""
    held(talk)
    listed = typed(talk)
    assert listed.exit_code == 0
    for word in ("uncertain", "unmatched", "failed", "Rejected by Ann.", "c1", "c2", "c3"):
        assert word in listed.output
    assert "1 push marked as already delivered." in typed(talk, "sent", "c1", "--target", "production_note").output
    assert "1 push to prospect 2 queued" in typed(talk, "assign", "c2", "2").output
    assert "1 push queued" in typed(talk, "again", "c3").output
    talk.push()
    assert talk.states() == {"c1": "sent", "c2": "sent", "c3": "sent"}
    assert (len(talk.lp.notes(2)), len(talk.lp.notes(3)), len(talk.lp.job_notes(71))) == (1, 1, 1)
    assert "No push is uncertain, unmatched or failed." in typed(talk).output


def test_what_was_sent_can_not_be_sent_again(talk: Talk) -> None:
    """E3, C7: whichever way a person chooses it."""
    talk.text("c1")
    talk.push()
    assert nothing_changed(talk, "again", "c1", "--target", "note")
    for state in ("sent", "sending"):
        refused = typed(talk, "again", "--state", state)
        assert refused.exit_code != 0
    assert nothing_changed(talk, "drop", "c1", "--target", "note")
    talk.push()
    assert (talk.states(), len(talk.lp.notes(1))) == ({"c1": "sent"}, 1)


def test_what_is_in_doubt_can_not_be_settled_before_it_is_looked_up(talk: Talk) -> None:
    """C7: LP knows better than a person."""
    talk.text("c1")
    talk.lp.fault("lost", path=NOTES)
    talk.push()
    assert nothing_changed(talk, "again", "c1", "--target", "note")
    assert talk.states() == {"c1": "sending"}


def test_a_push_that_failed_has_all_its_tries_again(talk: Talk) -> None:
    """C8: `failed`, until a person asks again: then it is not given up after one more refusal."""
    held(talk)
    typed(talk, "again", "c3", "--target", "note")
    talk.lp.switch(note_answer="text")
    talk.push()
    assert (talk.states()["c3"], talk.column("attempts", "c3")) == ("pending", 1)


def test_dropped_is_never_pushed(talk: Talk) -> None:
    """E3: and says so; a person may still change their mind."""
    talk.text("c1", "99")
    talk.push()
    assert "1 push dropped" in typed(talk, "drop", "c1", "--state", "unmatched").output
    talk.later(days=2)
    talk.push()
    assert (talk.states(), talk.reasons()) == ({"c1": "skipped"}, {"c1": "dropped"})


def test_a_choice_has_to_be_made(talk: Talk) -> None:
    """E3: a bare `again`, or one with --since alone, does not push everything."""
    talk.environ["PUSH_COMMUNICATIONS"] = "false"
    talk.text("c1")
    talk.push()
    for choice in ([], ["--since", "2026-01-01"], ["--target", "note"]):
        assert typed(talk, "again", *choice).exit_code != 0
    assert set(talk.states().values()) == {"skipped"}


def test_a_target_that_is_off_is_said_to_be(talk: Talk) -> None:
    """C4, E3: `again` takes effect once the target is on, and says so."""
    talk.text("c1")
    talk.push()
    shown = typed(talk, "again", "--reason", "switched_off", "--target", "call_log").output
    assert "call_log is turned off" in shown
    talk.push(push_to_call_logs=True)
    assert len(talk.lp.call_logs(1)) == 1


@pytest.mark.parametrize("verdict", ["sent", "again", "drop"])
def test_what_matches_no_push_is_an_error(talk: Talk, verdict: str) -> None:
    """E3: exit code 1, and nothing changed: an unknown id, a reason that no push has, a time after all of them."""
    talk.text("c1", "99")
    talk.push()
    for choice in (
        ["nosuch"],
        ["--reason", "switched_of"],
        ["c1", "--since", "2026-03-09"],
        ["c1", "--state", "failed"],
    ):
        assert nothing_changed(talk, verdict, *choice)


def test_an_id_that_matches_nothing_is_named_while_the_others_are_settled(talk: Talk) -> None:
    """E3: exit code 1, as `rm` does it: a misspelled id among good ones is not lost in the count."""
    talk.text("c1", "99")
    talk.text("c2", "2")
    talk.push()
    partly = typed(talk, "drop", "c1", "nosuch", "c2")
    assert partly.exit_code == 1
    assert "1 push dropped." in partly.output
    assert "No matching pushes of nosuch, c2; those are as they were." in partly.output
    assert talk.states() == {"c1": "skipped", "c2": "sent"}


@pytest.mark.parametrize("verdict", [[], ["sent"], ["again"], ["drop"]])
def test_an_unknown_state_is_refused_and_the_valid_ones_are_named(talk: Talk, verdict: list[str]) -> None:
    """E3: a misspelled state is not an empty selection."""
    refused = typed(talk, *verdict, "--state", "nonsense")
    assert (refused.exit_code, "No matching pushes; nothing changed." in refused.output) == (1, True)
    assert all(name in refused.output for name in ("pending", "unmatched", "skipped", "uncertain", "failed"))


def test_a_listing_may_be_of_any_state(talk: Talk) -> None:
    """E3: `pushes --state sent` lists what can't be settled any more."""
    talk.text("c1")
    talk.push()
    listed = typed(talk, "--state", "sent")
    assert (listed.exit_code, "c1" in listed.output) == (0, True)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (("c9", "1"), "Communication c9 has no unmatched pushes; nothing changed."),
        (("c2", "1"), "Communication c2 has no unmatched pushes; nothing changed."),
        (("c1", "98"), "No prospect 98 has been read from LeadPerfection."),
        (("c1", "notanid"), "No prospect notanid has been read from LeadPerfection."),
    ],
)
def test_an_assignment_that_can_not_work_is_refused(talk: Talk, ids: tuple[str, str], message: str) -> None:
    """E3, C5: an unknown communication, one that was sent, a prospect that was never read; nothing changed."""
    talk.text("c1", "99")
    talk.text("c2", "2")
    talk.push()
    before = dump(talk)
    refused = typed(talk, "assign", *ids)
    assert refused.exit_code == 1
    assert message in str(refused.exception)
    assert dump(talk) == before


def test_before_anything_is_published_nobody_can_be_assigned(talk: Talk) -> None:
    """E3: without a published copy no prospect has been read."""
    talk.text("c1", "99")
    talk.push()
    (talk.folder / "published.duckdb").unlink()
    assert "No prospect 1 has been read" in str(typed(talk, "assign", "c1", "1").exception)


def test_a_delivery_since_a_time_to_come_is_refused(talk: Talk) -> None:
    """D1: it would send nothing, and say so as if all were well."""
    with shell(talk) as runner:
        refused = runner.invoke(deliver, ["--since", "2099-01-01"])
    assert (refused.exit_code, "2099-01-01 00:00 is in the future" in refused.output) == (1, True)


@pytest.mark.parametrize("doubt", [False, True])
def test_a_dry_run_shows_word_for_word_what_a_push_then_writes(talk: Talk, doubt: bool) -> None:
    """--dry-run: where and what, dates moved on too; it writes nothing, not even the outbox's file."""
    talk.environ |= ALL
    del talk.environ["PUSH_SINCE"]
    with shell(talk) as runner:
        assert "Nothing would be written." in runner.invoke(push, ["--dry-run"]).output
    assert not talk.outbox.path.exists()
    talk.environ["PUSH_SINCE"] = "2026-02-01T00:00:00Z"
    talk.text("c0", "1", minutes=10)
    if doubt:
        talk.lp.fault("lost", path=NOTES)
        talk.push()
    for number in range(1, 3):
        talk.text(f"c{number}", body="Hi\nthere")
    talk.text("c9", "99")
    before = dump(talk)
    with shell(talk) as runner:
        shown = runner.invoke(push, ["--dry-run"]).output
    assert dump(talk) == before
    requests = len(talk.lp.requests)
    assert "c9 → note: unmatched (not_read)" in shown
    assert shown.startswith(
        f"To LeadPerfection (nothing was written):\n  notes             {2 if doubt else 3}, on 1 record\n"
    )
    assert "\n  not now           1, note: unmatched (not_read)\n" in shown
    assert ("c0 → note: in doubt" in shown) is doubt
    talk.push()
    assert len(talk.lp.requests) > requests
    for text in talk.lp.notes(1)[1:] if doubt else talk.lp.notes(1):
        assert f"prospect 1\n{text}" in shown
    dates = [call["calldatetime"].replace("T", " ") for call in talk.lp.call_logs(1)]
    assert all(f"CallDate {date}" in shown for date in (dates[1:] if doubt else dates))


def test_a_dry_run_before_the_first_push_shows_nothing_of_the_past(talk: Talk) -> None:
    """C4: as the push would, which begins when it is first on."""
    del talk.environ["PUSH_SINCE"]
    talk.environ["PUSH_COMMUNICATIONS"] = "false"
    talk.text("c1", minutes=60)
    talk.environ["PUSH_COMMUNICATIONS"] = "true"
    with shell(talk) as runner:
        assert "Nothing would be written." in runner.invoke(push, ["--dry-run"]).output


def dump(talk: Talk) -> list[object]:
    """All that the outbox holds."""
    with talk.outbox.transaction(visible=False) as connection:
        return [
            tuple(row)
            for table in ("facts", "communications", "communication_pushes")
            for row in connection.execute(f"select * from {table} order by 1, 2").fetchall()
        ]
