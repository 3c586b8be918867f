"""The report as one page of HTML that asks nobody for anything: no script, no link, no font, no picture from outside
(SPEC E8). Numbers come from `facts.py`, sentences from `findings.py`; whatever is text is escaped here."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from lp_pipeline.insight.health import Health
from lp_pipeline.insight.report import findings
from lp_pipeline.insight.report.charts import Bar, Column, bars, columns, label, numbers
from lp_pipeline.insight.report.facts import Day, Facts, Group
from lp_pipeline.insight.report.findings import percent
from lp_pipeline.insight.waiting import AGAIN, Waiting, waiting
from lp_pipeline.insight.words import clock, count

STYLE = Path(__file__).with_name("style.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # should markup slip in after all, a browser does not obey it
SATURDAY = 5
STATES = {
    "sent": "written to LeadPerfection",
    "pending": "waiting to be written",
    "sending": "being written, or not known yet",
    "uncertain": "may or may not be written",
    "unmatched": "match no prospect",
    "failed": "could not be written",
    "skipped": "left out (too early, or no job)",
}


def page(facts: Facts, health: Health, *, version: str) -> str:
    """The whole page."""
    body = [
        _sandbox(health),
        _top(facts),
        _numbers(facts),
        _leads(facts),
        '<div class="pair">',
        _statuses(facts),
        _sources(facts),
        "</div>",
        _speed(facts),
        _messages(facts),
        '<div class="pair">',
        _pushes(facts),
        _waiting(health),
        "</div>",
        _small_print(facts, health, version),
    ]
    title = f"{'SANDBOX: ' if health.sandbox else ''}Leads and messages, {findings.day(facts.overview.now_local)}"
    return document(title, body)


def document(title: str, body: Sequence[str]) -> str:
    """A whole page of these parts, of which empty ones are left out."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, body))
        + "\n</body>\n</html>\n"
    )


def _sandbox(health: Health) -> str:
    return '<p class="sandbox">SANDBOX<small>made-up people, nothing real</small></p>' if health.sandbox else ""


def _top(facts: Facts) -> str:
    now, zone = facts.overview.published_at, ZoneInfo(facts.overview.zone)
    as_of = f"As of {facts.overview.now_local:%A}, {findings.day(facts.overview.now_local)}, {clock(now, now, zone)}."
    late = "".join(
        f"<br><strong>{escape(findings.unread(each.feed, clock(each.read_to, now, zone) if each.read_to else None))}"
        "</strong>"
        for each in facts.unread
    )
    return f'<h1>{escape(findings.headline(facts.overview))}</h1>\n<p class="quiet">{escape(as_of)}{late}</p>'


def _numbers(facts: Facts) -> str:
    """Four numbers, each with its change."""
    now = facts.overview
    shown = [
        ("New leads", f"{now.leads:,}", _change(now.leads, now.leads_before)),
        ("With an appointment", f"{now.appointments:,}", _change(now.appointments, now.appointments_before)),
        ("Sold", f"{now.sold:,}", _change(now.sold, now.sold_before)),
        ("Speed to lead", _minutes(now.speed), _median(now.speed_before)),
    ]
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(change)}</small></dd></div>"
        for name, value, change in shown
    )
    return f'<section><h2>The last 7 days</h2>\n<dl class="numbers">{cells}</dl></section>'


def _change(number: int, before: int) -> str:
    difference = number - before
    if not difference:
        return "as in the week before"
    return f"{abs(difference):,} {'more' if difference > 0 else 'fewer'} than the week before"


def _median(before: float | None) -> str:
    return "median" if before is None else f"median; {_minutes(before)} the week before"


def _minutes(number: float | None) -> str:
    return "–" if number is None else findings.minutes(number).replace(" minute", " min").replace(" mins", " min")


def _leads(facts: Facts) -> str:
    if not any(each.number for each in facts.leads):
        return _empty("New leads", findings.no_leads(facts))
    title = findings.leads_by_day(facts.leads)
    what = "New leads on each of the last 30 days; weekends are lighter, the dashed line is the average."
    table = numbers(
        ("day", "new leads"), ((f"{each.day:%a} {findings.day(each.day)}", each.number) for each in facts.leads)
    )
    return _chart(title, what, lambda text: columns(_days(facts.leads), text), table)


def _days(days: Sequence[Day]) -> list[Column]:
    return [Column(findings.day(each.day), each.number, each.day.weekday() >= SATURDAY) for each in days]


def _statuses(facts: Facts) -> str:
    if not facts.statuses:
        return _empty("Opportunities by status", findings.no_leads(facts))
    what = "Every contact's current opportunity, by status."
    table = numbers(("status", "opportunities"), ((label(each.name), each.number) for each in facts.statuses))
    return _chart(findings.statuses(facts.statuses), what, lambda text: bars(_groups(facts.statuses), text), table)


def _groups(groups: Sequence[Group]) -> list[Bar]:
    highest = max(each.number for each in groups)
    return [Bar(label(each.name), f"{each.number:,}", [each.number / highest]) for each in groups]


def _sources(facts: Facts) -> str:
    if not facts.sources:
        return _empty("New leads by source", findings.no_leads(facts))
    highest = max(each.number for each in facts.sources)
    items = [
        Bar(
            label(each.name),
            f"{each.number:,} · {percent(each.appointments, each.number)} set",
            [each.number / highest],
        )
        for each in facts.sources
    ]
    what = "New leads of the last 30 days, and how many of them have an appointment."
    rows = (
        (label(each.name), each.number, each.appointments, percent(each.appointments, each.number))
        for each in facts.sources
    )
    table = numbers(("source", "new leads", "with an appointment", "set rate"), rows)
    return _chart(findings.sources(facts.sources), what, lambda text: bars(items, text), table)


def _speed(facts: Facts) -> str:
    if not facts.weeks:
        return _empty(
            "Speed to lead", "Nothing to measure yet: it begins with the first new lead after the first sync."
        )
    items = [
        Bar(
            f"Week of {findings.day(each.week)}: {each.number:,} new",
            f"{percent(each.within_15, each.number)} within 15 min",
            [part / each.number for part in (each.within_5, each.within_15, each.within_60)],
        )
        for each in reversed(facts.weeks)
    ]
    rows = (
        (
            findings.day(each.week),
            each.number,
            *(percent(part, each.number) for part in (each.within_5, each.within_15, each.within_60)),
        )
        for each in reversed(facts.weeks)
    )
    table = numbers(("week of", "new", "within 5 min", "15 min", "60 min"), rows)
    what = "New opportunities, from LeadPerfection's time stamp to Hatch and to this data, by week."
    key = '<p class="quiet key"><i></i>within 5 minutes<i class="k1"></i>15<i class="k2"></i>60</p>'
    return _chart(findings.speed(facts.weeks), what, lambda text: bars(items, text), key + table)


def _messages(facts: Facts) -> str:
    if not any(each.number for each in facts.messages):
        return _empty("Messages", "No messages from Hatch in the last 30 days.")
    rows = (
        (f"{each.day:%a} {findings.day(each.day)}", each.texts, each.emails, each.calls, each.number)
        for each in facts.messages
    )
    table = numbers(("day", "texts", "emails", "calls", "all"), rows)
    what = "Texts, emails and calls through Hatch in both directions, on each of the last 30 days."
    return _chart(findings.messages(facts.messages), what, lambda text: columns(_days(facts.messages), text), table)


def _pushes(facts: Facts) -> str:
    if not facts.pushes:
        return _empty("Messages in LeadPerfection", "None has been written to LeadPerfection yet.")
    total = sum(each.number for each in facts.pushes)
    written = sum(each.number for each in facts.pushes if each.name == "sent")
    groups = [Group(STATES.get(each.name, each.name), each.number) for each in facts.pushes]
    table = numbers(("state", "messages"), ((label(each.name), each.number) for each in groups))
    title = f"{written:,} of {count(total, 'message')} from Hatch are in LeadPerfection"
    what = "Notes and call logs that are switched on, by state, since the beginning."
    return _chart(title, what, lambda text: bars(_groups(groups), text), table)


def _waiting(health: Health) -> str:
    items = waiting(health)
    if not items:
        return _empty("What waits for people", "Nothing.")
    shown = "".join(f"<li>{escape(_words(each))} <code>{escape(each.command)}</code></li>" for each in items)
    return f"<section><h2>What waits for people</h2><ul>{shown}</ul></section>"


def _words(item: Waiting) -> str:
    """Without the message of a failed run, which is for whoever runs it."""
    return f"The last {item.kind} failed." if item.kind in AGAIN else f"{item.text}."


def _small_print(facts: Facts, health: Health, version: str) -> str:
    now, zone = facts.overview.published_at, ZoneInfo(facts.overview.zone)
    reasons = ", ".join(f"{each.name} ({each.number:,})" for each in facts.rejected)
    rejected = f"{count(facts.rejected_records, 'record')} can't become an opportunity; what is missing: {reasons}."
    whose = "The built-in sandbox" if health.sandbox else f"Account {health.account} at {health.host}"
    lines = [
        rejected if facts.rejected_records else "No record is rejected.",
        f"{count(facts.overview.opportunities, 'opportunity', 'opportunities')} in all; LeadPerfection no longer shows "
        f"{facts.gone_opportunities:,} of them.",
        f"Last sweep: {clock(facts.swept_at, now, zone) if facts.swept_at else 'none yet'}. "
        f"Sync {facts.sync_id or 0:,}. lp_pipeline {version}.",
        f"{whose}, times in {facts.overview.zone}. This page is written anew when something changed, at least hourly. "
        "It holds counts only, nobody's name, number or address.",
    ]
    return f"<footer>{''.join(f'<p>{escape(line)}</p>' for line in lines)}</footer>"


def _chart(title: str, what: str, draw: Callable[[str], str], table: str) -> str:
    """A chart with its finding as title; its text alternative says what it shows and what it finds."""
    drawn = draw(f"{what} {title}. The numbers are in the table below.")
    return f'<section><h2>{escape(title)}</h2><p class="what">{escape(what)}</p>{drawn}{table}</section>'


def _empty(title: str, text: str) -> str:
    return f'<section><h2>{escape(title)}</h2><p class="quiet">{escape(text)}</p></section>'
