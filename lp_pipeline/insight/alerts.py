"""Alerts and the heartbeat (SPEC N1): each incident is announced once, and once that it is over, to ALERT_WEBHOOK_URL.
What has been announced is in `alerts.json` of the data folder, so that a restart repeats and loses nothing. Where that
can't be written, the sensor's process knows what it has announced: then only a restart repeats it. What an incident is:
`incidents.py`.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import httpx
import msgspec

from lp_pipeline.clients import webhook
from lp_pipeline.errors import PipelineError, WarehouseError
from lp_pipeline.insight.alert_state import Alerts, IncidentKind, Known, Open, alerts_file
from lp_pipeline.insight.health import Health, health, usable
from lp_pipeline.insight.incidents import OVER, SAID_BY, Incident, incidents, is_known
from lp_pipeline.insight.words import clock
from lp_pipeline.runs.journal import Ending, Kind
from lp_pipeline.settings import Settings
from lp_pipeline.storage.locks import Turn

TURN = "alerts"
WEBHOOK, HEARTBEAT = "ALERT_WEBHOOK_URL", "HEARTBEAT_URL"
RED, GREEN = ":red_circle:", ":large_green_circle:"


@dataclass
class Checked:
    """What one check did: the first lines of what was sent, and why the rest was not; or that the account's folder is
    on another host."""

    sent: list[str] = field(default_factory=list)
    problem: str | None = None
    is_elsewhere: bool = False


def check(
    load: Callable[[], Settings], transport: httpx.BaseTransport | None = None, *, stays: bool = False
) -> Checked:
    """Announce what is new, and what is over. Raises nothing of ours: what can't be sent is sent by the next check.

    Nothing is done without a data folder or an address, nor while another process checks. Where the folder can't be
    written, only a process that `stays` sends something: one that ends would send it at each run."""
    try:
        settings, problem = usable(load)
        if not settings.alert_webhook_url.get_secret_value() or not settings.data.is_dir():
            return Checked()
        with ExitStack() as stack:
            try:
                is_ours = stack.enter_context(Turn(settings.data, TURN).if_free())
            except WarehouseError:
                if not stays:
                    raise
                is_ours = True  # nobody else can take it either
            known = Known(settings, stays=stays)
            return _Check(settings, health(settings, problem), known, transport).run() if is_ours else Checked()
    except PipelineError as error:  # of an account whose folder is on another host, its runs there tell
        return Checked(is_elsewhere=True) if getattr(error, "is_elsewhere", False) else Checked(problem=str(error))


def after_run(load: Callable[[], Settings], kind: Kind, ending: Ending) -> None:
    """At the end of a run: the heartbeat, if that was a good sync, and a check."""
    try:
        settings, _ = usable(load)
        url = settings.heartbeat_url
        if url.get_secret_value() and kind == "sync" and ending.outcome == "good":
            why = webhook.get(url, HEARTBEAT)
            alerts_file(settings).update(lambda known: msgspec.structs.replace(known, heartbeat_problem=why))
    except PipelineError:
        pass  # what is wrong with the settings or the folder is what the check finds
    check(load)


def send_test(settings: Settings, transport: httpx.BaseTransport | None = None) -> str | None:
    """Send a message that says that it is a test; None if it arrived, else why not."""
    title = f"{_name(settings.name or settings.lp_client_id)}: this is a test, nothing is wrong"
    return _post(settings, {"state": "test", "text": title}, GREEN, transport)


def tell(settings: Settings, message: dict[str, str], transport: httpx.BaseTransport | None = None) -> str | None:
    """Send a message; None if it arrived, else why not. Its keys are `text`, `state` (open or over), `why`, `action`,
    and others that only the format JSON has."""
    return _post(settings, message, RED if message["state"] == "open" else GREEN, transport)


class _Check:
    """One check of one account."""

    def __init__(self, settings: Settings, found: Health, known: Known, transport: httpx.BaseTransport | None) -> None:
        self._settings = settings
        self._health = found
        self._transport = transport
        self._known = known
        self._checked = Checked()

    def run(self) -> Checked:
        now = incidents(self._health)
        known = self._known.update(lambda alerts: self._noted(alerts, now))
        for kind, opened in known.open.items():
            if not opened.announced:
                if not self._send(self._opening(now[kind], opened)):
                    break
                self._keep(kind, msgspec.structs.replace(opened, announced=True))
            elif kind not in now and is_known(self._health):
                if not self._send(self._closing(kind, opened)):
                    break
                self._keep(kind, None)
        problem = self._checked.problem
        if problem != known.problem:
            self._known.update(lambda alerts: msgspec.structs.replace(alerts, problem=problem))
        return self._checked

    def _noted(self, alerts: Alerts, now: dict[IncidentKind, Incident]) -> Alerts:
        """What is open from now on. What is over before anybody was told is forgotten; what was told stays, until it is
        told that it is over."""
        kept = {kind: opened for kind, opened in alerts.open.items() if opened.announced or kind in now}
        for kind, each in now.items():
            if kind not in kept and SAID_BY.get(kind) in now:
                continue
            since = kept[kind].since if kind in kept else each.since or self._health.as_of
            kept[kind] = Open(since, kind in kept and kept[kind].announced, each.number)
        return msgspec.structs.replace(alerts, open=kept)

    def _keep(self, kind: IncidentKind, opened: Open | None) -> None:
        def change(alerts: Alerts) -> Alerts:
            others = {name: each for name, each in alerts.open.items() if name != kind}
            return msgspec.structs.replace(alerts, open={**others, kind: opened} if opened else others)

        self._known.update(change)

    def _opening(self, incident: Incident, opened: Open) -> dict[str, str]:
        title = f"{incident.title} since {self._clock(opened.since)}"
        return {
            **self._about(incident.kind, "open", title, opened.since),
            "why": incident.why,
            "action": incident.action,
        }

    def _closing(self, kind: IncidentKind, opened: Open) -> dict[str, str]:
        number = f" ({opened.number:,} failed, all caught up)" if kind == "sync" and opened.number else ""
        good_at = self._health.good_at
        is_synced = kind in ("sync", "late") and good_at is not None and good_at > opened.since
        over_since = good_at if is_synced and good_at else self._health.as_of
        title = f"{OVER[kind]} since {self._clock(over_since)}{number}"
        return self._about(kind, "over", title, opened.since)

    def _about(self, kind: str, state: str, title: str, since: datetime) -> dict[str, str]:
        account = self._health.account
        return {
            "text": f"{_name(account)}: {title}",
            "state": state,
            "kind": kind,
            "account": account,
            "since": since.isoformat(),
        }

    def _send(self, message: dict[str, str]) -> bool:
        self._checked.problem = tell(self._settings, message, self._transport)
        if self._checked.problem is None:
            self._checked.sent.append(message["text"])
        return self._checked.problem is None

    def _clock(self, instant: datetime) -> str:
        return clock(instant, self._health.as_of, self._settings.zone)


def _name(account: str) -> str:
    return f"lp_pipeline {account}"


def _post(settings: Settings, message: dict[str, str], color: str, transport: httpx.BaseTransport | None) -> str | None:
    if _is_slack(settings):
        lines = [f"{color} {message['text']}", message.get("why", ""), message.get("action", "")]
        lines[2] = lines[2] and f"Do: {lines[2]}."
        text = "\n".join(filter(None, lines))
        for letter, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(letter, escaped)
        message = {"text": text}
    return webhook.post(settings.alert_webhook_url, WEBHOOK, json.dumps(message).encode(), transport)


def _is_slack(settings: Settings) -> bool:
    host = urlsplit(settings.alert_webhook_url.get_secret_value()).hostname or ""
    return settings.alert_format == "slack" or (settings.alert_format == "auto" and host.endswith("slack.com"))
