"""Communications from Hatch's Bulk Export (SPEC C1): when to ask for which days, within Hatch's limits, over restarts.

Hatch refreshes the export nightly with the day before. It is asked for at most hourly, until yesterday's is in.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import get_args

from lp_pipeline.communications.landing import Landed, land
from lp_pipeline.errors import HatchError, HatchExportTooLarge, HatchStopped, SettingsError
from lp_pipeline.hatch import (
    LONGEST_RANGE,
    Communication,
    ContactHistory,
    DataSource,
    HatchClient,
    Malformed,
    communication,
    contact_history,
)
from lp_pipeline.outbox import Outbox, instant_of, iso, run
from lp_pipeline.settings import Settings

DATA_SOURCES: tuple[DataSource, ...] = get_args(DataSource)
AT_MOST_EVERY = timedelta(hours=1)
A_DAY_AT_MOST = 100
SURELY_IN = timedelta(days=3)  # a day so long ago has been exported, be it without a single item


@dataclass
class ExportReport:
    """What was asked for and what came, by data source; `why_not` says why a source was not asked."""

    asked: dict[str, str] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    landed: Landed = field(default_factory=Landed)
    why_not: dict[str, str] = field(default_factory=dict)
    stopped: str | None = None
    unavailable: str | None = None


def read_export(outbox: Outbox, client: HatchClient, settings: Settings) -> ExportReport:
    """Ask for what is due and land it. Hatch's failures end up in the report and in `export_requests`."""
    report = ExportReport()
    for source in DATA_SOURCES:
        days = _due(outbox, settings, source, report)
        if days is not None and report.stopped is None:
            _read(outbox, client, settings, source, days, report)
    return report


def _due(outbox: Outbox, settings: Settings, source: DataSource, report: ExportReport) -> tuple[date, date] | None:
    """The days to ask for now, if any."""
    now = settings.now()
    values = {"data_source": source, "day_ago": iso(now - timedelta(days=1))}
    found = outbox.rows("export_state", values)
    state = dict(found[0]) if found else dict.fromkeys(("through", "last_asked_at", "last_any_at", "last_request"))
    yesterday = _today(settings) - timedelta(days=1)
    through = date.fromisoformat(state["through"]) if state["through"] else None
    if through is not None and through >= yesterday:
        report.why_not[source] = "yesterday's is in"
    elif _within(state["last_asked_at"], now, AT_MOST_EVERY):
        report.why_not[source] = "asked within the last hour"
    elif _within(state["last_any_at"], now, timedelta(minutes=settings.hatch_export_minutes)):
        report.why_not[source] = f"another export was asked within {settings.hatch_export_minutes:g} minutes"
    elif (state.get("asked_today") or 0) >= A_DAY_AT_MOST:
        report.why_not[source] = f"{A_DAY_AT_MOST} exports were asked within a day"
    else:
        start = through or yesterday - timedelta(days=LONGEST_RANGE - 1)
        end = min(yesterday, start + timedelta(days=LONGEST_RANGE - 1))
        last = json.loads(state["last_request"]) if state["last_request"] else None
        if last and last[0] == start.isoformat() and last[2] == "too_large":
            length = (date.fromisoformat(last[1]) - start).days // 2
            end = min(end, start + timedelta(days=length))
        return start, end
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
    with outbox.transaction(visible=False) as connection:  # before it is asked: a restart must not ask again
        run(connection, "ask_export", request)
    report.asked[source] = f"{start} to {end}"
    answer: dict[str, object] = {"outcome": "read", "items": 0, "through": None, "error": None}
    try:
        lines = client.export(source, start, end)
    except HatchExportTooLarge as refusal:
        answer |= {"outcome": "too_large", "error": str(refusal)}
        report.unavailable = f"{refusal} The next sync does that."
    except (HatchStopped, SettingsError) as stop:
        answer |= {"outcome": "refused", "error": str(stop)}
        report.stopped = str(stop)
    except HatchError as trouble:
        answer |= {"outcome": "unavailable", "error": f"{trouble} {trouble.words or ''}".strip()}
        report.unavailable = str(trouble)
    else:
        items = [_item(source, line, settings) for line in lines]
        landed = land(outbox, settings, items, "export")
        report.items[source] = len(items)
        if source == "conversation_items":
            report.landed = landed
        answer |= {"items": len(items), "through": _through(items, end, settings)}
    with outbox.transaction(visible=False) as connection:
        run(connection, "answer_export", {**request, **answer})


def _item(source: DataSource, line: bytes, settings: Settings) -> Communication | ContactHistory | Malformed:
    if source == "conversation_items":
        return communication(line, settings.hatch_time_columns)
    return contact_history(line)


def _through(items: Sequence[Communication | ContactHistory | Malformed], end: date, settings: Settings) -> str:
    """Up to which day the export is surely in: that of its newest item, or one that is long past."""
    moments = [
        moment
        for item in items
        if not isinstance(item, Malformed)
        and (moment := item.occurred_at if isinstance(item, Communication) else item.updated_at)
    ]
    newest = [min(moment.astimezone(settings.zone).date(), end) for moment in moments]
    return max([*newest, min(end, _today(settings) - SURELY_IN)]).isoformat()


def _today(settings: Settings) -> date:
    return settings.now().astimezone(settings.zone).date()


def _within(then: str | None, now: datetime, length: timedelta) -> bool:
    """Whether it was less than so long ago; a clock that was set back must not put it off for ever."""
    return then is not None and timedelta() <= now - instant_of(then) < length
