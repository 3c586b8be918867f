"""`lp-pipeline status`: is it all right? (SPEC E7). The verdict comes first, then what to do, then the evidence; what
it is made of is decided in `insight/health.py`.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from textwrap import wrap
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console
from rich.text import Text

from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.health import Health, health, usable
from lp_pipeline.insight.waiting import waiting
from lp_pipeline.insight.words import ago, clock, count, length
from lp_pipeline.settings import load_settings

WIDTH, MARGIN = 80, 12
COLORS = {"OK": "bold green", "LATE": "bold yellow", "FAILING": "bold red"}
NOUNS = {"note": "note", "call_log": "call log", "production_note": "production note"}


def show(console: Console, *, as_json: bool) -> None:
    """The page, or a JSON object. Exit code 1 unless it is OK."""
    try:
        found = health(*usable(load_settings))
    except SettingsError as error:  # not even the folder is known
        if not as_json:
            raise
        write({"state": "FAILING", "why": str(error)})
        raise click.exceptions.Exit(1) from None
    if as_json:
        write(as_object(found))
    else:
        show_health(found, console)
    if found.verdict.state != "OK":
        raise click.exceptions.Exit(1)


def write(shown: dict[str, Any]) -> None:
    """As JSON, readable by people, too."""
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))


def as_object(found: Health) -> dict[str, Any]:
    """Everything, the verdict first; instants as ISO text with an offset."""
    fields = msgspec.to_builtins(found)
    items = msgspec.to_builtins(waiting(found))
    return {**fields.pop("verdict"), **fields, "waiting": items}


def show_health(found: Health, console: Console) -> None:
    """The page for people."""
    where = "made-up people" if found.sandbox else f"{found.account} at {found.host}"
    head, state = f"{'SANDBOX' if found.sandbox else 'LIVE'}  {where} ({found.zone})", found.verdict.state
    room = max(1, min(WIDTH, console.width) - len(head) - len(state))
    console.print(Text.assemble(head, " " * room, (state, COLORS[state])), soft_wrap=True)
    for line in _why(found):
        console.print(Text(line))
    if state != "OK":
        console.print()
    for name, text in _rows(found):
        for number, line in enumerate(wrap(text, max(MARGIN, console.width - MARGIN), break_on_hyphens=False)):
            console.print(Text.assemble((f"{'' if number else name:<{MARGIN}}", "bold"), line), soft_wrap=True)


def _why(found: Health) -> Iterator[str]:
    """Why it is not OK, and what to do; nothing if it is."""
    verdict = found.verdict
    if verdict.state == "OK":
        return
    zone = ZoneInfo(found.zone)
    since = f"Since {clock(verdict.since, found.as_of, zone)}" if verdict.since else ""
    often = f" ({count(verdict.failures, 'run')})" if verdict.failures > 1 else ""
    yield f"{since}{often}: {verdict.why}" if since else verdict.why
    if verdict.action:
        yield verdict.action
    if found.watermarks and verdict.about != "push":
        read_to = clock(min(found.watermarks.values()), found.as_of, zone)
        yield f"Nothing is lost: the next good sync reads everything since {read_to}."


def _rows(found: Health) -> Iterator[tuple[str, str]]:
    now, zone = found.as_of, ZoneInfo(found.zone)
    yield "Last sync", _last_sync(found)
    marks = [f"{feed} {clock(at, now, zone)}" for feed, at in sorted(found.watermarks.items())]
    yield "Read up to", " · ".join(marks) or "nothing has been read yet"
    yield "Published", _published(found)
    if found.hatch.known:
        yield "To Hatch", _to_hatch(found)
        yield "From Hatch", _from_hatch(found)
    items = waiting(found)
    for number, item in enumerate(items):
        yield "" if number else "For you", f"{item.text.rstrip('.')}:  {item.command}"
    if not items and found.hatch.known:
        yield "For you", "nothing waits"
    if found.alerts or not found.sandbox:
        yield "Alerts", _alerts(found)


def _alerts(found: Health) -> str:
    if not found.alerts:
        return "off (ALERT_WEBHOOK_URL is not set)"
    if found.alerts.problem:
        return f"could not be sent. {found.alerts.problem}"
    number = count(len(found.alerts.open), "open incident") if found.alerts.open else "on, no open incident"
    return number if not found.alerts.heartbeat_problem else f"{number}. {found.alerts.heartbeat_problem}"


def _last_sync(found: Health) -> str:
    runs, now = found.runs.get("sync"), found.as_of
    running = found.running.get("sync")
    more = f"; one is running, begun {ago(running, now)}" if running else ""
    if runs is None:
        return f"none has ended yet{more}" if more else "none yet"
    when = ago(runs.ended_at, now)
    if runs.outcome != "good":
        zone = ZoneInfo(found.zone)
        last = f"the last good one {clock(runs.good_at, now, zone)}" if runs.good_at else "there was no good one yet"
        message = "" if found.verdict.why == runs.message else f" ({runs.message})"
        return f"{runs.outcome} {when}{message}; {last}{more}"
    took = f"{when}, {length(timedelta(seconds=runs.seconds))}"
    facts = found.facts
    if facts is None or facts.sync_id is None:
        return f"{took}{more}"
    read = ", ".join(count(number, feed.removesuffix("s")) for feed, number in sorted(facts.readings.items()))
    made = f"{facts.inserted:,} new, {count(facts.updated, 'updated opportunity', 'updated opportunities')}"
    return f"{took}: {read or 'nothing read'}; {made}{more}"


def _published(found: Health) -> str:
    if found.published_at is None:
        return "no file, or somebody changed it; the next sync builds it" if found.runs else "nothing yet"
    number = f", {count(found.facts.opportunities, 'opportunity', 'opportunities')}" if found.facts else ""
    return f"{ago(found.published_at, found.as_of)}{number}"


def _to_hatch(found: Health) -> str:
    if not found.delivers:
        return "off (HATCH_API_KEY is not set)"
    due = found.facts.deliveries_due if found.facts else 0
    problem = f". {found.hatch.delivery_problem}" if found.hatch.delivery_problem else ""
    return f"{found.hatch.delivered_today:,} delivered today, {due:,} waiting{problem}"


def _from_hatch(found: Health) -> str:
    if not found.pushes:
        return "off: nothing is written to LeadPerfection (PUSH_COMMUNICATIONS, PUSH_TO_…)"
    pushed = found.hatch.pushed_today
    written = ", ".join(count(pushed[name], noun) for name, noun in NOUNS.items() if name in pushed) or "0 notes"
    problem = f". {found.hatch.export_problem}" if found.hatch.export_problem else ""
    return f"{written} written today, {found.hatch.pushes_waiting:,} waiting{problem}"
