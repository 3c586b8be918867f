"""A running `dagster dev` follows its settings file (SPEC C4, "Names")."""

import time
from pathlib import Path

import pytest

from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.drills.deployment import Deployment, until
from lp_pipeline_tests.drills.drill import Drill

SENSOR = "push_when_communications_arrive"
OFF = {"PUSH_COMMUNICATIONS": "false"}


@pytest.mark.slow
def test_a_running_deployment_follows_its_settings_file(tmp_path: Path) -> None:
    """C4: a switch that is turned off stops the push that is running and all later ones; a password that was corrected
    is used by the next run. Nothing is restarted or reloaded."""
    file = tmp_path / "lp_pipeline.env"

    def edit(**changed: str) -> None:
        draft = file.with_suffix(".draft")  # whole at once, as editors save
        draft.write_text("".join(f"{name}={value}\n" for name, value in {**account.environ, **changed}.items()))
        draft.replace(file)

    def notes() -> int:
        return len(account.lp.all_notes())

    with account_of(Drill, tmp_path) as account:
        account.begin(doubt_seconds=1)
        account.environ |= {"PUSH_TO_CALL_LOGS": "false", "PUSH_TO_PRODUCTION_NOTES": "false"}
        account.lp.fault("slow", path="AddNotes", times=1000, seconds=0.2)
        deployment = Deployment(account, tmp_path / "home", file)
        edit(LP_PASSWORD="wrong")
        try:
            deployment.start()
            account.say(0, 60)
            until(lambda: any(path == "/token" for path, _ in account.lp.requests), "no push began")
            until(lambda: not deployment.under_way(), "the push with the wrong password never ends")
            assert notes() == 0
            edit()
            deployment.launch("push_communications")
            until(notes, "the corrected password is not used")
            edit(**OFF)
            sent = notes()
            until(lambda: not deployment.under_way(), "the push never ends")
            assert notes() <= sent + 1  # one may have been under way
            sent = notes()
            account.environ |= OFF  # what lands now is skipped for good
            account.say(60, 70)
            began = time.time()
            until(lambda: len(deployment.ticks(SENSOR, began)) > 2, "the sensor does not tick")
            until(lambda: not deployment.under_way(), "a push never ends")
            assert notes() == sent
            edit(PUSH_COMMUNICATIONS="true")
            until(lambda: notes() >= 60, "what waited is not sent once the switch is on again")
            until(lambda: not deployment.under_way(), "the last push never ends")
            assert notes() == 60
        finally:
            deployment.kill()
