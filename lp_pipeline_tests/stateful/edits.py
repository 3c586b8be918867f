"""Edits in LeadPerfection: records created, changed, moved, merged and re-dated, stamped or not.

Belongs here: a few people, and edits of them as plain values that Hypothesis draws. Not here: when they happen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st

from lp_pipeline_tests.account import Account
from lp_pipeline_tests.model_records import ZONE, fields, moment, text
from lp_pipeline_tests.scenario import ODD_NAMES, Record, lead, prospect

PEOPLE = ("1", "2", "3", "4", "5")
OLDEST = "2025-12-01T08:00:00"  # when the first prospect of all was entered
KINDS = ("create", "own", "own", "lead", "lead", "add", "drop", "move", "merge", "redate", "job")
ANNOUNCED = ("create", "own", "own", "lead", "lead", "add", "redate", "job")  # the lead feed hears of no other
CREATED = ("2025-12-20T10:12:44.9", "2026-01-15T10:12:44", "2026-01-15T10:12:44.2", "2026-02-20T09:00:00", "")
FIRST_DATE, LAST_DATE = "0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999"  # what a calendar can hold
ENTERED = ("2025-11-20T12:00:00", "2025-12-24T12:00:00", "2026-02-25T12:00:00", "", None, FIRST_DATE, LAST_DATE)
SIGNED = ("2026-04-01T00:00:00", "2026-04-01T00:00:00", FIRST_DATE, LAST_DATE)
OWN_FIELDS = ("firstname", "email", "phone1", "city")
LEAD_FIELDS = ("disposition", "source")
PHONES = ("(518) 555-0100 x101", "518 555-0100 ext. 102", "5185550100 / 518-555-0101", "", 5185550100.0)
STATUSES = ("Set", "Sold", "Lost", "", None)
JOB = 32768  # the option bit of jobs


@dataclass(frozen=True)
class Edit:
    """One edit of prospect `who` (and `other`); `pick` chooses the lead, `value` the new value."""

    kind: str
    who: str
    other: str
    pick: int
    value: int
    stamp: bool


def _edits(kinds: Sequence[str], stamps: st.SearchStrategy[bool]) -> st.SearchStrategy[Edit]:
    who, pick, value = st.sampled_from(PEOPLE), st.integers(0, 3), st.integers(0, 7)
    return st.builds(Edit, st.sampled_from(kinds), who, who, pick, value, stamps)


any_edits = _edits(KINDS, st.booleans())
announced_edits = _edits(ANNOUNCED, st.just(True))


class People:
    """The prospects of an account's LeadPerfection, and which identities they ever had."""

    def __init__(self, account: Account) -> None:
        self._account, self._lp = account, account.lp
        self._next_lead = 100
        self.skew = timedelta()  # LP's clock against ours
        self.leads_ever: set[tuple[str, str]] = set()
        self.dates_ever: set[tuple[str, datetime]] = set()

    def now(self) -> str:
        """Now in LP's local time, as it writes timestamps."""
        return (self._account.now + self.skew).astimezone(ZONE).replace(tzinfo=None).isoformat()

    def begin(self) -> None:
        """The oldest prospect; all others are then within the range of sweeps."""
        self._put(prospect("90", self._lead(0, stamp=True), dateadded=OLDEST, lastchanged=self.now()))

    def add_old(self, who: str, days: int) -> None:
        """Add a prospect last changed `days` ago."""
        changed = self._account.wall(days=days)
        self._next_lead += 1
        old = lead(str(self._next_lead), dateentered=changed, lastchangedon=changed)
        self._put(prospect(who, old, dateadded=changed, lastchanged=changed))

    def does_exist(self, who: str) -> bool:
        """Whether LP has this prospect."""
        try:
            self._lp.get(who)
        except KeyError:
            return False
        return True

    def apply(self, edit: Edit) -> None:
        """Apply the edit; a missing prospect is created first, or instead."""
        if edit.kind == "create" or not self.does_exist(edit.who):
            self._create(edit)
        if edit.kind == "create":
            return
        getattr(self, f"_do_{edit.kind}")(edit)
        for who in (edit.who, edit.other):
            if self.does_exist(who):
                self._note(self._lp.get(who))

    def _create(self, edit: Edit) -> None:
        leads = [self._lead(edit.value + number, stamp=edit.stamp) for number in range(edit.pick % 3)]
        created = CREATED[edit.value % 4]
        changed = self.now() if edit.stamp else ("", OLDEST)[edit.value % 2]
        if not self.does_exist(edit.who):
            self._put(prospect(_id(int(edit.who)), *leads, dateadded=created, lastchanged=changed))

    def _do_own(self, edit: Edit) -> None:
        name = OWN_FIELDS[edit.pick]
        value = (PHONES if name == "phone1" else ("a", "b", " a ", "", None))[edit.value % 5]
        change = {name: value, **self._odd(edit)}
        self._lp.edit(edit.who, lambda record: record.update(change), stamp=edit.stamp)

    def _do_lead(self, edit: Edit) -> None:
        if found := self._pick(edit):
            change = {LEAD_FIELDS[edit.value % 2]: STATUSES[edit.value % 5], **self._odd(edit)}
            self._change_lead(edit.who, found, change, stamp=edit.stamp)

    def _do_job(self, edit: Edit) -> None:
        if found := self._pick(edit):
            job = {"id": 7.0, "contractdate": SIGNED[edit.value % 4], "cost": edit.value, **self._odd(edit)}
            change = {"jobs": [job]}
            self._change_lead(edit.who, found, change, stamp=False, hidden=JOB if edit.stamp else 0)

    def _do_add(self, edit: Edit) -> None:
        made = self._lead(edit.value, stamp=edit.stamp)
        place = 0 if edit.pick == 0 else len(self._lp.get(edit.who)["leads"])
        self._lp.edit(edit.who, lambda record: record["leads"].insert(place, made), stamp=False)

    def _do_drop(self, edit: Edit) -> None:
        if found := self._pick(edit):
            self._without(edit.who, found["id"], stamp=edit.stamp)

    def _do_move(self, edit: Edit) -> None:
        if edit.other != edit.who and (found := self._pick(edit)) and self.does_exist(edit.other):
            self._without(edit.who, found["id"], stamp=edit.stamp)
            self._lp.edit(edit.other, lambda record: record["leads"].append(found), stamp=edit.stamp)

    def _do_merge(self, edit: Edit) -> None:
        if edit.other != edit.who and self.does_exist(edit.other):
            leads = self._lp.get(edit.who)["leads"]
            self._lp.remove(edit.who)
            self._lp.edit(edit.other, lambda record: record["leads"].extend(leads), stamp=edit.stamp)

    def _do_redate(self, edit: Edit) -> None:
        created = CREATED[edit.value % (4 if edit.stamp else 5)]  # J7: syncs alone may not bring back what that rejects
        self._lp.edit(edit.who, lambda record: record.update(dateadded=created), stamp=edit.stamp)

    def _without(self, who: str, lead_id: object, *, stamp: bool) -> None:
        def change(record: Record) -> None:
            record["leads"] = [each for each in record["leads"] if each["id"] != lead_id]

        self._lp.edit(who, change, stamp=stamp)

    def _change_lead(self, who: str, found: Record, change: Record, *, stamp: bool, hidden: int = 0) -> None:
        def edit(record: Record) -> None:
            next(each for each in record["leads"] if each["id"] == found["id"]).update(change)

        self._lp.edit(who, edit, stamp=stamp, lead=text(found["id"]), hidden=hidden)

    def _pick(self, edit: Edit) -> Record | None:
        leads = self._lp.get(edit.who)["leads"]
        return leads[edit.pick % len(leads)] if leads else None

    def _lead(self, value: int, *, stamp: bool) -> Record:
        self._next_lead += 1
        entered = self.now() if stamp else ENTERED[value % len(ENTERED)]
        return lead(_id(self._next_lead), dateentered=entered, lastchangedon=entered if value % 2 else "")

    @staticmethod
    def _odd(edit: Edit) -> Record:
        """Now and then a field with an odd name, or one that is nested deep."""
        if edit.value < 5:
            return {}
        name = ODD_NAMES[int(f"{edit.who}{edit.pick}{edit.value}") % len(ODD_NAMES)]
        return {name: edit.value, "nested": _nested(100 * (edit.value - 5))}

    def _put(self, record: Record) -> None:
        self._lp.put(record)
        self._note(record)

    def _note(self, record: Record) -> None:
        seen = fields(record)
        who = str(text(seen["cst_id"]))
        self.leads_ever |= {(who, str(text(each["id"]))) for each in seen["leads"]}
        if created := moment(seen["dateadded"]):
            self.dates_ever.add((who, created.to_the_second))


def _nested(levels: int) -> object:
    """A value inside so many others."""
    value: object = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"inner": value}
    return value


def _id(number: int) -> object:
    """An id as one of the forms in which LP sends them: a text, a whole number, or one with a fraction (SPEC J4)."""
    return (str(number), number, float(number))[number % 3]
