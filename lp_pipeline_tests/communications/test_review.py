"""`lp-pipeline pushes` shows what a decision takes (SPEC E3): on a terminal of any width, and into another program."""

import csv
import io
import json
from datetime import timedelta

import pytest
from rich.console import Console

from lp_pipeline.cli.review import show_listed
from lp_pipeline_tests.communications.talk import Talk
from lp_pipeline_tests.communications.test_manual import NOTES, typed
from lp_pipeline_tests.scenario import lead, prospect

LONG = "<p>Could you&nbsp;come on Thursday,</p><p>or on Friday morning before ten, please? \x1b[31mThanks.</p>"
ONE_LINE = "Could you come on Thursday, or on Friday morning before ten, please? [31mThanks."


@pytest.fixture
def waiting(talk: Talk) -> Talk:
    """One push belongs to two prospects, one to nobody, one was refused until it failed."""
    for cst_id, name in (("8", "Bea"), ("9", "李")):
        talk.lp.put(prospect(cst_id, lead(f"{cst_id}0"), firstname=name, phone1="(518) 555-0188", email=""))
    talk.sync()
    talk.publish()
    talk.text("c-two", "", phone="+1 518-555-0188", body=LONG, minutes=70)
    talk.text("c-none", "", phone="518-555-0199", email="x@example.com", direction="outbound", body="Hello", minutes=60)
    talk.text("c-bad", "3", body="Bye", minutes=50)
    for _ in range(8):
        talk.lp.fault("string", path=NOTES, message="Rejected: record locked.")
        talk.push()
        talk.later(hours=4)
    assert talk.states() == {"c-two": "unmatched", "c-none": "unmatched", "c-bad": "failed"}
    return talk


def page(talk: Talk, width: int) -> str:
    """What a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show_listed(talk.load(), None, None, console, "page")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, pytest.param(120, marks=pytest.mark.slow)])
def test_a_terminal_shows_what_a_decision_takes_one_below_the_other(waiting: Talk, width: int) -> None:
    """E3: time in the account's zone, direction, name, phone or email, 60 letters, the reason in words, candidates."""
    shown = page(waiting, width)
    assert max(map(len, shown.splitlines())) <= width
    two, none, bad = shown.split("── record ")[1:]
    for part in (
        "inbound text",
        "5185550188",
        f"{ONE_LINE[:59]}…\n",
        "several prospects have this phone or email",
        "8 Bea Field; 9 李 Field",
        f"{waiting.now - timedelta(hours=32, minutes=70) - timedelta(hours=5):%Y-%m-%d %H:%M} EST",
    ):
        assert part in two
    assert "no prospect has this phone or email" in none
    assert "outbound text" in none
    assert all(part in bad for part in ("Ann Field", "(518)555-0103", "LeadPerfection refused it", "record locked"))


@pytest.mark.slow
def test_another_program_gets_all_of_it(waiting: Talk) -> None:
    """E3: as CSV, or with --json: whole texts, candidates with their names, the reason as a word to select by."""
    rows = {row["communication_id"]: row for row in csv.DictReader(io.StringIO(typed(waiting).stdout))}
    assert list(rows) == ["c-two", "c-none", "c-bad"]
    two, bad = rows["c-two"], rows["c-bad"]
    assert (two["text"], two["reason"], two["candidates"]) == (ONE_LINE, "several", "8 Bea Field; 9 李 Field")
    assert (bad["words"], bad["attempts"], bad["name"]) == ('"Rejected: record locked."', "8", "Ann Field")
    assert two["occurred_at"].endswith("-05:00")
    listed = json.loads(typed(waiting, "--json").stdout)
    assert [each["communication_id"] for each in listed] == list(rows)
    assert listed[0]["candidates"] == [
        {"external_contact_id": "8", "name": "Bea Field"},
        {"external_contact_id": "9", "name": "李 Field"},
    ]


def test_nothing_to_decide_says_so_and_leaves_other_programs_valid_output(talk: Talk) -> None:
    """E3: on standard error, with what was selected; standard output is an empty table."""
    none = typed(talk, "--json")
    assert (none.exit_code, json.loads(none.stdout)) == (0, [])
    assert none.stderr == "No push is uncertain, unmatched or failed.\n"
    misspelled = typed(talk, "--state", "failed", "--reason", "no_jop")
    assert misspelled.stderr == "No push is failed with the reason no_jop.\n"
    assert misspelled.stdout.startswith("communication_id,")


def test_a_message_that_can_not_be_looked_for_says_so(talk: Talk) -> None:
    """C5, E3: without a phone or an email there is nothing to find a prospect by."""
    talk.land({"id": "c1", "contact_id": "h1", "category": "sms", "body": "Hi", "occurred_at": talk.now.isoformat()})
    talk.push()
    assert "it comes with no phone or email to look for" in typed(talk).stdout
