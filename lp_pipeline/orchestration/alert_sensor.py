"""The sensor that sends alerts about what no run can tell: that none ran, that one was killed, that settings are wrong,
or an alert that did not get out (SPEC N1). What is sent, and once, is decided in `insight/alerts.py`.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import dagster as dg
import msgspec

from lp_pipeline.insight.alerts import Checked, check
from lp_pipeline.orchestration.account_schedules import Accounts, enabled
from lp_pipeline.orchestration.late_elsewhere import Seen, look
from lp_pipeline.settings import Settings, load_account, load_settings

SECONDS_BETWEEN = 120
SECONDS_OF_A_TICK = 20.0  # for many accounts; Dagster gives a tick a minute
DESCRIPTION = "Sends alerts to ALERT_WEBHOOK_URL, also when no sync has ended well for a while."


def _now() -> datetime:
    return datetime.now(UTC)


class Cursor(msgspec.Struct):
    """What the sensor for many accounts knows between two ticks: the account looked at last, those whose data is on
    other hosts, and what is known of these."""

    last: str = ""
    elsewhere: list[str] = []
    seen: Seen = msgspec.field(default_factory=Seen)


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


def accounts_alert_sensor(accounts: Accounts, clock: Callable[[], datetime] = _now) -> dg.SensorDefinition:
    """For many accounts: as many as a tick has time for, and from there on at the next one."""

    @dg.sensor(
        minimum_interval_seconds=SECONDS_BETWEEN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=DESCRIPTION,
    )
    def alert_when_something_is_wrong(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        listed = {account.name: account for account in enabled(accounts)}
        names, cursor, began, said = sorted(listed), _known(context.cursor), time.monotonic(), []
        elsewhere = set(cursor.elsewhere) & listed.keys()
        for name in [name for name in names if name > cursor.last] + [name for name in names if name <= cursor.last]:
            if time.monotonic() - began > SECONDS_OF_A_TICK:
                break
            cursor.last = name
            checked = check(partial(load_account, name), stays=True)
            (elsewhere.add if checked.is_elsewhere else elsewhere.discard)(name)
            if words := _said(checked):
                said.append(f"{name}: {words}")
        cursor.elsewhere = sorted(elsewhere)
        others = [listed[name] for name in cursor.elsewhere]
        cursor.seen, about_others = look(cursor.seen, others, context.instance, clock())
        reason = "\n".join([*said, *about_others][:20]) or "nothing new to report"
        return dg.SensorResult(skip_reason=reason, cursor=msgspec.json.encode(cursor).decode())

    return alert_when_something_is_wrong


def _known(cursor: str | None) -> Cursor:
    try:
        return msgspec.json.decode(cursor or "{}", type=Cursor)
    except msgspec.MsgspecError:  # an earlier program's
        return Cursor()


def _said(checked: Checked) -> str | None:
    return checked.problem or ("sent: " + "; ".join(checked.sent) if checked.sent else None)
