"""When alerts are sent (SPEC N1): at the end of a run, and by a sensor."""

import dagster as dg
import pytest

from lp_pipeline.orchestration.alert_sensor import alert_sensor
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.insight.listener import SECRET, listening


def test_the_sensor_sends_what_no_run_can_tell(lp_account: Account) -> None:
    """N1: that settings are wrong, say; its tick says what it did, without the address, and starts nothing."""
    lp_account.folder.mkdir()
    with listening() as listener, dg.DagsterInstance.ephemeral() as instance:
        lp_account.environ |= listener.settings

        def tick() -> str:
            found = alert_sensor(lp_account.load)(dg.build_sensor_context(instance=instance))
            assert isinstance(found, dg.SkipReason)
            return found.skip_message or ""

        assert tick() == "nothing new to report"
        lp_account.environ["LP_PAGE_SIZE"] = "many"
        assert tick().startswith("sent: lp_pipeline sandbox: syncs fail since")
        assert len(listener.texts()) == 1
        lp_account.environ["LP_PAGE_SIZE"] = "50"
        listener.status = 500
        assert "answered HTTP 500" in tick()
        assert SECRET not in tick()


@pytest.mark.slow
def test_a_run_reports_at_its_end(lp_account: Account) -> None:
    """N1: the failure with its message, then that it is over, and the heartbeat; whoever started the run."""
    with listening() as listener:
        lp_account.environ |= {**listener.settings, "LP_PASSWORD": "wrong"}
        assert not lp_account.run().success
        (message,) = listener.messages
        assert "LP_PASSWORD" in message["why"]
        assert message["kind"] == "sync"
        assert len(listener.paths) == 1
        lp_account.environ["LP_PASSWORD"] = "sandbox"
        assert lp_account.run().success
        assert "syncs work again" in listener.texts()[1]
        assert f"/beat/{SECRET}" in listener.paths
