"""SPEC W7, W8, F, J, M: the pipeline against the model in model.py, over random histories of syncs.

A few histories every day, more of them in `make test-long`, and with `--hypothesis-profile drills` a thousand.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lp_pipeline.clients.leadperfection import Window, as_sent
from lp_pipeline_tests.model import Model
from lp_pipeline_tests.scenario import Scenario, lead, prospect

DRILLS = settings.get_current_profile_name() == "drills"

FEEDS = ("leads", "prospects")
KEY = "external_contact_id, external_id, external_created_local"
COLUMNS = (
    "external_contact_id",
    "external_id",
    "external_created_local",
    "external_created_at",
    "external_updated_at",
    "email",
    "first_name",
    "last_name",
    "phone",
    "status",
    "external_updated_at_source",
    "combination",
    "lead_changed_at",
    "first_synced_at",
    "changed_at",
)
REJECTION = "external_contact_id, external_id, list_sort(missing), first_rejected_at, last_rejected_at, attempts"
CURRENT = "select * exclude (opportunity_place) from ranked_opportunities where opportunity_place = 1"
Change = dict[str, Any]

# Wall times around the syncs, which begin at noon of 2 March: recent, soon, far ahead, old, or none at all.
OLD = "2025-01-05T08:00:00"
STAMPS = [
    "2026-03-02T11:51:07.297",
    "2026-03-02T10:00:00",
    "2026-03-02T12:05:30",
    "2026-03-02T17:20:30Z",
    "2026-03-02 12:35:00.5",
    "2026-03-03T13:30:00",
    "2026-03-03T15:00:00",
    "2026-03-09T08:00:00",
    OLD,
    "1900-01-01T00:00:00",
    " ",
    None,
    ...,
]
CREATED = [
    "2025-11-03T10:12:44.9",
    "2025-11-04T10:12:44",
    "2025-11-02T01:30:00",
    "2025-11-02T05:30:00Z",
    "2026-03-03T15:00:00",
    "1753-01-01T00:00:00",
    "",
    ...,
]
JOBS = [
    None,
    [None, {"contractdate": "2026-03-01"}],
    [{"ContractDate": "2027-01-01T00:00:00", "LastChanged": "2026-03-02T12:01:00"}],
    [{"contractdate": "soon"}, {"lastchangedon": "2026-03-02T12:02:00"}],
]

LEAD_CHANGES: list[Change] = [
    *({"lastchangedon": stamp} for stamp in STAMPS),
    *({"dateentered": stamp} for stamp in STAMPS),
    *({"lastchangedon": OLD, "dateentered": stamp} for stamp in (OLD, OLD, *STAMPS[1:5])),
    *({"lastchangedon": "", "dateentered": stamp} for stamp in ("", "2026-03-02T11:40:00")),
    *({"disposition": value} for value in (*["Sold", "Lost"] * 4, "Set ", "", None, ..., ...)),
    {"disposition": None, "Disposition": "Sold"},
    *({"jobs": jobs} for jobs in JOBS),
    *({"lastchangedon": "", "dateentered": "", "jobs": jobs} for jobs in JOBS),
    *({"appointments": [{"lastchangedon": stamp}]} for stamp in STAMPS if stamp is not ...),
    *({"setter": name, "notes": [{"note": name}]} for name in ("Ray", "Lee")),
]
PROSPECT_CHANGES: list[Change] = [
    *({"lastchanged": stamp} for stamp in STAMPS),
    *({"dateadded": stamp} for stamp in CREATED),
    *({key: ...} for key in ("email", "firstname", "lastname", "phone1")),
    *({key: " "} for key in ("email", "phone1")),
    *({"firstname": name} for name in ("Anna", " Ann ", 7)),
    {"firstname": None, "FirstName": "Zoe", "FIRSTNAME": "Bob"},
    {"lastname": ..., "LastName": "Hill"},
    *({"city": city} for city in ("Troy", "Albany", None)),
    *({"tags": tags} for tags in (["a", "", None], ["a"], ["", "a"], [])),
    *({"setter": name, "calls": [{"phone": name}], "notes": name} for name in ("1", "2")),
]


def few(choices: list[Change], least: int = 0) -> st.SearchStrategy[Change]:
    """Mostly one change or none: a record with many of them is only rejected."""
    sizes = st.sampled_from([least, least, 1, 1, 2])
    lists = sizes.flatmap(lambda size: st.lists(st.sampled_from(choices), min_size=size, max_size=size))
    return lists.map(lambda changes: {key: value for change in changes for key, value in change.items()})


LEAD_IDS = [*["10", "11", "12"] * 5, 10, " 11 ", "", None, ...]
CST_IDS = [*["1", "2", "3"] * 8, 1, " 2 ", "", None, ..., {"a": 1}]
THIN = ["cst_id", "firstname", "dateadded", "lastchanged"]

AGES: list[Change] = [
    {},
    {"lastchangedon": OLD, "dateentered": OLD},
    *({"lastchangedon": each} for each in STAMPS[1:5]),
]
leads = st.builds(
    lambda number, age, change: lead(number, **{**age, **change}),
    st.sampled_from(LEAD_IDS),
    st.sampled_from(AGES),
    few(LEAD_CHANGES),
)
elements = st.integers(0, 9).flatmap(lambda dice: leads if dice else st.sampled_from([None, 7]))
lead_lists = st.sampled_from([0, 1, 1, 2, 2, 3]).flatmap(lambda size: st.lists(elements, min_size=size, max_size=size))


@st.composite
def records(draw: st.DrawFn, feed: str) -> Any:
    """A record of a feed: three contacts, few values; in the prospect feed often thinner, and often without leads."""
    if draw(st.integers(0, 40)) == 40:
        return draw(st.sampled_from([None, 7, "text", [], {}]))
    record = prospect(draw(st.sampled_from(CST_IDS)), *draw(lead_lists), **draw(few(PROSPECT_CHANGES)))
    shape = draw(st.sampled_from([*["whole"] * 8, "no leads", "null"]))
    if feed == "prospects" and draw(st.booleans()):
        record = {key: value for key, value in record.items() if key.lower() in THIN or key == "leads"}
    if shape == "no leads":
        del record["leads"]
    elif shape == "null":
        record["leads"] = None
    return dict(reversed(record.items())) if draw(st.integers(0, 9)) == 9 else record


@st.composite
def edited(draw: st.DrawFn, shown: list[Any]) -> Any:
    """An existing record with one edit: a lead changed or removed, or a change of the prospect itself."""
    record = draw(st.sampled_from(shown))
    if not isinstance(record, dict):
        return record
    items = record.get("leads") or []
    places = [place for place, item in enumerate(items) if isinstance(item, dict)]
    if not places or draw(st.integers(0, 3)) == 0:
        return with_changes(record, draw(few(PROSPECT_CHANGES, 1)))
    place = draw(st.sampled_from(places))
    kept = [] if draw(st.integers(0, 4)) == 0 else [with_changes(items[place], draw(few(LEAD_CHANGES, 1)))]
    return {**record, "leads": [*items[:place], *kept, *items[place + 1 :]]}


def with_changes(record: Change, change: Change) -> Change:
    """The record with these fields; a field given as `...` is left out."""
    return {key: value for key, value in {**record, **change}.items() if value is not ...}


@dataclass(frozen=True)
class Sync:
    """One sync of a history; a late one stores its readings after those of the sync that follows it in number."""

    pause: timedelta
    minutes: int
    leads: list[Any]
    prospects: list[Any]
    late: bool
    merges: bool


PAUSES = [timedelta(minutes=15)] * 4 + [timedelta(0), timedelta(minutes=1), timedelta(hours=2), timedelta(hours=26)]


@st.composite
def histories(draw: st.DrawFn) -> list[Sync]:
    """Three to five syncs; what was shown is often shown again, as it was or edited, in either feed."""
    latest: dict[str, dict[str, Any]] = {feed: {} for feed in FEEDS}
    syncs = []
    for _ in range(draw(st.integers(3, 5))):
        pages: dict[str, list[Any]] = {}
        for feed in FEEDS:
            # Mostly of the same feed, for only with itself a reading is compared.
            shown = [record for each in (feed, feed, *FEEDS) for record in latest[each].values()]
            again = [st.sampled_from(shown), edited(shown), edited(shown), edited(shown)] if shown else []
            # A sync costs the same whatever the size of its pages, so that full ones find more in the same time.
            size = draw(st.sampled_from([0, 3, 4, 6]))
            pages[feed] = draw(st.lists(st.one_of(records(feed), *again), min_size=size, max_size=6))
        for feed, page in pages.items():
            latest[feed] |= {str(record.get("cst_id")): record for record in page if isinstance(record, dict)}
        pause, minutes = draw(st.sampled_from(PAUSES)), draw(st.sampled_from([35, 35, 180]))
        late, merges = draw(st.integers(0, 4)) == 4, draw(st.integers(0, 2)) < 2
        syncs.append(Sync(pause, minutes, pages["leads"], pages["prospects"], late, merges))
    return syncs


@pytest.mark.parametrize("examples", [2, pytest.param(12, marks=pytest.mark.marathon)])
def test_the_pipeline_does_what_the_model_does(examples: int) -> None:
    """W7, W8, F1 to F3, J1 to J7, M1 to M8: whatever is read and merged, every table holds what the SPEC says."""
    depth = settings(
        max_examples=settings().max_examples if DRILLS else examples,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    any_history = given(history=histories(), availability=st.sampled_from(["present", "present", "strict", "identity"]))
    depth(any_history(both_go_through))()


def both_go_through(history: list[Sync], availability: str) -> None:
    """Let the pipeline and the model read and merge the same, and compare after each merge."""
    with TemporaryDirectory() as folder:
        pipeline = Scenario(Path(folder), LP_AVAILABILITY=availability, LP_IGNORE_FIELDS="setter")
        model = Model(availability)
        begun = 1
        for number, sync in enumerate(history, 2):
            pipeline.now += sync.pause
            sync_id, begun = (begun, number) if sync.late else (number, begun)
            for feed, page in zip(FEEDS, (sync.leads, sync.prospects), strict=True):
                if page:
                    read_both(pipeline, model, feed, page, sync_id, sync.minutes)
            if sync.merges or sync is history[-1]:
                assert_they_agree_after_a_merge(pipeline, model)


def read_both(pipeline: Scenario, model: Model, feed: str, page: list[Any], sync_id: int, minutes: int) -> None:
    """Let both read one page from one window."""
    pipeline.read(feed, *page, minutes=minutes, sync=sync_id)
    sent = as_sent(Window(pipeline.now - timedelta(minutes=minutes), pipeline.now), ZoneInfo("America/New_York"))
    model.read(feed, sync_id, pipeline.now, (sent.start, sent.end), page)


def assert_they_agree_after_a_merge(pipeline: Scenario, model: Model) -> None:
    """Let both merge, and compare the outcomes and the tables."""
    report = pipeline.merge()
    found = Tables(pipeline)
    outcomes = model.merge(found.merge_id, pipeline.now)
    names = ("inserted", "updated", "unchanged", "stale", "rejected", "gone", "returned")
    assert {name: getattr(report, name) for name in names} == {name: outcomes[name] for name in names}
    assert found.opportunities == opportunities_of(model)
    assert found.changes == in_order(model.changes)
    assert found.rejected == in_order(
        (r.contact, r.lead, r.missing, r.first_at, r.last_at, r.attempts) for r in model.rejected.values()
    )
    assert found.current == in_order(model.current())


def in_order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in an order of their own."""
    return sorted(rows, key=repr)


class Tables:
    """What the warehouse holds, in the forms that the model has, read over one connection."""

    def __init__(self, pipeline: Scenario) -> None:
        with pipeline.warehouse.connection() as connection:
            (self.merge_id,) = connection.execute("select max(sync_id) from pipeline.syncs").fetchall()[0]
            rows = connection.execute(
                f"select {', '.join(COLUMNS)}, gone_since is not null from opportunities"
            ).fetchall()
            changes = connection.execute("from opportunity_changes").fetchall()
            self.rejected = in_order(connection.execute(f"select {REJECTION} from rejected_records").fetchall())
            self.current = in_order(connection.execute(f"select {KEY} from ({CURRENT})").fetchall())
        self.opportunities = in_order(rows)
        self.changes = in_order((*rest, name, *as_times(name, old, new)) for *rest, name, old, new in changes)


def as_times(column: str | None, *values: str | None) -> list[Any]:
    """M7: the old and the new value; those of a time as times."""
    is_time = column is not None and column.endswith("_at")
    return [datetime.fromisoformat(value) if is_time and value else value for value in values]


def opportunities_of(model: Model) -> list[tuple[Any, ...]]:
    """The model's rows, as `COLUMNS` and whether they are gone."""
    return in_order(
        tuple((row.values | vars(row) | {"external_created_local": row.created})[name] for name in (*COLUMNS, "gone"))
        for row in model.opportunities.values()
    )
