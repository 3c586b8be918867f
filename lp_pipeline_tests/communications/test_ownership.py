"""One data folder of this machine pushes for an account: two ledgers would write every message twice (C7, R5)."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.errors import SettingsError
from lp_pipeline.runs.steps import push_open
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline_tests.communications.talk import Talk


class Second:
    """The same account in another data folder: a copy of the first one's, or with a ledger of its own."""

    def __init__(self, talk: Talk, *, copied: bool = False) -> None:
        self.first = talk.folder
        self.folder = talk.folder.with_name("second")
        talk.outbox.close()
        if copied:
            shutil.copytree(talk.folder, self.folder, symlinks=True)
        else:
            self.folder.mkdir()
            shutil.copy(talk.folder / "published.duckdb", self.folder)
        self._talk = talk

    def use(self, folder: Path) -> Talk:
        """From now on the account works in this folder."""
        self._talk.outbox.close()
        self._talk.folder = folder
        self._talk.environ["LP_PIPELINE_DATA"] = str(folder)
        self._talk.outbox = Outbox(folder)
        return self._talk


def refusal(talk: Talk) -> str:
    with pytest.raises(SettingsError) as caught:
        talk.push()
    return str(caught.value)


@pytest.mark.parametrize("copied", [True, False])
def test_a_second_folder_that_would_push_is_refused(talk: Talk, copied: bool) -> None:
    """C7: whether it is a copy of the first one or begins anew; both are named, and what to do."""
    talk.push()
    second = Second(talk, copied=copied)
    talk.text("c1")
    talk.push()
    talk = second.use(second.folder)
    talk.text("c1")
    message = refusal(talk)
    assert f"{second.first} already pushes" in message
    assert f"{second.folder} does not" in message
    assert "lp-pipeline pushes takeover" in message
    assert len(talk.lp.notes(1)) == 1
    assert [row["why"] for row in talk.outbox.rows("stops")] == [message]
    talk.environ["PUSH_COMMUNICATIONS"] = "false"
    talk.push()
    talk.environ |= {"PUSH_COMMUNICATIONS": "true", "HATCH_SOURCE": "custom:another"}
    talk.later(minutes=2)
    talk.push()


def test_taking_over_looks_for_what_the_other_folder_sent(talk: Talk) -> None:
    """R5: there is one note of each in the end, and the first folder pushes no more."""
    talk.push()
    second = Second(talk)
    talk.text("c1")
    talk.push()
    talk = second.use(second.folder)
    talk.text("c1")
    talk.text("c2")
    environ = {**talk.environ, "LP_PIPELINE_NOW": talk.now.isoformat()}
    result = CliRunner().invoke(main, ["pushes", "takeover"], env=environ)
    assert (result.exit_code, str(second.folder) in result.output) == (0, True), result.output
    for _ in range(2):
        talk.push()
        talk.over()
    assert talk.states() == {"c1": "sent", "c2": "sent"}
    assert len(talk.lp.notes(1)) == 2
    second.use(second.first)
    assert f"{second.folder} already pushes" in refusal(talk)


def test_a_takeover_holds_for_a_push_that_is_under_way(talk: Talk) -> None:
    """C7: between two messages."""
    talk.push()
    second = Second(talk)
    talk.text("c1")
    talk.text("c2")

    def take_over(_done: int, _all: int) -> None:
        environ = {**talk.environ, "LP_PIPELINE_DATA": str(second.folder), "LP_PIPELINE_NOW": talk.now.isoformat()}
        assert CliRunner().invoke(main, ["pushes", "takeover"], env=environ).exit_code == 0

    with talk.connections() as connections:
        report = push_open(connections, {}, due_only=False, on_progress=take_over)
    assert (report.of("sent"), len(talk.lp.notes(1))) == (1, 1)
    assert "already pushes" in report.errors[0]


def test_a_folder_that_was_moved_goes_on_and_a_new_one_after_a_lost_one_looks_first(talk: Talk) -> None:
    """C7, R5: the ledger that was moved knows what it sent; a new ledger does not."""
    talk.text("c1")
    talk.push()
    second = Second(talk)
    shutil.rmtree(second.folder)
    second.first.rename(second.folder)
    talk = second.use(second.folder)
    talk.text("c2")
    assert talk.push().of("sent") == 1
    talk.outbox.close()
    second.first.mkdir()
    shutil.copy(second.folder / "published.duckdb", second.first)
    shutil.rmtree(second.folder)
    second.use(second.first)
    talk.text("c1")
    talk.text("c2")
    for _ in range(2):
        talk.push()
        talk.over()
    assert talk.states() == {"c1": "sent", "c2": "sent"}
    assert len(talk.lp.notes(1)) == 2
