"""A second statement of SPEC W7, W8, F1 to F3, J1 to J7 and M1 to M8, in plain Python and without a database.

It is written from the SPEC and not from the SQL, for clarity and not for speed: test_model.py compares the two.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lp_pipeline_tests.model_records import Lead, Moment, Object, Reading, Span, content, moment, text

PROSPECT_KEYS = {"email": "email", "first_name": "firstname", "last_name": "lastname", "phone": "phone1"}
IDENTITY = ["external_contact_id", "external_created_at", "external_updated_at"]
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Prospect:
    """J1: what is known now of a prospect, and when what supplies it was read."""

    who: str
    own: Object
    read_at: dict[str, datetime]
    leads: dict[str, Lead]
    leads_read_at: datetime

    def date(self, key: str) -> Moment | None:
        """A date among its own fields."""
        return moment(self.own.get(key), self.read_at.get(key))


@dataclass
class Opportunity:
    """A row of `opportunities`, with both objects and what comparisons see of them."""

    values: Object
    external_updated_at_source: str | None
    created: datetime | None
    lead_changed_at: datetime | None
    combination: str
    objects: tuple[Lead | None, Prospect]
    contents: tuple[Any, Any]
    first_synced_at: datetime
    changed_at: datetime
    gone: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """M1: contact, lead, and LP's wall time to the second."""
        return self.values["external_contact_id"], self.values["external_id"], self.created

    def sorting(self) -> tuple[Any, ...]:
        """M8: the smaller, the more current."""
        times = (self.values["external_updated_at"], self.lead_changed_at, self.values["external_created_at"])
        updated, lead_changed, created = (-time.timestamp() if time else 0.0 for time in times)
        return self.gone, updated, lead_changed, self.combination, created, -int(self.values["external_id"] or -1)


@dataclass
class Rejection:
    """A row of `rejected_records`."""

    contact: str | None
    lead: str | None
    missing: list[str]
    first_at: datetime
    last_at: datetime
    attempts: int


def is_gone(prospect: Prospect, number: str | None, created: datetime | None, *, with_lead: bool) -> bool:
    """M6: it no longer lists the lead, or lists one besides an opportunity without any, or has another dateadded."""
    unlisted = number not in prospect.leads if number else bool(prospect.leads) and not with_lead
    found = prospect.date("dateadded")
    return unlisted or (found is not None and found.to_the_second != created)


@dataclass
class Model:
    """What the pipeline has to hold after the same reads and merges."""

    availability: str
    readings: dict[str, dict[str, list[Reading]]] = field(default_factory=dict)  # by prospect and feed, in order
    opportunities: dict[tuple[Any, ...], Opportunity] = field(default_factory=dict)
    rejected: dict[tuple[str, str, str], Rejection] = field(default_factory=dict)
    changes: list[tuple[Any, ...]] = field(default_factory=list)
    listed: set[tuple[str, str, int]] = field(default_factory=set)  # leads with prospect and sync, by the lead feed
    outcomes: Counter[str] = field(default_factory=Counter)
    now: datetime = NEVER  # that of the merge that is going on, and its sync number
    sync: int = 0

    def read(self, feed: str, sync: int, now: datetime, sent: Span, records: Iterable[Any]) -> None:
        """W7: store one page; one that is only counted, of a record that is queued or rejected, is queued again."""
        page: dict[str, Reading] = {}  # A record's last one is that on this page, before any stored one.
        for place, received in enumerate(records, 1):
            reading = Reading(received, (sync, feed, place), now, sent)
            who = text(reading.own.get("cst_id")) or f"?{reading.json}"
            known = self.readings.setdefault(who, {}).setdefault(feed, [])
            last = page.get(who) or (known[-1] if known else None)
            if last is None or last.json != reading.json:
                page[who] = reading
                if feed == "leads":
                    self.listed |= {(lead.id, who, sync) for lead in reading.leads.values() if lead.id}
                known.append(reading)
                known.sort(key=lambda each: each.order)
            elif any(each.queued for each in known) or any(rejected[0] == who for rejected in self.rejected):
                last.queued, last.read_at = True, now
                last.windows.append(sent)

    def merge(self, sync: int, now: datetime) -> Counter[str]:
        """W8: merge every unmerged reading; the outcomes (M3) by number."""
        self.outcomes, self.now, self.sync = Counter(), now, sync
        merged: set[str] = set()
        for who, feeds in self.readings.items():
            news = {}
            for feed, known in feeds.items():
                last = next((each for each in reversed(known) if each.queued), None)
                before = next((each for each in reversed(known) if each.merged), None)
                if last and before and last.order < before.order:
                    self.outcomes["stale"] += 1  # M4
                elif last:
                    news[feed] = last, before
            if news:
                self._merge_prospect(self.prospect(who), news)
                merged.add(who)
            for reading in (each for known in feeds.values() for each in known if each.queued):
                reading.queued, reading.merged = False, True
        for who in self.readings:
            self._note_gone(who, was_read=who in merged)
        return self.outcomes

    def _merge_prospect(self, prospect: Prospect, news: dict[str, tuple[Reading, Reading | None]]) -> None:
        who = prospect.who
        triggered = self._triggered_leads(who, *news["leads"]) if "leads" in news else set()
        alone = any(before is None or before.content != last.content for last, before in news.values())  # F3
        if triggered or alone or (who, "prospect", "") in self.rejected:
            self._settle(prospect, [self.candidate(prospect, *pair) for pair in self._pairs(prospect, triggered)])
        for name in [each for each in self.rejected if each[:2] == (who, "lead+prospect")]:
            if name[2] not in prospect.leads:
                del self.rejected[name]  # J7: LP no longer lists it.

    def _note_gone(self, who: str, *, was_read: bool) -> None:
        """M6, J7: of a prospect that was not read, only a lead may be gone: one that another was read with."""
        for name in [each for each in self.rejected if each[:2] == (who, "lead+prospect")]:
            if self.moved(who, name[2]):
                del self.rejected[name]
        prospect = self.prospect(who)
        for row in self._rows(who):
            number = row.values["external_id"]
            moved = number is not None and self.moved(who, number)
            if moved or was_read:
                gone = moved or is_gone(prospect, number, row.created, with_lead=row.objects[0] is not None)
                self.outcomes["gone"] += gone and not row.gone
                self.outcomes["returned"] += row.gone and not gone
                row.gone = gone

    def moved(self, who: str, number: str) -> bool:
        """M6: the prospect feed says that it has no leads, and the lead feed said later that another one has this."""
        latest = {feed: known[-1] for feed, known in self.readings[who].items()}
        if set(latest) != {"leads", "prospects"} or latest["prospects"].order < latest["leads"].order:
            return False
        return latest["prospects"].has_no_leads and any(
            listed == number and other != who and sync > latest["leads"].order[0] for listed, other, sync in self.listed
        )

    def _rows(self, contact: str) -> list[Opportunity]:
        return [row for key, row in self.opportunities.items() if key[0] == contact]

    def prospect(self, who: str) -> Prospect:
        """J1: own fields key by key from the latest reading ever that has the key; leads of one feed."""
        latest = {feed: known[-1] for feed, known in self.readings[who].items()}
        own, read_at = {}, {}
        for reading in sorted((each for known in self.readings[who].values() for each in known), key=lambda r: r.order):
            own.update(reading.own)
            at = reading.read_at if reading in latest.values() else reading.stored_at
            read_at.update(dict.fromkeys(reading.own, at))
        source = latest.get("leads") or latest["prospects"]
        return Prospect(who, own, read_at, source.leads, source.read_at)

    def _triggered_leads(self, who: str, last: Reading, before: Reading | None) -> set[str]:
        """F2: the leads that a reading of the lead feed triggers."""
        if before:
            differing = {
                n for n, lead in last.leads.items() if n not in before.leads or before.leads[n].content != lead.content
            }
            return differing | {name for name in last.leads if (who, "lead+prospect", name) in self.rejected}
        windows = [window for each in self.readings[who]["leads"] for window in each.windows]
        inside = set()
        for name, lead in last.leads.items():
            stamps = [stamp for each in lead.stamps() if (stamp := moment(each))]
            if any(start <= stamp.wall <= end for stamp in stamps for start, end in windows):
                inside.add(name)
        return inside or set(last.leads)

    def _pairs(self, prospect: Prospect, triggered: set[str]) -> list[tuple[Lead | None, str]]:
        """J1, J2, M5: the leads to be joined with the prospect, each with the combination that makes."""
        rows = self._rows(prospect.who)
        known = {row.values["external_id"] for row in rows if row.values["external_id"]}
        joined = {row.values["external_id"] for row in rows if row.combination == "lead+prospect"} | triggered
        pairs: list[tuple[Lead | None, str]] = [
            (lead, "lead+prospect" if name in joined else "prospect")
            for name, lead in prospect.leads.items()
            if name in known | triggered
        ]
        return pairs or [(next(iter(prospect.leads.values()), None), "prospect")]

    def candidate(self, prospect: Prospect, lead: Lead | None, combination: str) -> Opportunity:
        """J3: the mapped fields."""
        its, own, at = lead or Lead(None), prospect.own, prospect.leads_read_at
        paths = {
            "prospect.lastchanged": prospect.date("lastchanged"),
            "lead.lastchangedon": moment(its.fields.get("lastchangedon"), at),
            "lead.dateentered": moment(its.fields.get("dateentered"), at),
            "lead.jobs[0].contractdate": moment(its.first("jobs").get("contractdate")),  # may well lie ahead
            "lead.appointments[0].lastchangedon": moment(its.first("appointments").get("lastchangedon"), at),
        }
        source = next((path for path, found in paths.items() if found), None)
        updated, created = paths[source] if source else None, prospect.date("dateadded")
        changed = paths["lead.lastchangedon"] or paths["lead.dateentered"]
        values = {column: text(own.get(key)) for column, key in PROSPECT_KEYS.items()} | {
            "external_id": its.id,
            "external_contact_id": text(own.get("cst_id")),
            "external_created_at": created and created.instant,
            "external_updated_at": updated and updated.instant,
            "status": text(its.fields.get("disposition")),
        }
        return Opportunity(
            values,
            source,
            created and created.to_the_second,
            changed and changed.instant,
            combination,
            (lead, prospect),
            (content(own), its.content),
            self.now,
            self.now,
        )

    def missing(self, row: Opportunity) -> list[str]:
        """J6: the columns that are unavailable."""
        lead, prospect = row.objects
        needed = IDENTITY + (["external_id"] if row.combination == "lead+prospect" else [])
        missing = {
            column for column in (row.values if self.availability == "strict" else needed) if not row.values[column]
        }
        if self.availability == "present":
            missing |= {column for column, key in PROSPECT_KEYS.items() if key not in prospect.own}
            missing |= {"status"} if lead and "disposition" not in lead.fields else set()
        return sorted(missing)

    def _settle(self, prospect: Prospect, candidates: list[Opportunity]) -> None:
        """J7, M2, M3: what is unavailable is rejected, the rest reconciled with the table."""
        rejected: dict[tuple[str, str, str], Rejection] = {}
        for row in candidates:
            lead = row.objects[0]
            name = (prospect.who, row.combination, lead.identity if lead and row.combination != "prospect" else "")
            missing = self.missing(row)
            if missing:
                self.outcomes["rejected"] += 1
                old = self.rejected.get(name)
                first_at, attempts = (old.first_at, old.attempts + 1) if old else (self.now, 1)
                contact, number, _ = row.key
                rejected.setdefault(name, Rejection(contact, number, missing, first_at, self.now, attempts))
            else:
                self.rejected.pop(name, None)
                self._reconcile(row)
        self.rejected.pop((prospect.who, "prospect", ""), None)  # It is judged as anything else, or comes back now.
        self.rejected |= rejected

    def _reconcile(self, row: Opportunity) -> None:
        """M1, M2, M3, M5, M7: insert it, update the one with its key, or leave that alone."""
        old = self.opportunities.get(row.key)
        if old is None:
            self.outcomes["inserted"] += 1
            self.changes.append((*row.key, self.now, self.sync, None, None, None))
        elif (old.values, old.contents, old.combination) == (row.values, row.contents, row.combination):
            self.outcomes["unchanged"] += 1
            return
        else:
            self.outcomes["updated"] += 1
            for column, value in row.values.items():
                if value != old.values[column]:
                    self.changes.append((*row.key, self.now, self.sync, column, old.values[column], value))
            row.first_synced_at, row.gone = old.first_synced_at, old.gone
        self.opportunities[row.key] = row

    def current(self) -> list[tuple[Any, ...]]:
        """M8: the key of the first opportunity of each contact."""
        contacts = {key[0] for key in self.opportunities}
        return [min(self._rows(contact), key=Opportunity.sorting).key for contact in contacts]
