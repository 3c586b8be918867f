"""SPEC C1: when Hatch's export is asked for, for which days, and what becomes of what it gives."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.communications.export import ExportReport, read_export
from lp_pipeline.runs.steps import read_communications
from lp_pipeline.storage.outbox import Outbox, iso
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.clients.hatch.fakes import EXPORT_KEY, exported, item, settings
from lp_pipeline_tests.scenario import NOON

ITEMS, HISTORY = "conversation_items", "contact_history"
Asked = tuple[str, date, date]


class Exports:
    """An outbox, a clock, and a Hatch whose export holds `lines`, by day, up to `lag` days ago."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON
        self.lag = 1
        self.largest = 180  # days; longer ranges are too large
        self.lines: dict[str, list[tuple[date, bytes]]] = {ITEMS: [], HISTORY: []}
        self.asked: list[Asked] = []
        self.instead: Callable[[], httpx.Response] | None = None

    def put(self, days_ago: int, identity: str = "a", **columns: Any) -> None:
        """Let something have happened at noon some days ago."""
        at = NOON - timedelta(days=days_ago)
        line = item(id=identity, **{"created_at": at.isoformat(), **columns})
        self.lines[ITEMS].append((at.date(), line))

    def read(self, **environ: str) -> ExportReport:
        """What a sync does, in a process of its own."""
        given = settings(LP_PIPELINE_NOW=self.now.isoformat(), LP_PIPELINE_DATA=str(self.folder), **environ)
        with Outbox(self.folder) as outbox, HatchClient(given, transport=httpx.MockTransport(self._answer)) as client:
            return read_export(outbox, client, given)

    def later(self, **delta: float) -> None:
        """Advance the clock."""
        self.now += timedelta(**delta)

    def asked_now(self) -> list[Asked]:
        """What was asked for since this was last called."""
        found, self.asked = self.asked, []
        return found

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the outbox."""
        with Outbox(self.folder) as outbox, outbox.transaction(visible=False) as connection:
            return [tuple(row) for row in connection.execute(query)]

    def revision(self) -> int:
        """How often people would have seen something new."""
        with Outbox(self.folder) as outbox:
            return outbox.revision

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        start, end = (date.fromisoformat(asked[name]) for name in ("start_date", "end_date"))
        self.asked.append((asked["data_source"], start, end))
        assert request.headers["authorization"] == f"Bearer {EXPORT_KEY}"
        assert 0 <= (end - start).days < 180
        if self.instead is not None:
            return self.instead()
        if (end - start).days + 1 > self.largest:
            return httpx.Response(413, json={"errors": {"detail": "Ann Field says it is too large"}})
        known = self.now.date() - timedelta(days=self.lag)
        return exported(line for day, line in self.lines[asked["data_source"]] if start <= day <= min(end, known))


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    """A Hatch without anything in its export, and no outbox yet."""
    return Exports(tmp_path)


YESTERDAY = date(2026, 3, 1)


def test_at_first_180_days_are_asked_for(exports: Exports) -> None:
    """C1: within Hatch's limits, up to yesterday."""
    exports.read()
    assert exports.asked_now() == [(ITEMS, date(2025, 9, 3), YESTERDAY)]
    assert (YESTERDAY - date(2025, 9, 3)).days + 1 == 180


def test_it_is_asked_for_hourly_until_yesterdays_is_in(exports: Exports) -> None:
    """C1: over restarts, at most once an hour, and no more once yesterday's is in, until there is a new yesterday."""
    exports.put(4)
    at: list[datetime] = []
    for _ in range(13):
        exports.read()
        at += [exports.now for source, *_ in exports.asked_now() if source == ITEMS]
        exports.later(minutes=15)
    assert at == [NOON + timedelta(hours=hours) for hours in range(4)]
    exports.put(1, "b")
    exports.later(hours=1)
    assert exports.read().items[ITEMS] == 2  # from the day of the last one on, which may have been in by half
    assert exports.asked_now()[0] == (ITEMS, date(2026, 2, 26), YESTERDAY)
    exports.later(hours=6)
    report = exports.read()
    assert report.why_not[ITEMS] == "yesterday has been read"
    exports.later(hours=6)
    assert exports.now.date() == date(2026, 3, 3)
    exports.later(hours=5)  # it is another day in New York too
    exports.asked_now()
    exports.read()
    assert (ITEMS, YESTERDAY, date(2026, 3, 2)) in exports.asked_now()


def test_five_minutes_lie_between_any_two(exports: Exports) -> None:
    """C1: the limit is the organisation's, so that the two data sources wait for one another."""
    exports.read()
    exports.later(minutes=4)
    report = exports.read()
    assert report.why_not[HISTORY] == "another export was requested within the last 5 minutes"
    exports.later(minutes=1)
    exports.read()
    assert [source for source, *_ in exports.asked_now()] == [ITEMS, HISTORY]


def test_neither_data_source_starves_the_other(exports: Exports) -> None:
    """C1: where syncs come hourly, both have their turn although yesterday's is never in."""
    for _ in range(80):
        exports.read()
        exports.later(hours=1)
    assert [source for source, *_ in exports.asked_now()] == [*[ITEMS] * 73, HISTORY, *[ITEMS] * 6]


def test_a_hundred_are_asked_for_a_day(exports: Exports) -> None:
    """C1: at most 100 a day, whatever the reason."""
    with Outbox(exports.folder) as outbox, outbox.transaction() as connection:
        connection.executemany(
            "insert into export_requests values (?, 'contact_history', '', '', 'asked', 0, null, '')",
            [(iso(NOON - timedelta(minutes=70 + number)),) for number in range(100)],
        )
    report = exports.read()
    assert exports.asked_now() == []
    assert set(report.why_not.values()) == {"100 exports were requested within a day"}
    exports.later(days=1)
    exports.read()
    assert len(exports.asked_now()) == 1


def test_a_range_that_is_too_large_is_halved_until_it_passes(exports: Exports) -> None:
    """C1, contract 2: 413 asks for half the range; the rest follows, and nothing in it is lost or asked for in vain."""
    exports.largest = 50
    for days_ago in range(1, 181):
        exports.put(days_ago, f"day-{days_ago}")
    lengths = []
    for _ in range(11):
        report = exports.read(HATCH_EXPORT_MINUTES="0")
        lengths += [(end - start).days + 1 for source, start, end in exports.asked_now() if source == ITEMS]
        assert "Ann" not in (report.unavailable or "")
        exports.later(minutes=61)
    assert lengths[:3] == [180, 90, 45]
    assert max(lengths[2:]) <= 45
    assert len(lengths) < 9
    assert exports.rows("select count(*) from communications") == [(180,)]


def test_a_single_day_that_is_too_large_holds_up_no_other(exports: Exports) -> None:
    """C1: it can't be halved, so it is left out, and said; the days after it come in."""
    exports.largest = 0
    for days_ago in (1, 2, 3):
        exports.put(days_ago, f"day-{days_ago}")
    with Outbox(exports.folder) as outbox, outbox.transaction() as connection:
        connection.execute(
            "insert into export_requests values (?, ?, '2026-02-26', '2026-02-26', 'read', 0, '2026-02-26', null)",
            (iso(NOON - timedelta(days=1)), ITEMS),
        )
    warnings = []
    for _ in range(8):
        warnings.append(exports.read(HATCH_EXPORT_MINUTES="0").unavailable or "")
        asked = [(start, end) for source, start, end in exports.asked_now() if source == ITEMS]
        if "is skipped" in warnings[-1]:
            exports.largest = 180
        exports.later(hours=1)
        if asked == [(YESTERDAY, YESTERDAY)]:
            break
    assert any("so 2026-02-27 is skipped" in each for each in warnings)
    assert exports.rows("select communication_id from communications order by 1") == [("day-1",), ("day-2",)]


def test_after_an_outage_the_next_one_starts_where_the_last_one_was_in(exports: Exports) -> None:
    """C1: what the pipeline slept through is asked for in one piece."""
    exports.put(1)
    exports.read()
    exports.later(days=10)
    exports.read()
    assert exports.asked_now()[1] == (ITEMS, YESTERDAY, date(2026, 3, 11))
    exports.later(days=200)
    exports.read(HATCH_EXPORT_MINUTES="0")
    (again,) = [each for each in exports.asked_now() if each[0] == ITEMS]
    assert (again[2] - again[1]).days == 179


def test_an_export_that_lags_is_waited_for(exports: Exports) -> None:
    """C1: yesterday is not taken for in as long as nothing of it is; quiet days are, a week later."""
    exports.put(1, "late")
    exports.put(2, "early")
    exports.lag = 2
    exports.read()
    assert exports.rows("select through from export_requests") == [("2026-02-28",)]
    exports.lag = 1
    exports.later(hours=1)
    exports.read()
    assert exports.rows("select count(*) from communications") == [(2,)]
    quiet = Exports(exports.folder / "quiet")
    quiet.read()
    assert quiet.rows("select through from export_requests") == [("2026-02-23",)]


def test_a_time_that_is_nonsense_does_not_stand_for_yesterday(exports: Exports) -> None:
    """C1: an item of next year doesn't make yesterday's be in."""
    exports.put(3)
    exports.lines[ITEMS].append((date(2026, 2, 27), item(id="odd", created_at="2027-01-01T00:00:00Z")))
    exports.read()
    assert exports.rows("select through from export_requests") == [("2026-02-27",)]


BAD_ZIP = httpx.Response(200, content=b"PK\x03\x04 nothing", headers={"content-type": "application/zip"})
ERRORS = {
    "429": lambda: httpx.Response(429, json={"errors": {"detail": "Ann asked too often"}}),
    "500": lambda: httpx.Response(500, text="Ann"),
    "html": lambda: httpx.Response(200, text="<html>Ann</html>", headers={"content-type": "text/html"}),
    "bad zip": lambda: httpx.Response(200, content=BAD_ZIP.content, headers=BAD_ZIP.headers),
}


@pytest.mark.parametrize("answer", ERRORS.values(), ids=ERRORS.keys())
def test_an_error_that_may_pass_is_for_later(exports: Exports, answer: Callable[[], httpx.Response]) -> None:
    """C1, R3, R4: one attempt, a message without Hatch's words, and again in an hour."""
    exports.put(1)
    exports.instead = answer
    report = exports.read()
    assert report.stopped is None
    assert report.unavailable is not None
    assert "Ann" not in report.unavailable
    exports.later(minutes=59)
    assert exports.read(HATCH_EXPORT_MINUTES="60").asked == {}
    assert len(exports.asked_now()) == 1
    exports.instead = None
    exports.later(minutes=1)
    assert exports.read().landed.new == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken_is_told(exports: Exports, status: int) -> None:
    """C1, R4: a message that names the setting; corrected, the export comes in."""
    exports.put(1)
    exports.instead = lambda: httpx.Response(status, json={"errors": {"detail": "Ann may not"}})
    report = exports.read(HATCH_EXPORT_MINUTES="0")
    assert report.stopped is not None
    assert "HATCH_EXPORT_KEY" in report.stopped
    assert "Ann" not in report.stopped
    assert len(exports.asked_now()) == 1
    exports.instead = None
    exports.later(hours=1)
    assert exports.read().landed.new == 1


def test_what_is_malformed_is_kept_and_the_rest_lands(exports: Exports) -> None:
    """C1: one line that is no communication costs itself alone."""
    exports.put(1, "good")
    exports.put(1, "timeless", created_at=...)
    exports.lines[ITEMS].append((YESTERDAY, b"{no json"))
    report = exports.read()
    assert (report.landed.new, report.landed.rejected, report.unavailable) == (1, 2, None)
    assert exports.rows("select communication_id from communications") == [("good",)]
    query = "select record, reason from rejected_communications order by reason"
    (broken, timeless) = exports.rows(query)
    assert broken == ('"{no json"', "it is no JSON object")
    assert json.loads(timeless[0])["id"] == "timeless"
    assert timeless[1].startswith("no time: none of occurred_at, sent_at")


def test_read_again_it_changes_nothing_but_what_changed(exports: Exports) -> None:
    """C1: a communication is kept once; what Hatch says of it later counts."""
    exports.put(1, "same")
    exports.put(1, "sent", delivery_status="queued")
    exports.lines[ITEMS].append((YESTERDAY, b"[]"))
    exports.lines[HISTORY].append((YESTERDAY, b'{"hatch_contact_id": "h", "updated_at": "2026-03-01T10:00:00Z"}'))
    exports.lag = 1
    exports.read(HATCH_EXPORT_MINUTES="0")
    seen = exports.revision()
    again(exports)
    report = exports.read(HATCH_EXPORT_MINUTES="0")
    assert (report.items, report.landed.new, report.landed.known) == ({ITEMS: 3, HISTORY: 1}, 0, 2)
    assert exports.revision() == seen
    again(exports)
    exports.lines[ITEMS] = []
    exports.put(1, "sent", delivery_status="delivered")
    exports.read(HATCH_EXPORT_MINUTES="0")
    assert exports.revision() == seen + 1
    query = "select communication_id, delivery_status from communications order by 1"
    assert exports.rows(query) == [("same", "delivered"), ("sent", "delivered")]


def again(exports: Exports) -> None:
    """As if nothing had ever been in."""
    exports.rows("delete from export_requests")


@pytest.mark.parametrize("column", ["occurred_at", "sent_at", "Inserted_At", "timestamp", "updated_at"])
def test_the_time_may_have_several_names(exports: Exports, column: str) -> None:
    """C1, contract 2: the first of these that is there."""
    exports.put(1, "a", created_at=..., **{column: "2026-03-01T10:00:00Z"})
    exports.read()
    assert exports.rows("select occurred_at from communications") == [("2026-03-01T10:00:00.000000+00:00",)]


def test_a_time_under_a_name_of_its_own_is_a_setting_and_loses_no_days(exports: Exports) -> None:
    """C1: nothing readable gives a message with the setting's name, and is requested again."""
    exports.put(30, "a", created_at=..., happened="2026-01-31T10:00:00Z")
    report = exports.read()
    assert "HATCH_TIME_COLUMNS" in (report.unavailable or "")
    exports.later(hours=1)
    assert exports.read(HATCH_TIME_COLUMNS="sent_at,happened").landed.new == 1


def test_a_crash_right_after_asking_does_not_ask_again_within_the_hour(exports: Exports) -> None:
    """C1, R1: that it was asked for is on disk before it is asked for."""

    def killed() -> httpx.Response:
        raise KeyboardInterrupt

    exports.instead = killed
    with pytest.raises(KeyboardInterrupt):
        exports.read()
    exports.instead = None
    exports.later(minutes=59)
    assert exports.read(HATCH_EXPORT_MINUTES="60").asked == {}
    exports.later(minutes=1)
    assert len(exports.read().asked) == 1


def test_a_clock_that_was_set_back_puts_it_off_by_no_year(exports: Exports) -> None:
    """C1: an hour that lies in the future is none."""
    exports.later(days=300)
    exports.instead = ERRORS["500"]
    exports.read()
    exports.later(days=-300)
    exports.instead = None
    assert exports.read().asked


def test_from_the_inbox_no_export_is_asked_for(lp_account: Account) -> None:
    """C1: never both at once, and without a key neither."""
    lp_account.with_hatch(COMMUNICATIONS_FROM="inbox", INBOX_SECRET="s" * 32)
    with lp_account.connections() as connections:
        assert read_communications(connections) is None
    lp_account.environ |= {"COMMUNICATIONS_FROM": "export", "HATCH_EXPORT_KEY": ""}
    with lp_account.connections() as connections:
        assert read_communications(connections) is None
    assert [path for path, _ in lp_account.lp.requests if "export" in path] == []
