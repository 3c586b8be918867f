"""Where each column of an opportunity came from in LeadPerfection (SPEC J3): its field, and, for External Updated At,
why the fields that come first were passed over. Pure functions over the objects of an opportunity.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from lp_pipeline.clients.lp_dates import read_date

UPDATED_FROM = (
    "prospect.lastchanged",
    "lead.lastchangedon",
    "lead.dateentered",
    "lead.jobs[0].contractdate",
    "lead.appointments[0].lastchangedon",
)
SOURCES = {
    "email": "prospect.email",
    "external_id": "lead.id",
    "external_contact_id": "prospect.cst_id",
    "external_created_at": "prospect.dateadded",
    "external_updated_at": "",
    "first_name": "prospect.firstname",
    "last_name": "prospect.lastname",
    "phone": "prospect.phone1",
    "status": "lead.disposition",
}
LABELS = {"external_id": "External ID", "external_contact_id": "External Contact ID"}
ALWAYS = ("external_updated_at", "phone", "status")


class Column(msgspec.Struct, frozen=True):
    """A column of an opportunity: its value, the LeadPerfection field it came from, and why not another one.

    `changed` if the last merge that wrote the opportunity changed it, from `old_value`.
    """

    name: str
    value: Any
    source: str
    note: str | None = None
    changed: bool = False
    old_value: str | None = None

    @property
    def label(self) -> str:
        """As Hatch and the documentation call it."""
        return LABELS.get(self.name, self.name.replace("_", " ").title())


def columns_of(opportunity: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]) -> list[Column]:
    """The nine columns of an opportunity, in the order of the specification."""
    changed = {each["column_name"]: each["old_value"] for each in changes if each["column_name"]}
    prospect, lead = opportunity["prospect"], opportunity["lead"]
    found = []
    for name, source in SOURCES.items():
        note = None
        if name == "external_updated_at":
            source = opportunity["external_updated_at_source"]
            note = _passed_over(prospect, lead, source)
        elif source.startswith("lead.") and lead is None:
            note = "the prospect has no lead"
        elif opportunity[name] is None:
            note = f"{source} is empty"
        found.append(Column(name, opportunity[name], source, note, name in changed, changed.get(name)))
    return found


def _passed_over(prospect: Mapping[str, Any], lead: Mapping[str, Any] | None, source: str) -> str | None:
    """Why the fields before this one were not taken."""
    before = UPDATED_FROM[: UPDATED_FROM.index(source)]
    passed: dict[str, list[str]] = {}
    for path in before:
        passed.setdefault(_why_not(prospect if path.startswith("prospect") else lead, path), []).append(path)
    parts = (f"{' and '.join(paths)} {'is' if len(paths) == 1 else 'are'} {why}" for why, paths in passed.items())
    return ", ".join(parts) or None


def _why_not(record: Mapping[str, Any] | None, path: str) -> str:
    value: Any = record
    for name in path.split(".")[1:]:
        name, is_list, _ = name.partition("[0]")
        if not isinstance(value, Mapping) or name not in value:
            return "not in the record"
        value = value[name]
        if is_list:
            value = value[0] if isinstance(value, list) and value else None
    if value is None or not str(value).strip():
        return "empty"
    if read_date(str(value).strip()) is None:
        return "not a date"
    return "later than it was read"


def instants(record: Mapping[str, Any]) -> list[tuple[str, datetime]]:
    """The change times in a record as LeadPerfection shows it: the prospect's and its leads', each with its field."""
    fields = {name.lower(): value for name, value in record.items()}
    found = [(f"prospect.{name}", fields.get(name)) for name in ("lastchanged", "dateadded")]
    for lead in fields.get("leads") or []:
        if isinstance(lead, dict):
            lowered = {name.lower(): value for name, value in lead.items()}
            found += [(f"lead.{name}", lowered.get(name)) for name in ("lastchangedon", "dateentered")]
    return [(name, date) for name, text in found if isinstance(text, str) and (date := read_date(text.strip()))]
