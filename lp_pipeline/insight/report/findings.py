"""What the report's numbers show, each in one sentence: the titles of its charts (SPEC E8). Plain text, not escaped."""

from collections.abc import Sequence
from datetime import date

from lp_pipeline.insight.report.charts import label
from lp_pipeline.insight.report.facts import Day, Facts, Group, Overview, Week
from lp_pipeline.insight.words import count

ENOUGH = 5  # leads of a source, for its set rate to be worth a title


def headline(overview: Overview) -> str:
    """`23 new leads today, 9 more than last Wednesday by this time. Half were synced within 7 minutes.`"""
    difference = overview.today - overview.today_before
    than = f"last {overview.now_local:%A} by this time"
    compared = f"{abs(difference):,} {'more' if difference > 0 else 'fewer'} than" if difference else "as many as"
    text = f"{count(overview.today, 'new lead')} today, {compared} {than}."
    if overview.speed_today is not None:
        return f"{text} Half were synced within {minutes(overview.speed_today)}."
    if overview.speed is not None:
        return f"{text} In the last 7 days, half were synced within {minutes(overview.speed)}."
    return text


def unread(feed: str, read_to: str | None) -> str:
    """What is missing because a feed could not be read."""
    if read_to is None:
        return f"LeadPerfection's {feed} could not be read yet."
    return (
        f"LeadPerfection's {feed} could not be read: what changed since {read_to} is missing until the next good sync."
    )


def leads_by_day(days: Sequence[Day]) -> str:
    """The average and the best day."""
    best = max(days, key=lambda each: each.number)
    average = sum(each.number for each in days) / len(days)
    return f"{average:,.0f} new leads a day; most on {day(best.day)}: {best.number:,}"


def statuses(groups: Sequence[Group]) -> str:
    """The most frequent status."""
    total = sum(each.number for each in groups)
    return f"{percent(groups[0].number, total)} of {count(total, 'contact')} are “{label(groups[0].name)}”"


def sources(groups: Sequence[Group]) -> str:
    """The most frequent source, and the one with the best set rate of those that bring some leads."""
    first, total = groups[0], sum(each.number for each in groups)
    most = f"{label(first.name)} brings {first.number:,} of {count(total, 'new lead')}"
    named = [each for each in groups if each.number >= ENOUGH and each.name != "other"]
    if len(named) < 2:
        return most
    best = max(named, key=lambda each: each.appointments / each.number)
    rate = percent(best.appointments, best.number)
    if best == first:
        return f"{most}, and has the best set rate: {rate}"
    return f"{most}; {label(best.name)} has the best set rate: {rate}"


def speed(weeks: Sequence[Week]) -> str:
    """The last week that has any."""
    last = weeks[-1]
    share = percent(last.within_15, last.number)
    return f"{share} of the new opportunities since {day(last.week)} were synced within 15 minutes"


def messages(days: Sequence[Day]) -> str:
    """The last 7 days by kind."""
    texts, emails, calls = (sum(getattr(each, kind) for each in days[-7:]) for kind in ("texts", "emails", "calls"))
    counts = f"{count(texts, 'text')}, {count(emails, 'email')} and {count(calls, 'call')}"
    return f"{counts} in the last 7 days"


def no_leads(facts: Facts) -> str:
    """Why there are none to show."""
    if not facts.overview.opportunities:
        return "No leads yet: run the first backfill."
    return "No new leads in the last 30 days."


def day(when: date) -> str:
    """`Nov 25`."""
    return f"{when:%b} {when.day}"


def percent(part: int, whole: int) -> str:
    """`32 %`."""
    return f"{100 * part / whole:.0f}%"


def minutes(number: float) -> str:
    """`1 minute`, `7 minutes`, `3 hours`: rounded up, for it is a promise."""
    whole = max(1, -int(-number // 1))
    if whole < 120:
        return count(whole, "minute")
    hours = -(-whole // 60)
    return count(hours, "hour") if hours < 48 else count(-(-hours // 24), "day")
