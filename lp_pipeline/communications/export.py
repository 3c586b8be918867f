"""Communications from Hatch's Bulk Export (SPEC C1): which days to request when, within Hatch's limits, also across
restarts. Hatch adds the day before to the export every night; it is requested at most hourly, until yesterday is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, get_args

from lp_pipeline.clients.hatch import (
    LONGEST_RANGE,
    Communication,
    ContactHistory,
    DataSource,
    HatchClient,
    Malformed,
    communication,
    contact_history,
)
from lp_pipeline.communications.landing import Landed, land
from lp_pipeline.errors import HatchError, HatchExportTooLarge, HatchStopped, SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, instant_of, iso, run

DATA_SOURCES: tuple[DataSource, ...] = get_args(DataSource)
AT_MOST_EVERY = timedelta(hours=1)
A_DAY_AT_MOST = 100
LONGEST_TURN = timedelta(days=3)
STATE = ("through", "last_asked_at", "first_any_at", "last_any_at", "asked_today", "too_many_days")
SURELY_IN = timedelta(days=7)  # a day this long ago has been exported, even if it has no items


@dataclass
class ExportReport:
    """What was requested and received, by data source; `why_not` says why a source was not requested."""

    asked: dict[str, str] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    landed: Landed = field(default_factory=Landed)
    why_not: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None
    unavailable: str | None = None

    def warn(self, message: str) -> None:
        """Record an error of one data source or both that may pass by itself."""
        self.unavailable = " ".join(filter(None, (self.unavailable, message)))


def read_export(outbox: Outbox, client: HatchClient, settings: Settings) -> ExportReport:
    """Request what is due and store it. Hatch's errors end up in the report and in `export_requests`."""
    report = ExportReport()
    for source in _in_turn(outbox, settings):
        days = _due(outbox, settings, source, report)
        if days is not None and report.stopped is None:
            _read(outbox, client, settings, source, days, report)
    return report


def _in_turn(outbox: Outbox, settings: Settings) -> tuple[DataSource, ...]:
    """Conversations first; if syncs are so rare that these take every turn, the contact history gets one too."""
    conversations, contacts = (_state(outbox, settings, source) for source in DATA_SOURCES)
    waiting_since = contacts["last_asked_at"] or contacts["first_any_at"]
    is_starving = _gap(waiting_since, conversations["last_asked_at"]) >= LONGEST_TURN
    return DATA_SOURCES[::-1] if is_starving else DATA_SOURCES


def _gap(then: str | None, later: str | None) -> timedelta:
    return instant_of(later) - instant_of(then) if then and later else timedelta()


def _state(outbox: Outbox, settings: Settings, source: DataSource) -> dict[str, Any]:
    values = {"data_source": source, "day_ago": iso(settings.now() - timedelta(days=1))}
    found = outbox.rows("export_state", values)
    return dict(found[0]) if found else dict.fromkeys(STATE)


def _due(outbox: Outbox, settings: Settings, source: DataSource, report: ExportReport) -> tuple[date, date] | None:
    """The days to request now, if any."""
    now, state = settings.now(), _state(outbox, settings, source)
    yesterday = _today(settings) - timedelta(days=1)
    through = date.fromisoformat(state["through"]) if state["through"] else None
    if through is not None and through >= yesterday:
        report.why_not[source] = "yesterday has been read"
    elif _within(state["last_asked_at"], now, AT_MOST_EVERY):
        report.why_not[source] = "requested within the last hour"
    elif _within(state["last_any_at"], now, timedelta(minutes=settings.hatch_export_minutes)):
        report.why_not[source] = (
            f"another export was requested within the last {settings.hatch_export_minutes:g} minutes"
        )
    elif (state["asked_today"] or 0) >= A_DAY_AT_MOST:
        report.why_not[source] = f"{A_DAY_AT_MOST} exports were requested within a day"
    else:
        longest = LONGEST_RANGE - 1 if state["too_many_days"] is None else state["too_many_days"] // 2
        start = through or yesterday - timedelta(days=LONGEST_RANGE - 1)
        if through and not longest:  # one day at a time: starting from that same day would never get any further
            start += timedelta(days=1)
        return start, min(yesterday, start + timedelta(days=longest))
    return None


def _read(
    outbox: Outbox,
    client: HatchClient,
    settings: Settings,
    source: DataSource,
    days: tuple[date, date],
    report: ExportReport,
) -> None:
    start, end = days
    request = {
        "now": iso(settings.now()),
        "data_source": source,
        "start_date": start.isoformat(),
        "end_date": end.isoformat(),
    }
    with outbox.transaction(visible=False) as connection:  # before the request: a restart must not repeat it
        run(connection, "ask_export", request)
    report.asked[source] = f"{start} to {end}"
    answer: dict[str, object] = {"outcome": "read", "items": 0, "through": None, "error": None}
    try:
        lines = client.export(source, start, end)
    except HatchExportTooLarge as refusal:
        answer |= {"outcome": "too_large", "error": str(refusal)}
        if start < end:
            report.warn(f"{refusal} The pipeline does so in an hour.")
        else:  # a day can't be halved, and must not block the days after it
            answer["through"] = end.isoformat()
            report.warn(f"{refusal} A day is the smallest range that can be requested, so {end} is skipped.")
    except (HatchStopped, SettingsError) as stop:
        answer |= {"outcome": "refused", "error": str(stop)}
        report.stopped = str(stop)
    except HatchError as error:
        answer |= {"outcome": "unavailable", "error": f"{error} {error.words or ''}".strip()}
        report.warn(str(error))
    else:
        items = [_item(source, line, settings) for line in lines]
        landed = land(outbox, settings, items, "export")
        report.items[source] = len(items)
        if source == "conversation_items":
            report.landed = landed
        answer["items"] = len(items)
        if any(not isinstance(item, Malformed) for item in items) or not items:
            answer["through"] = _through(items, end, settings)
        else:  # requested again once the settings are corrected
            report.warn(
                f"None of the {len(items)} lines of Hatch's export of {source} could be read; see the reasons in "
                "rejected_communications. If its time column has another name, set HATCH_TIME_COLUMNS."
            )
    with outbox.transaction(visible=False) as connection:
        run(connection, "answer_export", {**request, **answer})


def _item(source: DataSource, line: bytes, settings: Settings) -> Communication | ContactHistory | Malformed:
    if source == "conversation_items":
        return communication(line, settings.hatch_time_columns)
    return contact_history(line)


def _through(items: Sequence[Communication | ContactHistory | Malformed], end: date, settings: Settings) -> str:
    """The day through which the export is complete: that of its newest item, or one that is long past."""
    moments = [
        moment
        for item in items
        if not isinstance(item, Malformed)
        and (moment := item.occurred_at if isinstance(item, Communication) else item.updated_at)
    ]
    days = {moment.astimezone(settings.zone).date() for moment in moments}
    newest = [
        min(day, end) for day in days if day <= end + timedelta(days=1)
    ]  # a later one is an error, not another time zone
    return max([*newest, min(end, _today(settings) - SURELY_IN)]).isoformat()


def _today(settings: Settings) -> date:
    return settings.now().astimezone(settings.zone).date()


def _within(then: str | None, now: datetime, length: timedelta) -> bool:
    """Whether it was less than this long ago; a clock that was set back must not postpone it forever."""
    return then is not None and timedelta() <= now - instant_of(then) < length
