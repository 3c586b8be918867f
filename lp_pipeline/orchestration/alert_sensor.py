"""The sensor that sends alerts about what no run can tell: that none ran, that one was killed, that settings are wrong,
or an alert that did not get out (SPEC N1). What is sent, and once, is decided in `insight/alerts.py`.
"""

import time
from collections.abc import Callable
from functools import partial

import dagster as dg

from lp_pipeline.insight.alerts import Checked, check
from lp_pipeline.orchestration.account_schedules import Accounts, enabled
from lp_pipeline.settings import Settings, load_account, load_settings

SECONDS_BETWEEN = 120
SECONDS_OF_A_TICK = 20.0  # for many accounts; Dagster gives a tick a minute
DESCRIPTION = "Sends alerts to ALERT_WEBHOOK_URL, also when no sync has ended well for a while."


def alert_sensor(load: Callable[[], Settings] = load_settings) -> dg.SensorDefinition:
    """For one account."""

    @dg.sensor(
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=DESCRIPTION,
    )
    def alert_when_something_is_wrong() -> dg.SkipReason:
        return dg.SkipReason(_said(check(load, stays=True)) or "nothing new to report")

    return alert_when_something_is_wrong


def accounts_alert_sensor(accounts: Accounts) -> dg.SensorDefinition:
    """For many accounts: as many as a tick has time for, and from there on at the next one."""

    @dg.sensor(
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=DESCRIPTION,
    )
    def alert_when_something_is_wrong(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        names = sorted(account.name for account in enabled(accounts))
        last, began, said = context.cursor or "", time.monotonic(), []
        for name in [name for name in names if name > last] + [name for name in names if name <= last]:
            if time.monotonic() - began > SECONDS_OF_A_TICK:
                break
            last = name
            if words := _said(check(partial(load_account, name), stays=True)):
                said.append(f"{name}: {words}")
        reason = "\n".join(said[:20]) or "nothing new to report"
        return dg.SensorResult(skip_reason=reason, cursor=last)

    return alert_when_something_is_wrong


def _said(checked: Checked) -> str | None:
    return checked.problem or ("sent: " + "; ".join(checked.sent) if checked.sent else None)
