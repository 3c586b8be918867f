"""`dagster dev` killed and started again, once; the drill does it several times, with all kinds of runs (SPEC R1)."""

import random
import time
from pathlib import Path

import pytest
from dagster._core.scheduler.instigation import TickStatus

from lp_pipeline.storage.locks import PUSH_TURN, Turn
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.drills.daemon import Mortal
from lp_pipeline_tests.drills.deployment import Status, until
from lp_pipeline_tests.drills.drill import Drill


@pytest.mark.marathon
def test_after_everything_was_killed_starting_it_again_is_enough(tmp_path: Path) -> None:
    """R1: the dead push is ended, the sensor makes up for it, what was queued begins; no note is lost or doubled."""
    with account_of(Drill, tmp_path) as account:
        mortal = Mortal(account, tmp_path / "home", random.Random(1))
        deployment = mortal.deployment
        try:
            mortal.say(2)
            deployment.start()
            until(lambda: account.lp.requests and Turn(account.folder, PUSH_TURN).is_taken(), "no push began")
            deployment.freeze_daemon()
            queued = deployment.launch("sync")
            deployment.kill()
            pushes = deployment.under_way("push_communications")  # another one may have been asked for meanwhile
            killed = {each for each in pushes if deployment.states([each]) == {Status.STARTED}}
            assert killed
            assert deployment.states([queued]) == {Status.QUEUED}
            again = time.time()
            mortal.let_go()
            deployment.start()
            until(lambda: deployment.states(killed) == {Status.FAILURE}, "the dead run is still under way")
            until(lambda: deployment.states([queued]) <= {Status.STARTED, Status.SUCCESS}, "the queue does not move")
            until(lambda: not account.open_pushes(), "nobody made up for the killed push")
            ticks = deployment.ticks("push_when_communications_arrive", again)
            assert [run_id for tick in ticks if tick.status == TickStatus.SUCCESS for run_id in tick.run_ids]
        finally:
            deployment.kill()
        assert account.result(mortal.texts)[1] == []
