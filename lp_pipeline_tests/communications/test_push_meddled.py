"""SPEC Q1, R2, C5: a push whose published file is held, damaged or gone finds the same addresses all the same."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lp_pipeline.runs.steps import dry_run, publish_pushes, push_open
from lp_pipeline.storage.locks import Turn
from lp_pipeline_tests import meddling
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.communications.talk import LONG_AGO, Talk, people
from lp_pipeline_tests.meddling import Act


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[Talk]:
    """An account whose three people a sync has read and published."""
    with account_of(Talk, tmp_path) as opened:
        for person in people():
            opened.lp.put(person)
        opened.sync()
        opened.publish()
        opened.environ["PUSH_SINCE"] = LONG_AGO
        yield opened


EVERYDAY = (meddling.holds_it_for_writing,)
ACTS = [act if act in EVERYDAY else pytest.param(act, marks=pytest.mark.slow) for act in meddling.HARMFUL]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_push_finds_whom_it_is_for_whatever_a_client_did(synced: Talk, act: Act) -> None:
    """R2, C5: it is sent, to the right one; nobody is said to be not read yet; a dry run says the same."""
    synced.text("known", "2")
    synced.text("by phone", "", phone="5185550103")
    with ExitStack() as stack:
        act(synced.folder / "published.duckdb", stack)
        with synced.connections() as connections:
            planned = {each.communication_id: each.where for each in dry_run(connections, {})}
        assert planned == {"known": "prospect 2", "by phone": "prospect 3"}
        report = synced.push()
        assert (report.errors, synced.states()) == ([], {"known": "sent", "by phone": "sent"})
        assert [len(synced.lp.notes(number)) for number in (1, 2, 3)] == [0, 1, 1]
    assert not list(synced.folder.glob(".published*"))


def test_a_push_waits_for_a_sync_only_where_it_can_not_read_what_is_published(synced: Talk) -> None:
    """R2: with the file as it was left, the turn is no matter; without, it takes the next moment between two syncs."""
    turn = Turn(synced.folder)
    with ExitStack() as stack, ExitStack() as sync:
        sync.enter_context(turn)
        synced.text("c1")
        assert pushes(synced, "c1")
        synced.text("c2")
        meddling.holds_it_for_writing(synced.folder / "published.duckdb", stack)
        assert not pushes(synced, "c2", seconds=1)
        sync.close()
        assert pushes(synced, "c2")
    assert not turn.is_taken()


def pushes(talk: Talk, identity: str, *, seconds: float = 60) -> bool:
    """Whether a push that begins now sends this one within so many seconds; it may continue after that."""
    push = threading.Thread(target=talk.push, daemon=True)
    push.start()
    push.join(seconds)
    return talk.states().get(identity) == "sent"


@pytest.mark.slow
def test_a_push_can_publish_what_became_of_it_whatever_a_client_did(synced: Talk) -> None:
    """Q1: right after the push, although something else has the file's name."""
    synced.text("c1")
    with ExitStack() as stack:
        for act in (meddling.puts_a_folder_there, meddling.puts_a_link_to_nothing_there, meddling.locks_it):
            act(synced.folder / "published.duckdb", stack)
            with synced.connections() as connections:
                push_open(connections, {}, due_only=False)
                assert publish_pushes(connections).published
            assert synced.published("select state from communication_pushes where target = 'note'") == [("sent",)]
