"""The expected warehouse after LP stopped changing and was read, derived from the SPEC and LP's file.

Belongs here: the comparison, with model.py's mapping and judging. Not here: how things came about.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from lp_pipeline.sandbox.world.stamps import LEAD_ENTERED, LEAD_KINDS, PROSPECT
from lp_pipeline.storage.contents import contents
from lp_pipeline.storage.warehouse import run
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.model import Model, Prospect, is_gone
from lp_pipeline_tests.model_records import ZONE, Reading
from lp_pipeline_tests.scenario import Record
from lp_pipeline_tests.stateful.edits import People

CHANGING = ("external_created_at", "external_updated_at", "email", "first_name", "last_name", "phone", "status")
COLUMNS = ("external_contact_id", "external_id", *CHANGING)
KEY = "external_contact_id, external_id, external_created_local"
MERGED = """
    select m.feed, m.contact_key, m.reading_no, m.read_at, r.record
    from pipeline.merged as m inner join raw.readings as r on r.reading_no = m.reading_no
"""
LISTED = """
    select m.contact_key, coalesce(r.normal, r.record)
    from pipeline.merged as m inner join raw.readings as r on r.reading_no = m.reading_no
    where m.feed = 'leads'
"""
EVER_LISTED = """
    select r.contact_key, r.sync_id, coalesce(r.normal, r.record)
    from raw.readings as r inner join pipeline.merged as m using (feed, contact_key)
    where feed = 'leads' and r.reading_no <= m.reading_no
"""
A_SYNC = 200_000_000_000  # numbers of readings that a sync may have
CHANGES = f"select {KEY}, column_name, old_value, new_value from opportunity_changes order by rowid"
CHANGED_TWICE = f"select {KEY}, column_name, sync_id from opportunity_changes group by all having count(*) > 1"
TWICE = f"select {KEY} from opportunities group by all having count(*) > 1"
EVER = datetime(2000, 1, 1)
Key = tuple[Any, ...]
Values = dict[str, Any]
Shown = Mapping[str, Mapping[str, Record]]  # what LP shows of each feed, by prospect


class Triggers:
    """Which leads must have been triggered (F2): what a merge showed otherwise than an earlier one.

    A lower bound: of a prospect's first reading it believes in a lead only if there is no other.
    """

    def __init__(self) -> None:
        self.leads: set[tuple[str, str]] = set()
        self._listed: dict[str, dict[str, Any]] = {}

    def note(self, account: Account, *, one_merge: bool) -> None:
        """Look at what has been merged by now."""
        now: dict[str, dict[str, Any]] = {
            who: {name: lead.content for name, lead in contents(record.encode()).by_key.items()}
            for who, record in account.ask(LISTED)
        }
        for who, leads in now.items():
            before = self._listed.get(who)
            if before is not None:
                self.leads |= {(who, name) for name, content in leads.items() if before.get(name) != content}
            elif one_merge and len(leads) == 1:
                self.leads |= {(who, name) for name in leads}
        self._listed = now


@dataclass
class Found:
    """The warehouse's content, and errors that don't depend on LP's data."""

    wrong: list[str]
    merged: list[tuple[Any, ...]]
    rows: list[tuple[Any, ...]]
    rejected: list[tuple[Any, ...]]
    changes: list[tuple[Any, ...]]
    opportunities: dict[Key, Values]


@dataclass
class Verdict:
    """What is wrong, in words."""

    account: Account
    people: People
    triggers: Triggers
    rejected_before: set[str] | None = None  # the last sweep read these by id; without one, syncs were to read all
    _before: dict[Key, Values] = field(default_factory=dict)  # the opportunities after the last run
    _changes_before: int = 0

    def after_a_run(self) -> list[str]:
        """M1, M3, M7: the rows match the merged readings, and the change log leads to them."""
        found = self._found()
        changes = found.changes[self._changes_before :]
        wrong = [*found.wrong, *_unexplained(self._before, changes, found.opportunities)]
        self._before, self._changes_before = found.opportunities, len(found.changes)
        model = self._model(found.merged)
        for row in found.rows:
            if row[0] in model.readings:
                wrong += self._row(model, model.prospect(row[0]), row)
        return wrong

    def at_rest(self, shown: Shown | None = None) -> list[str]:
        """Everything that is otherwise than the SPEC says, if that is what LP shows; nothing, if all is well."""
        found = self._found()
        wrong = found.wrong
        wrong += [f"unmerged: {row}" for row in self.account.ask("from pipeline.unmerged")]
        wrong += [f"held: {row}" for row in self.account.ask("from held_opportunities where state = 'held'")]
        model = self._model(found.merged, self.shown() if shown is None else shown)
        of: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in found.rows:
            of[row[0]].append(row)
        for who in sorted({*model.readings, *of}):
            if who in model.readings:
                turned_away = {
                    (kind, name): list(missing) for each, kind, name, missing in found.rejected if each == who
                }
                wrong += self._prospect(model, who, of[who], turned_away)
            else:
                wrong.append(f"{who} was never read, and has opportunities")
        return wrong

    def _found(self) -> Found:
        with self.account.connections() as connections, connections.warehouse.connection() as connection:

            def ask(query: str) -> list[tuple[Any, ...]]:
                return connection.execute(query).fetchall()

            wrong = [f"a key is there twice: {row}" for row in ask(TWICE)]
            wrong += [f"changed twice in a sync: {row}" for row in ask(CHANGED_TWICE)]
            wrong += [f"gap: {row}" for row in run(connection, "checks/window_gaps")]
            names = f"{KEY}, combination, gone_since is not null, {', '.join(COLUMNS)}"
            as_text = ask(f"select {KEY}, {', '.join(f'{name}::varchar' for name in CHANGING)} from opportunities")
            return Found(
                wrong,
                ask(MERGED),
                ask(f"select {names} from opportunities"),
                ask("select contact_key, combination, lead_key, list_sort(missing) from rejected_records"),
                ask(CHANGES),
                {row[:3]: dict(zip(CHANGING, row[3:], strict=True)) for row in as_text},
            )

    def _model(self, merged: Iterable[tuple[Any, ...]], shown: Shown | None = None) -> Model:
        """The last merged reading of each prospect in each feed, or what LP shows now."""
        listed = {
            (name, who, sync_id)
            for who, sync_id, record in self.account.ask(EVER_LISTED)
            for name in contents(record.encode()).by_key
            if not name.startswith("?")
        }
        model = Model("present", listed=listed)
        for feed, who, number, read_at, record in merged:
            place = (number // A_SYNC, feed, number)
            reading = Reading(msgspec.json.decode(record), place, read_at, (EVER, EVER))
            model.readings.setdefault(who, {})[feed] = [reading]
        for feed, records in (shown or {}).items():
            for who, record in records.items():
                reading = Reading(record, (2**62, feed, 1), self.account.now.astimezone(UTC), (EVER, EVER))
                model.readings.setdefault(who, {})[feed] = [reading]
        return model

    def shown(self) -> Shown:
        """What LP shows to a full sweep: by day of entry, by recent activity, and by id what was rejected; or to syncs,
        which is all that was ever announced."""
        now = self.account.now.astimezone(ZONE).replace(tzinfo=None)
        options = self.account.load().lp_lead_options & LEAD_KINDS
        ever = self._window(EVER, now, options)
        if self.rejected_before is None:
            leads = ever
        else:
            recent = now - timedelta(days=30)
            leads = {**self._window(EVER, now, LEAD_ENTERED), **self._window(recent, now, options)}
            leads |= {who: record for who, record in ever.items() if who in self.rejected_before}
        return {"leads": leads, "prospects": self._window(EVER, now, PROSPECT)}

    def _window(self, start: datetime, end: datetime, kinds: int) -> dict[str, Record]:
        ids = dict.fromkeys(("cst_id", "lds_id", "ils_id"), "")
        span = {"start": f"{start:%Y-%m-%dT%H:%M:%S}.0000000", "end": f"{end:%Y-%m-%dT%H:%M:%S}.0000000"}
        with self.account.lp.open() as world:
            rows = world.window({**span, **ids, "kinds": kinds, "order": "cst_id", "limit": -1, "offset": 0})
        return {row.cst_id: msgspec.json.decode(row.text) for row in rows}

    def _prospect(
        self, model: Model, who: str, rows: list[tuple[Any, ...]], rejected: dict[tuple[str, str], list[str]]
    ) -> list[str]:
        wrong: list[str] = []
        prospect = model.prospect(who)
        created = prospect.date("dateadded")
        kinds = {(number, local): kind for _, number, local, kind, *_ in rows}
        if not rows and not rejected:
            wrong.append(f"{who} was read, and is nowhere")
        if self.rejected_before is None and prospect.leads and all(row[3] == "prospect" for row in rows):
            wrong.append(f"{who} has leads, and was never joined with one")  # F2: of those shown first one is triggered
        for row in rows:
            wrong += self._row(model, prospect, row)
        for name, lead in prospect.leads.items():
            if (who, name) not in self.triggers.leads:
                continue
            missing = model.missing(model.candidate(prospect, lead, "lead+prospect"))
            if missing and rejected.get(("lead+prospect", name)) != missing:
                wrong.append(f"{who}/{name} should be rejected for {missing}: {rejected}")
            if not missing and created and kinds.get((name, created.to_the_second)) != "lead+prospect":
                wrong.append(f"{who}/{name} was triggered, and is not there as {created.to_the_second}: {rows}")
        for (kind, name), found in rejected.items():
            its = prospect.leads.get(name) if name else next(iter(prospect.leads.values()), None)
            if (name and its is None) or found != model.missing(model.candidate(prospect, its, kind)):
                wrong.append(f"{who}/{name} is rejected as {kind} for {found}, and should not be")
        return wrong

    def _row(self, model: Model, prospect: Prospect, row: tuple[Any, ...]) -> list[str]:
        wrong: list[str] = []
        who, number, local, kind, gone, *found = row
        if (who, local) not in self.people.dates_ever or (number and (who, number) not in self.people.leads_ever):
            wrong.append(f"{who}/{number} of {local} never existed")
        moved = number is not None and model.moved(who, number)
        if gone != (moved or is_gone(prospect, number, local, with_lead=False)):
            wrong.append(f"{who}/{number} of {local}: gone is {gone} although LP lists {list(prospect.leads)}")
        if gone or ("leads" not in model.readings[who] and prospect.leads):
            return wrong  # F2: what the prospect feed alone shows of leads triggers nothing
        expected = model.candidate(prospect, prospect.leads.get(number) if number else None, kind)
        if not model.missing(expected) and found != [expected.values[name] for name in COLUMNS]:
            differing = {name: (is_, expected.values[name]) for name, is_ in zip(COLUMNS, found, strict=True)}
            differing = {name: pair for name, pair in differing.items() if pair[0] != pair[1]}
            wrong.append(f"{who}/{number} of {local}: (found, expected) {differing}")
        return wrong


def _unexplained(
    before: Mapping[Key, Values], changes: list[tuple[Any, ...]], after: Mapping[Key, Values]
) -> list[str]:
    """M7: undoing the changes, last first, leads from the current rows to the earlier ones."""
    wrong: list[str] = []
    state = {key: dict(values) for key, values in after.items()}
    for *names, column, old, new in reversed(changes):
        key = tuple(names)
        if column is None:
            if state.pop(key, None) is None:
                wrong.append(f"{key} has a row of its insert, and is not there")
        elif old == new or state.get(key, {}).get(column) != new:
            wrong.append(f"{key}: {column} changed from {old} to {new}, was {state.get(key, {}).get(column)}")
        else:
            state[key][column] = old
    differing = [key for key in {*before, *state} if before.get(key) != state.get(key)]
    return wrong + [f"{key} was {before.get(key)}, and by the changes {state.get(key)}" for key in differing]
