"""When alerts are sent (SPEC N1): at the end of a run, and by a sensor."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from lp_pipeline.orchestration.alert_sensor import accounts_alert_sensor, alert_sensor
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.settings import listed_accounts
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.accounts_file import NAMES, add, listing
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


def test_one_sensor_serves_all_accounts(deployment: Path) -> None:
    """N1, A2: under each account's own name; one whose folder is on another host, or that is disabled, is left out,
    and one whose address can't be reached delays no other."""
    with listening() as listener, dg.DagsterInstance.ephemeral() as instance:
        listing(deployment, "albany", "boston", "chicago", "denver", denver="false")
        add(deployment, "albany", {**listener.settings, "LP_PAGE_SIZE": "many"})
        add(deployment, "boston", {"ALERT_WEBHOOK_URL": "http://127.0.0.1:9/", "LP_PAGE_SIZE": "many"})
        add(deployment, "denver", {**listener.settings, "LP_PAGE_SIZE": "many"})
        context = dg.build_sensor_context(instance=instance)
        found = accounts_alert_sensor(listed_accounts)(context)
        assert isinstance(found, dg.SensorResult)
        assert '"last":"chicago"' in (found.cursor or "")
        assert isinstance(found.skip_reason, dg.SkipReason)
        albany, boston = (found.skip_reason.skip_message or "").splitlines()
        assert albany.startswith("albany: sent: lp_pipeline albany: syncs fail since")
        assert boston.startswith("boston: The address in ALERT_WEBHOOK_URL can't be reached")
        assert len(listener.texts()) == 1


def test_accounts_on_a_host_that_is_down_are_late_and_later_no_more(deployment: Path) -> None:
    """N1, A2: their own runs can't say that none ends any more. One message for each address, once, and an all-clear;
    not before an hour of looking, and not for what happened while nobody looked."""
    began = datetime.now(UTC) - timedelta(hours=3)
    minutes = 0
    with listening() as listener, dg.DagsterInstance.ephemeral() as instance:
        for name in NAMES:
            shutil.rmtree(add(deployment, name, listener.settings if name != "chicago" else {}))
        sensor = accounts_alert_sensor(listed_accounts, lambda: began + timedelta(minutes=minutes))
        cursor: str | None = "albany"  # as an earlier program left it

        def tick(at: int) -> list[str]:
            nonlocal minutes, cursor
            minutes = at
            found = sensor(dg.build_sensor_context(instance=instance, cursor=cursor))
            assert isinstance(found, dg.SensorResult)
            cursor = found.cursor
            return listener.texts()

        assert [tick(at) for at in (0, 15, 30, 45)] == [[]] * 4
        assert tick(50 + 60) == []  # nobody looked for an hour
        assert [tick(at) for at in (125, 140, 155)] == [[]] * 3
        listener.status = 503
        assert tick(170) == []
        listener.status = 200
        assert tick(172) == []  # it is tried again at the next look
        assert tick(185) == ["lp_pipeline: no sync of albany, boston has ended in the last hour"]
        assert listener.messages == []
        assert tick(200) == []
        tags = {"dagster/partition": "albany"}
        job = build_definitions().resolve_job_def("sync")
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS, tags=tags)
        assert tick(215) == ["lp_pipeline: syncs of albany end again"]
        listing(deployment, "albany", "chicago")
        assert [tick(at) for at in (230, 240)] == [[], []]


@pytest.mark.slow
def test_a_run_reports_at_its_end(lp_account: Account) -> None:
    """N1: the failure with its message, then that it is over, and the heartbeat; whoever started the run. If neither
    can be sent, each step ends as it did."""
    with listening() as listener:
        lp_account.environ |= {**listener.settings, "LP_PASSWORD": "wrong"}
        assert not lp_account.run().success
        (message,) = listener.messages
        assert "LP_PASSWORD" in message["why"]
        assert message["kind"] == "sync"
        assert len(listener.paths) == 1
        lp_account.environ["LP_PASSWORD"] = "sandbox"
        good = lp_account.run()
        assert good.success
        assert "syncs work again" in listener.texts()[1]
        assert f"/beat/{SECRET}" in listener.paths

        def ended(result: dg.ExecuteInProcessResult) -> set[tuple[str | None, str]]:
            return {(event.step_key, event.event_type_value) for event in result.all_events if event.is_step_event}

        listener.status = 503
        lp_account.later()
        silent = lp_account.run()
        assert silent.success
        assert ended(silent) == ended(good)
