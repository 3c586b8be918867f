"""Is it all right? (SPEC E7): the facts about a data folder, as one object, and the verdict on them.

It opens neither `work.duckdb` nor `published.duckdb`, waits for no turn, and makes or changes no file. How it looks is
decided by `cli/status.py`, who is told of it by `alerts.py`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from lp_pipeline.clients.leadperfection import feeds
from lp_pipeline.communications.targets import targets_on
from lp_pipeline.errors import PipelineError, SettingsError
from lp_pipeline.insight.alert_state import Alerts, alerts_file
from lp_pipeline.runs.journal import Facts, Journal, Kind, Rejection, Runs, read_journal
from lp_pipeline.runs.reports import DeliveryOutcome, ExportOutcome, last
from lp_pipeline.settings import Settings
from lp_pipeline.storage import public_file
from lp_pipeline.storage.account import check_outbox
from lp_pipeline.storage.outbox import Outbox, iso
from lp_pipeline.storage.published import published_file

State = Literal["OK", "LATE", "FAILING"]


@dataclass(frozen=True)
class Verdict:
    """OK, or why not, since when (if that is known) and how many runs have failed since, and what to do. `about` is
    what is wrong: the settings or files (setup), the syncs or pushes that ran, or that none ran (late)."""

    state: State
    about: Literal["", "setup", "sync", "push", "late"] = ""
    why: str = ""
    action: str = ""
    since: datetime | None = None
    failures: int = 0


@dataclass(frozen=True)
class Hatch:
    """What went to and came from Hatch, by the outbox. `pushed_today` counts by target, `stopped` says why the pushes
    to a target (to all: an empty name) are paused while some wait."""

    known: bool = True  # False if the outbox can't be read
    delivered_today: int = 0
    refused: int = 0
    refused_lately: int = 0  # within a day
    pushed_today: dict[str, int] = field(default_factory=dict)
    pushes_waiting: int = 0
    unmatched: int = 0
    uncertain: int = 0
    failed: int = 0
    stopped: dict[str, str] = field(default_factory=dict)
    delivery_problem: str | None = None  # of the last delivery, and of the last export
    export_problem: str | None = None


@dataclass(frozen=True)
class Health:
    """All that is to be known of an account. Every instant has an offset; `as_of` is when this was found out.

    `runs` and `running` are by kind: sync, push, backfill, sweep. `facts` are as of the end of the last run.
    `published_at` is None if there is no published file, or it is not as the last run left it.
    """

    as_of: datetime
    sandbox: bool
    account: str
    host: str
    zone: str
    verdict: Verdict
    good_at: datetime | None  # the end of the last good sync
    is_late: bool  # for more than ALERT_LATE_MINUTES
    runs: dict[Kind, Runs]
    running: dict[Kind, datetime]
    facts: Facts | None
    watermarks: dict[str, datetime]  # of the feeds that are on
    published_at: datetime | None
    delivers: bool
    pushes: bool
    hatch: Hatch
    alerts: Alerts | None  # None if ALERT_WEBHOOK_URL is not set

    @property
    def held(self) -> int:
        """Opportunities that the identity guard holds."""
        return self.facts.held if self.facts else 0

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        """The columns for want of which more than 1 % of the last day's records were rejected."""
        return self.facts.rejections if self.facts else ()


def health(settings: Settings, problem: str | None = None) -> Health:
    """The health of the account of these settings. `problem` is what is wrong with the settings themselves, if they are
    those that `usable` found. Raises nothing of ours: what can't be read is part of the verdict."""
    problems = [problem] if problem else []
    journal, hatch, alerts, standing = Journal(), Hatch(), Alerts(), None
    try:
        standing = public_file.standing_since(published_file(settings))
        journal = read_journal(settings)
        alerts = alerts_file(settings).read()
        hatch = _hatch(settings)
    except PipelineError as error:
        problems.append(str(error))
        hatch = Hatch(known=False)
    published_at = datetime.fromtimestamp(standing, UTC) if standing else None
    facts = journal.facts
    if published_at and facts and facts.published_at:
        published_at = facts.published_at  # by the pipeline's own clock
    sync = journal.runs.get("sync")
    good_at = (sync.good_at if sync else None) or published_at
    on = [feed.name for feed in feeds(settings) if feed]
    return Health(
        as_of=settings.now(),
        sandbox=not settings.lp_api_url,
        account=settings.name or settings.lp_client_id or "sandbox",
        host=urlsplit(settings.lp_api_url or "").hostname or "",
        zone=settings.lp_timezone,
        verdict=_verdict(settings, problems, journal, hatch, good_at),
        good_at=good_at,
        is_late=_age(settings, good_at) > timedelta(minutes=settings.late_minutes),
        runs=journal.runs,
        running=journal.running,
        facts=facts,
        watermarks={name: at for name, at in (facts.watermarks if facts else {}).items() if name in on},
        published_at=published_at,
        delivers=settings.delivers,
        pushes=bool(targets_on(settings)),
        hatch=hatch,
        alerts=alerts if settings.alert_webhook_url.get_secret_value() else None,
    )


def usable(load: Callable[[], Settings]) -> tuple[Settings, str | None]:
    """The settings, and None; or what can be used of settings that are wrong, and what is wrong with them. Raises
    `SettingsError` if not even the data folder can be told."""
    try:
        return load(), None
    except SettingsError as error:
        if error.usable is None:
            raise
        return error.usable, str(error)


def _hatch(settings: Settings) -> Hatch:
    now = settings.now()
    values = {
        "today": iso(now.astimezone(settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)),
        "day_ago": iso(now - timedelta(days=1)),
        "targets": json.dumps(targets_on(settings)),
    }
    with Outbox(settings.data, read_only=True) as outbox:
        check_outbox(outbox, settings)
        rows = outbox.rows("health", values)
        if not rows:
            return Hatch()
        found = {name: rows[0][name] for name in rows[0].keys()}  # noqa: SIM118 (a row is no mapping)
        return Hatch(
            **{**found, "pushed_today": json.loads(found["pushed_today"]), "stopped": json.loads(found["stopped"])},
            delivery_problem=_problem(last(outbox, DeliveryOutcome)) if settings.delivers else None,
            export_problem=_problem(last(outbox, ExportOutcome)) if settings.exports else None,
        )


def _problem(outcome: DeliveryOutcome | ExportOutcome | None) -> str | None:
    return (outcome.stopped or outcome.unavailable) if outcome else None


def _verdict(
    settings: Settings, problems: list[str], journal: Journal, hatch: Hatch, good_at: datetime | None
) -> Verdict:
    sync, push = journal.runs.get("sync"), journal.runs.get("push")
    since, runs = (sync.failing_since, sync.failures) if sync else (None, 0)
    if problems:
        action = "Correct that, then run:  lp-pipeline sync"
        return Verdict("FAILING", "setup", " ".join(problems), action, since, runs)
    if sync and sync.failures:
        action = "Then sync once (lp-pipeline sync) or wait for the next one. To find the cause:  lp-pipeline doctor"
        return Verdict("FAILING", "sync", sync.message or "", action, since, runs)
    if hatch.stopped:
        why = " ".join(dict.fromkeys(hatch.stopped.values()))
        return Verdict("FAILING", "push", why, "Then run:  lp-pipeline push", push.failing_since if push else None)
    if push and push.failures and hatch.pushes_waiting:
        action = "Then run:  lp-pipeline push"
        return Verdict("FAILING", "push", push.message or "", action, push.failing_since, push.failures)
    return _freshness(settings, journal, good_at)


def _freshness(settings: Settings, journal: Journal, good_at: datetime | None) -> Verdict:
    """Whether the last good sync is recent."""
    running = journal.running.get("sync")
    if good_at is None:
        why = "The first sync is running." if running else "Nothing has been synced yet."
        action = "" if running else "Run:  lp-pipeline sync  (or lp-pipeline dev, every 15 minutes)"
        return Verdict("LATE", "late", why, action)
    age = _age(settings, good_at)
    if age <= timedelta(minutes=settings.late_minutes):
        return Verdict("OK")
    state: State = "FAILING" if age > timedelta(minutes=settings.failing_minutes) else "LATE"
    if running:
        return Verdict(state, "late", "No sync has ended well; one is running now.", "", good_at)
    action = "Start the schedule (lp-pipeline dev), or sync once:  lp-pipeline sync"
    return Verdict(state, "late", "No sync has ended well, and none is running.", action, good_at)


def _age(settings: Settings, good_at: datetime | None) -> timedelta:
    """How long ago the last good sync was; one that seems to be later than now shows that a clock was wrong."""
    return abs(settings.now() - good_at) if good_at else timedelta(0)
