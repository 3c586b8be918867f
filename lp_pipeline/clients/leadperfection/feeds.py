"""The two feeds, and reading one of them through a window, page by page, to its end (SPEC W4). Which windows to read,
and whether to read one again, is for the caller to decide; nothing is stored here.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from lp_pipeline.clients.json_repair import exact, no_cycles
from lp_pipeline.clients.json_shapes import Shape
from lp_pipeline.clients.leadperfection.change_stamps import any_between, change_stamps, days_around
from lp_pipeline.clients.leadperfection.client import Client
from lp_pipeline.clients.leadperfection.page import Answer, kind_of, lacks_only_its_id
from lp_pipeline.clients.leadperfection.paginator import Walk
from lp_pipeline.clients.leadperfection.responses import identity
from lp_pipeline.clients.leadperfection.windows import LATE, SentWindow, Window, as_sent
from lp_pipeline.errors import SlowQuery
from lp_pipeline.settings import Settings

BEFORE_ASKING_AGAIN = 2.0  # seconds: an empty page after a full one may be a lie under load
FAILURES_IN_A_ROW = 3  # rows that time out one after the other; more of them, and it is not the rows
SLOW_TRIES = 2  # for a single row

FeedName = Literal["leads", "prospects"]


@dataclass(frozen=True)
class Feed:
    """One of LeadPerfection's ways to ask what changed."""

    name: FeedName
    action: str
    options: int


class Reading(msgspec.Struct, frozen=True):
    """One prospect record as one page showed it."""

    page: int  # the answer within this reading, from 1
    place: int  # within its answer, from 1
    record: bytes  # as received
    read_at: datetime
    cst_id: str | None


Keep = Callable[[Reading, object], object]  # a record as it was received, and its value


@dataclass
class WindowReading:
    """What reading a window once brought."""

    sent: SentWindow
    readings: list[Reading] = field(default_factory=list)  # unless the caller keeps them
    records: int = 0
    shown: set[str] = field(default_factory=set)
    pages: int = 0  # requests that brought an answer
    several: bool = False  # a page was full, or more than one brought records: rows may shift between pages
    shifted: bool = False  # of several pages, one showed a change stamped after the reading began
    outlasted: bool = False  # by LeadPerfection's clock, the window ended before: what is edited now is not in it
    full_page: bool = False  # a page of exactly the size asked for was seen: short ones can be trusted from now on
    no_records: list[str] = field(default_factory=list)  # kinds of elements between records that are none (SPEC W5)
    set_aside: list[int] = field(default_factory=list)  # rows (from 1) that LeadPerfection never delivers in time
    began: datetime | None = None  # by LeadPerfection's clock
    ended: datetime | None = None

    @property
    def ids(self) -> frozenset[str]:
        """The prospects it showed."""
        return frozenset(self.shown)


def feeds(settings: Settings) -> tuple[Feed, Feed | None]:
    """The lead feed, and the prospect feed unless it is switched off."""
    leads = Feed("leads", "Customers/GetLead", settings.lp_lead_options)
    if settings.lp_prospect_action == "off":
        return leads, None
    return leads, Feed("prospects", settings.lp_prospect_action, settings.lp_prospect_options)


def read_window(
    client: Client,
    feed: Feed,
    window: Window,
    settings: Settings,
    *,
    trust_short_page: bool,
    keep: Keep | None = None,
    on_page: Callable[[int], None] = lambda _: None,
    patient: bool = False,
    late: timedelta = LATE,
    shape: Shape | None = None,
) -> WindowReading:
    """Read a feed through a window to its end; `on_page` hears how many records there are so far.

    `keep` takes each record with its value as its page arrives; without it they are collected in the result. `shape` is
    what is known of the feed's records, and then of some more.
    `trust_short_page`: this LeadPerfection has given a full page of this size before. `patient`: a page that times out
    is read row by row, and single rows that still do are set aside; otherwise `SlowQuery` is raised.
    """
    sent = as_sent(window, settings.zone, late, settings.duckdb_zone)
    return _WindowReader(client, feed, sent, settings, keep, on_page, shape).read(
        trust_short_page=trust_short_page, patient=patient
    )


class _WindowReader:
    def __init__(
        self,
        client: Client,
        feed: Feed,
        sent: SentWindow,
        settings: Settings,
        keep: Keep | None,
        on_page: Callable[[int], None],
        shape: Shape | None,
    ) -> None:
        self._client = client
        self._feed = feed
        self._settings = settings
        self._on_page = on_page
        self._shape = shape
        self._result = WindowReading(sent)
        self._keep = keep or self._collect
        self._stamps: list[str] = []
        self._failures = 0
        self._fields = {
            **sent.fields(),
            **dict.fromkeys(("cst_id", "lds_id", "ils_id"), "0"),
            "options": str(feed.options),
        }

    def read(self, *, trust_short_page: bool, patient: bool) -> WindowReading:
        settings, client, action = self._settings, self._client, self._feed.action
        counts = client.start_index_counts.get(action) if settings.lp_paging == "auto" else settings.lp_paging
        walk = Walk(settings.lp_page_size, counts, trust_short_page=trust_short_page)
        while not walk.done:
            try:
                keys = self._page(walk)
            except SlowQuery:
                if not patient:
                    raise
                self._row_by_row(walk)
            else:
                walk.took(keys)
        if walk.learnt is not None:
            client.start_index_counts[action] = walk.learnt
        result = self._result
        result.full_page = walk.full_page
        result.several = walk.full_page or walk.pages_with_news > 1
        if result.several and result.began and result.ended:
            began, ended = result.began, result.ended
            zones = [zone for zone in (settings.zone, settings.duckdb_zone) if zone]
            result.shifted = any(any_between(self._stamps, began, ended, zone) for zone in zones)
            result.outlasted = any(ended.astimezone(zone).replace(tzinfo=None) > result.sent.end for zone in zones)
        return result

    def _page(self, walk: Walk) -> list[Hashable]:
        keys = self._ask(walk.start_index, self._settings.lp_page_size)
        if not keys and walk.after_full_page:
            self._client.pause(BEFORE_ASKING_AGAIN)
            keys = self._ask(walk.start_index, self._settings.lp_page_size)
        return keys

    def _collect(self, reading: Reading, _value: object) -> None:
        self._result.readings.append(reading)

    def _row_by_row(self, walk: Walk) -> None:
        """Pages of one row each, where counting pages and counting rows are the same."""
        keys: list[Hashable | None] = []
        for row in walk.rows:
            try:
                found = self._ask(row, 1, SLOW_TRIES)
                if not found and row > 1:
                    self._client.pause(BEFORE_ASKING_AGAIN)
                    found = self._ask(row, 1, SLOW_TRIES)
            except SlowQuery:
                self._failures += 1
                if self._failures > FAILURES_IN_A_ROW:
                    raise
                self._result.set_aside.append(row)
                keys.append(None)
                continue
            self._failures = 0
            if not found:
                walk.took_rows(keys, ended=True)
                return
            keys += found
        walk.took_rows(keys, ended=False)

    @no_cycles()
    def _ask(self, start_index: int, size: int, slow_tries: int | None = None) -> list[Hashable]:
        asked_at = self._settings.now()
        fields: Mapping[str, str] = {**self._fields, "PageSize": str(size), "StartIndex": str(start_index)}
        result = self._result
        answer = self._client.call(
            self._feed.action,
            fields,
            slow_tries=slow_tries,
            follows_records=result.records > 0,
            shape=self._shape,
        )
        self._note_clock(answer, asked_at)
        result.pages += 1
        keys: list[Hashable] = []
        recent = days_around(result.began or asked_at, result.ended or asked_at, zone=self._settings.zone)
        month = recent[0][:8] if recent[0][:8] == recent[-1][:8] else b""
        for place, (record, value) in enumerate(zip(answer.records, answer.values, strict=True), start=1):
            cst_id = identity(value)
            self._keep(Reading(result.pages, place, record, answer.received_at, cst_id), value)
            # few records changed while they were read
            if month in record and any(day in record for day in recent):
                self._stamps.extend(change_stamps(exact(record)))
            if cst_id is not None:
                result.shown.add(cst_id)
            elif not lacks_only_its_id(value):
                result.no_records.append(kind_of(value))
            keys.append(cst_id or record)
        result.records += len(keys)
        self._on_page(result.records)
        return keys

    def _note_clock(self, answer: Answer, asked_at: datetime) -> None:
        """LeadPerfection's clock at both ends; the Date header has whole seconds. Ours, if there is no such header."""
        result = self._result
        if result.began is None:
            began = answer.lp_clock and answer.lp_clock - timedelta(seconds=answer.elapsed + 1)
            result.began = began or asked_at
        result.ended = (answer.lp_clock or answer.received_at) + timedelta(seconds=2)
