"""Alerts about accounts whose data is on another host (SPEC N1, A2): that no sync of theirs has ended for an hour, as
when that host is down. All else their own runs report; a host that is down can't. Who looks: `alert_sensor.py`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import msgspec

from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.alerts import tell
from lp_pipeline.insight.fleet import Line
from lp_pipeline.orchestration.fleet_page import LATE, as_dagster_saw
from lp_pipeline.settings import Account, Settings, load_elsewhere

EVERY = timedelta(minutes=15)  # it reads the last hour's runs
NAMED = 5  # accounts in one message


class Seen(msgspec.Struct):
    """What is known between two looks: when the last one was, since when each account has been looked at, and of which
    it was told that they are late."""

    at: datetime = datetime.min.replace(tzinfo=UTC)
    since: dict[str, datetime] = {}
    told: list[str] = []


def look(seen: Seen, accounts: list[Account], instance: dg.DagsterInstance, now: datetime) -> tuple[Seen, list[str]]:
    """Look at these accounts, if it is time for that; what is known then, and what was sent or why it was not.

    An account is late if for an hour of looking no sync of it has ended: a deployment that starts again is not at once
    late with all of them. One address gets one message, however many accounts have it.
    """
    if now - seen.at < EVERY:
        return seen, []
    since = {} if now - seen.at > 2 * EVERY else seen.since
    since = {each.name: since.get(each.name, now) for each in accounts}
    lines = as_dagster_saw([Line(each.name, each.shard, "ELSEWHERE") for each in accounts], instance, now)
    late = [line for line in lines if line.state == "LATE" and now - since[line.account] >= LATE]
    in_time = [line for line in lines if line.state != "LATE"]
    told = {name for name in seen.told if name in since}
    opened, said = _send([line for line in late if line.account not in told], lambda some: _opening(some, now))
    closed, more = _send([line for line in in_time if line.account in told], lambda some: _closing(some, now))
    return Seen(now, since, sorted((told | opened) - closed)), said + more


def _send(lines: list[Line], message_of: Callable[[list[Line]], dict[str, str]]) -> tuple[set[str], list[str]]:
    """One message to each address: the accounts for which it arrived, and what was sent or why it was not."""
    arrived: set[str] = set()
    said = []
    for settings, some in _by_address(lines):
        message = message_of(some)
        why_not = tell(settings, message)
        said.append(why_not or f"sent: {message['text']}")
        if why_not is None:
            arrived |= {line.account for line in some}
    return arrived, said


def _by_address(lines: Iterable[Line]) -> Iterator[tuple[Settings, list[Line]]]:
    """The accounts that have the same address for alerts, with the settings of the first of them; those without one are
    left out, and so are those whose settings are wrong."""
    found: dict[str, tuple[Settings, list[Line]]] = {}
    for line in lines:
        try:
            settings = load_elsewhere(line.account)
        except SettingsError:
            continue
        if address := settings.alert_webhook_url.get_secret_value():
            found.setdefault(address, (settings, []))[1].append(line)
    yield from found.values()


def _opening(lines: list[Line], now: datetime) -> dict[str, str]:
    shards = sorted({line.shard for line in lines})
    workers = " and ".join(f"`lp-pipeline health worker@{shard}`" for shard in shards)
    return {
        **_about(lines, "open", f"no sync of {_names(lines)} has ended in the last hour", now - LATE),
        "why": f"The data is on shard {' and '.join(shards)}, whose host or workers may be down.",
        "action": f"run {workers} on that host, and look at the runs in the Dagster UI",
    }


def _closing(lines: list[Line], now: datetime) -> dict[str, str]:
    return _about(lines, "over", f"syncs of {_names(lines)} end again", now)


def _about(lines: list[Line], state: str, title: str, since: datetime) -> dict[str, str]:
    account = ", ".join(line.account for line in lines)
    text = f"lp_pipeline: {title}"
    return {"text": text, "state": state, "kind": "late", "account": account, "since": since.isoformat()}


def _names(lines: list[Line]) -> str:
    names = [line.account for line in lines]
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
