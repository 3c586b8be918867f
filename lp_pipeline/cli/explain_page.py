"""The page of one record's story (SPEC E1): verdict, what to do, evidence. What is in it: `insight.explain`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lp_pipeline.insight.explain import Story
from lp_pipeline.insight.explain_columns import ALWAYS, Column
from lp_pipeline.insight.explain_sources import Push
from lp_pipeline.insight.words import count, moment
from lp_pipeline.settings import Settings

REASONS = {
    "new": "the lead is new under this prospect",
    "changed": "the lead changed",
    "rejected before": "it was rejected before, so it is checked whenever it is read",
    "stamped inside the window": "first reading of the prospect; the lead changed inside the window",
    "first reading of the prospect": "first reading of the prospect, none of whose leads changed inside the window",
    "stamped inside the window, without an opportunity": "the lead changed inside a window, and was no opportunity yet",
    "new in the leads feed": "first reading of the prospect in the lead feed, which has no lead to go by",
    "new in the prospects feed": "first reading of the prospect in the prospect feed",
    "changed in the leads feed": "the prospect changed (lead feed)",
    "changed in the prospects feed": "the prospect changed (prospect feed)",
}
FEEDS = {"leads": "lead feed", "prospects": "prospect feed"}
TARGETS = {"note": "note", "call_log": "call log", "production_note": "production note"}
NO_NEWS = frozenset({"lastchangedon", "lastchanged"})  # they always change with something else
Lines = Iterator[tuple[str, ...]]


def show_story(story: Story, settings: Settings, page: Console, *, everything: bool) -> None:
    """The verdict, what to do, then the evidence."""
    page.print(Text(story.verdict, style="bold"))
    for line in story.advice:
        page.print(Text(line))
    sections = Table.grid(padding=(0, 2, 0, 0))
    sections.add_column(no_wrap=True, min_width=10)
    sections.add_column()
    for label, make in SECTIONS:
        blocks = groupby(make(story, settings, everything), key=len)
        for number, (width, lines) in enumerate(blocks):
            block = Text("\n".join(line[0] for line in lines)) if width == 1 else _columns(lines)
            sections.add_row(Text(label if number == 0 else "", style="bold"), block)
    if sections.row_count:
        page.print()
        page.print(sections)


def _columns(lines: Iterable[tuple[str, ...]]) -> Table:
    """Lines of several parts, one below the other."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for line in lines:
        grid.add_row(*map(Text, line))
    for column in grid.columns:
        column.overflow = "fold"
    return grid


def _read(story: Story, settings: Settings, everything: bool) -> Lines:
    if not story.readings:
        return
    readings, at = story.readings, _at(settings)
    last, different = readings[-1], len({each.digest for each in readings})
    number = f"{len(readings)} {'reading' if len(readings) == 1 else 'readings'} stored, {different} different"
    yield (f"{at(last.read_at)}  {_place(last)}",)
    yield (f"first read {at(readings[0].read_at)}; {number}",)
    if any(each.is_unmerged for each in readings):
        yield ("the last one is not merged yet",)
    if everything:
        yield from ((f"{at(each.read_at)}  {_place(each)}",) for each in readings)


def _place(reading: Any) -> str:
    kind = f"{reading.kind}, " if reading.kind != "sync" else ""
    return f"sync {reading.sync_id}, {kind}{FEEDS[reading.feed]}, page {reading.page}, place {reading.place}"


def _triggered(story: Story, settings: Settings, everything: bool) -> Lines:
    shown = story.triggers if everything else story.triggers[-1:]
    for each in reversed(shown):
        fields = [name for name in each.fields if name not in NO_NEWS] or each.fields
        why = REASONS.get(each.reason, each.reason) + (f": {', '.join(fields)}" if fields else "")
        about = story.opportunity["external_id"] if story.opportunity else story.external_id
        if each.lead_id not in (None, about):
            why = f"lead {each.lead_id}{' of the same prospect' if about else ''}: {why}"
        yield (f"{why}  (sync {each.sync_id}, {_at(settings)(each.merged_at)})",)


def _built(story: Story, settings: Settings, everything: bool) -> Lines:
    if not story.opportunity:
        return
    yield (story.opportunity["combination"].replace("+", " + "),)
    for column in story.columns:
        if everything or column.changed or column.name in ALWAYS:
            value = _value(column.value, settings)
            if column.changed and not isinstance(column.value, datetime):
                value = f"{column.old_value or '(none)'} → {value}"
            yield column.label, value, _source(column)


def _source(column: Column) -> str:
    if column.name == "external_updated_at" and column.note:
        return f"{column.note}, so {column.source}"
    return column.note or column.source


def _merged(story: Story, settings: Settings, _everything: bool) -> Lines:
    if not story.opportunity or story.changed_at is None:
        return
    opportunity, at = story.opportunity, _at(settings)
    outcome = "updated" if any(each.changed for each in story.columns) else "inserted"
    place = opportunity["opportunity_place"]
    rank = "the contact's current opportunity" if place == 1 else f"number {place} of the contact's opportunities"
    yield (f"{outcome} {at(story.changed_at)} by sync {story.changed_by_sync}; it is {rank}",)
    if opportunity["changed_at"] > story.changed_at:
        yield (f"other fields of the record changed last {at(opportunity['changed_at'])}",)
    yield (f"first here {at(opportunity['first_synced_at'])}",)


def _rejected(story: Story, settings: Settings, _everything: bool) -> Lines:
    at = _at(settings)
    for each in story.rejected:
        lead = f"lead {each['external_id']}: " if each["external_id"] else ""
        yield (
            f"{lead}{', '.join(each['missing'])}; first {at(each['first_rejected_at'])}, last "
            f"{at(each['last_rejected_at'])}, {count(each['attempts'], 'time')}",
        )


def _held(story: Story, settings: Settings, _everything: bool) -> Lines:
    for each in story.held:
        lead = f"lead {each['external_id']}" if each["external_id"] else "without a lead"
        yield (f"{lead}, {each['state']} since {_at(settings)(each['held_at'])}",)


def _to_hatch(story: Story, settings: Settings, _everything: bool) -> Lines:
    delivery, at = story.delivery, _at(settings)
    if delivery is None:
        return
    if delivery["delivered_at"]:
        yield (f"accepted {at(_instant(delivery['delivered_at']))}, contact {delivery['hatch_contact_id'] or '?'}",)
    if delivery["state"] == "refused":
        code = f"{delivery['error_code']} {delivery['error_field'] or ''}".strip()
        yield (f"refused {at(_instant(delivery['updated_at']))} ({code}):",)
        yield (str(delivery["words"] or "without a word"),)
        yield ("it is sent again once the record changes",)
    notes = msgspec.json.decode(delivery["notes"])
    if notes:
        yield (f"left out: {', '.join(notes)}",)


def _from_hatch(story: Story, settings: Settings, everything: bool) -> Lines:
    at = _at(settings)
    written = [each for each in story.pushes if each.state == "sent"]
    if everything:
        for each in story.pushes:
            yield at(each.occurred_at), f"{each.direction or ''} {each.channel}".strip(), _push_words(each, settings)
    else:
        for (channel, target), number in Counter((each.channel, each.target) for each in written).items():
            last = max(each.updated_at for each in written if (each.channel, each.target) == (channel, target))
            yield (f"{count(number, channel)} written as {_plural(number, TARGETS[target or ''])}, last {at(last)}",)
        for each in story.pushes:
            if each.state not in ("sent", "skipped"):
                yield (
                    f"{each.direction or ''} {each.channel} of {at(each.occurred_at)}: {_push_words(each, settings)}",
                )
        skipped = Counter(each.why for each in story.pushes if each.state == "skipped" and each.target == "note")
        for why, number in skipped.items():
            yield (f"{number} not written as {_plural(number, 'note')}: {why}",)
    for each in story.may_be_from:
        yield (f"a {each.channel} of {at(each.occurred_at)} may be from this prospect: {each.why}",)


def _push_words(push: Push, settings: Settings) -> str:
    again = f", next try {_at(settings)(push.next_try_at)}" if push.next_try_at else ""
    target = f" as {TARGETS[push.target]}" if push.target else ""
    words = f" ({push.words})" if push.words else ""
    state = {
        "sent": "written",
        "pending": "waits",
        "sending": "is being looked up",
        "landed": "waits for the next push",
    }
    why = f": {push.why}" if push.why else ""
    return f"{state.get(push.state, push.state)}{target}{why}{words}{again}"


def _others(story: Story, settings: Settings, _everything: bool) -> Lines:
    for each in story.others:
        lead = f"lead {each['external_id']}" if each["external_id"] else "without a lead"
        gone = f", gone since {_at(settings)(each['gone_since'])}" if each["gone_since"] else ""
        yield (f"{lead}: {each['status'] or 'no status'}, updated {_at(settings)(each['external_updated_at'])}{gone}",)


def _windows(story: Story, settings: Settings, _everything: bool) -> Lines:
    if story.state != "never_read":
        return
    at = _at(settings)
    if not story.windows:
        yield ("nothing was ever read; run:  lp-pipeline sync",)
    for each in story.windows:
        yield (
            f"{FEEDS[each['feed']]}: between {at(each['read_from'])} and {at(each['read_to'])}, last "
            f"{at(each['last_read_at'])}",
        )


SECTIONS: tuple[tuple[str, Callable[[Story, Settings, bool], Lines]], ...] = (
    ("Read", _read),
    ("Read so far", _windows),
    ("Triggered", _triggered),
    ("Built", _built),
    ("Merged", _merged),
    ("Rejected", _rejected),
    ("Held", _held),
    ("To Hatch", _to_hatch),
    ("From Hatch", _from_hatch),
    ("Besides", _others),
)


def _at(settings: Settings) -> Callable[[datetime], str]:
    return lambda instant: moment(instant, settings)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _value(value: Any, settings: Settings) -> str:
    return "(none)" if value is None else _at(settings)(value) if isinstance(value, datetime) else str(value)


def _plural(number: int, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"
