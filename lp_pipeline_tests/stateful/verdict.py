"""What must stand in the warehouse once LeadPerfection has come to rest and was read: from the SPEC and LP's own file.

Belongs here: the comparison, with model.py's mapping and judging. Not here: how things came about.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from lp_pipeline.sandbox.stamps import LEAD_ENTERED, LEAD_KINDS, PROSPECT
from lp_pipeline.warehouse.database import run
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.model import Model, Prospect
from lp_pipeline_tests.model_records import ZONE, Reading
from lp_pipeline_tests.scenario import Record
from lp_pipeline_tests.stateful.edits import People

CHANGING = ("external_created_at", "external_updated_at", "email", "first_name", "last_name", "phone", "status")
COLUMNS = ("external_contact_id", "external_id", *CHANGING)
KEY = "external_contact_id, external_id, external_created_local"
MERGED = """
    select m.feed, m.contact_key, m.reading_no, m.read_at, any_value(p.record),
        list(l.record order by l.lead_place) filter (l.record is not null)
    from pipeline.merged as m
    inner join raw.prospects as p on p.reading_no = m.reading_no
    left join raw.leads as l on l.reading_no = m.reading_no
    group by all
"""
LISTED = """
    select m.contact_key, l.lead_key, l.content::varchar
    from pipeline.merged as m left join raw.leads as l on l.reading_no = m.reading_no
    where m.feed = 'leads'
    order by l.lead_place desc
"""
CHANGES = "from opportunity_changes order by rowid"
EVER = datetime(2000, 1, 1)
Key = tuple[Any, ...]


class Triggers:
    """Which leads must have been triggered (F2): what a merge showed otherwise than an earlier one.

    A lower bound: of a prospect's first reading it believes in a lead only if there is no other.
    """

    def __init__(self) -> None:
        self.leads: set[tuple[str, str]] = set()
        self._listed: dict[str, dict[str, str]] = {}

    def note(self, account: Account, *, one_merge: bool) -> None:
        """Look at what has been merged by now."""
        now: dict[str, dict[str, str]] = defaultdict(dict)
        for who, name, content in account.ask(LISTED):
            now[who] |= {name: content} if name else {}
        for who, leads in now.items():
            before = self._listed.get(who)
            if before is not None:
                self.leads |= {(who, name) for name, content in leads.items() if before.get(name) != content}
            elif one_merge and len(leads) == 1:
                self.leads |= {(who, name) for name in leads}
        self._listed = dict(now)


@dataclass
class Verdict:
    """Collects what is wrong, in words."""

    account: Account
    people: People
    triggers: Triggers
    rejected_before: set[str]  # the last sweep read these by id
    wrong: list[str] = field(default_factory=list)

    def differences(self) -> list[str]:
        """Everything that is otherwise than the SPEC says; nothing, if all is well."""
        with self.account.pipeline() as pipeline, pipeline.warehouse.connection() as connection:

            def ask(query: str) -> list[tuple[Any, ...]]:
                return connection.execute(query).fetchall()

            merged = ask(MERGED)
            names = f"{KEY}, combination, gone_since is not null, {', '.join(COLUMNS)}"
            rows = ask(f"select {names} from opportunities")
            rejected = ask("select contact_key, combination, lead_key, list_sort(missing) from rejected_records")
            self._none("twice", ask(f"select {KEY} from opportunities group by all having count(*) > 1"))
            self._none("unmerged", ask("from pipeline.unmerged"))
            self._none("held", ask("select external_contact_id from held_opportunities where state = 'held'"))
            self._none("gaps", run(connection, "checks/window_gaps"))
            self._changes(
                ask(f"select {KEY}, column_name, old_value, new_value, sync_id {CHANGES}"),
                ask(f"select {KEY}, {', '.join(f'{name}::varchar' for name in CHANGING)} from opportunities"),
            )
        model = self._model(merged)
        of: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            of[row[0]].append(row)
        for who in sorted({*model.readings, *of}):
            if who in model.readings:
                turned_away = {(kind, name): list(missing) for each, kind, name, missing in rejected if each == who}
                self._prospect(model, who, of[who], turned_away)
            else:
                self.wrong.append(f"{who} was never read, and has opportunities")
        return self.wrong

    def _none(self, what: str, rows: Iterable[Any]) -> None:
        self.wrong += [f"{what}: {row}" for row in rows]

    def _model(self, merged: list[tuple[Any, ...]]) -> Model:
        """The last reading of each prospect in each feed: LP's final record if the sweep asks for it (S1)."""
        model = Model("present")
        for feed, who, number, read_at, record, leads in merged:
            received = {**msgspec.json.decode(record), "leads": [msgspec.json.decode(each) for each in leads or []]}
            reading = Reading(received, (number, feed, 1), read_at, (EVER, EVER))
            model.readings.setdefault(who, {})[feed] = [reading]
        for feed, shown in self._shown().items():
            for who, record in shown.items():
                reading = Reading(record, (2**62, feed, 1), self.account.now.astimezone(UTC), (EVER, EVER))
                model.readings.setdefault(who, {})[feed] = [reading]
        return model

    def _shown(self) -> dict[str, dict[str, Record]]:
        """What LP shows to a full sweep: by day of entry, by recent activity, and by id what was rejected."""
        now = self.account.now.astimezone(ZONE).replace(tzinfo=None)
        options = self.account.load().lp_lead_options & LEAD_KINDS
        recent = now - timedelta(days=30)
        leads = {**self._window(EVER, now, LEAD_ENTERED), **self._window(recent, now, options)}
        by_id = self._window(EVER, now, options)
        leads |= {who: record for who, record in by_id.items() if who in self.rejected_before}
        return {"leads": leads, "prospects": self._window(EVER, now, PROSPECT)}

    def _window(self, start: datetime, end: datetime, kinds: int) -> dict[str, Record]:
        ids = dict.fromkeys(("cst_id", "lds_id", "ils_id"), "")
        span = {"start": f"{start:%Y-%m-%dT%H:%M:%S}.0000000", "end": f"{end:%Y-%m-%dT%H:%M:%S}.0000000"}
        with self.account.lp.open() as world:
            rows = world.window({**span, **ids, "kinds": kinds, "order": "cst_id", "limit": -1, "offset": 0})
        return {row.cst_id: msgspec.json.decode(row.text) for row in rows}

    def _prospect(
        self, model: Model, who: str, rows: list[tuple[Any, ...]], rejected: dict[tuple[str, str], list[str]]
    ) -> None:
        prospect = model.prospect(who)
        created = prospect.date("dateadded")
        standing = {(number, local): kind for _, number, local, kind, *_ in rows}
        if not rows and not rejected:
            self.wrong.append(f"{who} was read, and is nowhere")
        for row in rows:
            self._row(model, prospect, row)
        for name, lead in prospect.leads.items():
            if (who, name) not in self.triggers.leads:
                continue
            missing = model.missing(model.candidate(prospect, lead, "lead+prospect"))
            if missing and rejected.get(("lead+prospect", name)) != missing:
                self.wrong.append(f"{who}/{name} should be rejected for {missing}: {rejected}")
            if not missing and created and standing.get((name, created.to_the_second)) != "lead+prospect":
                self.wrong.append(f"{who}/{name} was triggered, and is not there as {created.to_the_second}: {rows}")
        for (kind, name), found in rejected.items():
            its = prospect.leads.get(name) if name else next(iter(prospect.leads.values()), None)
            if (name and its is None) or found != model.missing(model.candidate(prospect, its, kind)):
                self.wrong.append(f"{who}/{name} is rejected as {kind} for {found}, and should not be")

    def _row(self, model: Model, prospect: Prospect, row: tuple[Any, ...]) -> None:
        who, number, local, kind, gone, *found = row
        created = prospect.date("dateadded")
        if (who, local) not in self.people.dates_ever or (number and (who, number) not in self.people.leads_ever):
            self.wrong.append(f"{who}/{number} of {local} never existed")
        listed = number in prospect.leads if number else not prospect.leads
        if gone != (not listed or (created is not None and created.to_the_second != local)):
            self.wrong.append(f"{who}/{number} of {local}: gone is {gone} although LP lists {list(prospect.leads)}")
        if gone or ("leads" not in model.readings[who] and prospect.leads):
            return  # F2: what the prospect feed alone shows of leads triggers nothing
        expected = model.candidate(prospect, prospect.leads.get(number) if number else None, kind)
        if not model.missing(expected) and found != [expected.values[name] for name in COLUMNS]:
            told = {name: (is_, expected.values[name]) for name, is_ in zip(COLUMNS, found, strict=True)}
            wrong = {name: pair for name, pair in told.items() if pair[0] != pair[1]}
            self.wrong.append(f"{who}/{number} of {local}: (found, expected) {wrong}")

    def _changes(self, changes: list[tuple[Any, ...]], rows: list[tuple[Any, ...]]) -> None:
        """M7: the changes, one after the other, lead from the insert to what stands there now."""
        state: dict[Key, dict[str, Any]] = {}
        once: set[Key] = set()
        for *key, column, old, new, sync in changes:
            name = tuple(key)
            if (*name, column, sync) in once:
                self.wrong.append(f"{name}: {column} changed twice in sync {sync}")
            once.add((*name, column, sync))
            if column is None:
                if name in state:
                    self.wrong.append(f"{name} was inserted twice")
                state[name] = {}
            elif name not in state:
                self.wrong.append(f"{name}: {column} changed before it was inserted")
            elif state[name].get(column, old) != old or old == new:
                self.wrong.append(f"{name}: {column} changed from {old} to {new}, was {state[name].get(column)}")
            state.setdefault(name, {})[column] = new
        for row in rows:
            name, now = tuple(row[:3]), dict(zip(CHANGING, row[3:], strict=True))
            if name not in state:
                self.wrong.append(f"{name} has no row of its insert")
            for column, value in state.get(name, {}).items():
                if column is not None and now[column] != value:
                    self.wrong.append(f"{name}: {column} is {now[column]}, the last change says {value}")
