"""The record quirks of the contract's section 3, each applied to about one in 50 generated records.

Belongs here: quirks of single records. Not here: behavior of a whole tenant (switches.py).
"""

from collections.abc import Callable

from lp_pipeline.sandbox.world.people import email, rows
from lp_pipeline.sandbox.world.stamps import Record

NAMES = [
    ("Sean", "O'Brien"),
    ('Robert "Bud"', "Kowalski"),
    ("José", "Núñez"),
    ("Zoë 🏡", "Müller-Lüdenscheidt"),
    ("Anne-Marie", "D’Angelo"),
    ("Nguyễn", "Thị Hoa"),
    ("Mary & Tom", "Smith; Jones"),
    ("李", "小龙"),
]


def _numeric_prospect(record: Record) -> None:
    record["cst_id"] = int(record["cst_id"])


def _numeric_leads(record: Record) -> None:
    for lead in rows(record, "leads"):
        lead["id"] = int(lead["id"])


def _unset(record: Record) -> None:
    if record["leads"]:  # the leads' own stamps still show the change
        record["lastchanged"] = ""
    record["altphones"] = []


def _thin(record: Record) -> None:
    for name in ("address2", "spousename", "phone2", "altphones", "calls", "notes"):
        del record[name]
    for lead in rows(record, "leads"):
        for name in ("salesrepname", "sourcesubdescr", "apptdate", "notes"):
            del lead[name]


def _nulls(record: Record) -> None:
    record.update(phone1=None, spousename=None, notes=None, calls=None, altphones=None)


def _null_arrays(record: Record) -> None:
    for lead in rows(record, "leads"):
        for name in ("appointments", "jobs", "notes"):
            lead[name] = lead[name] or None
    record["leads"] = record["leads"] or None


def _plain_notes(record: Record) -> None:
    record["notes"] = "Called twice, left voicemail; prefers mornings"


def _padded(record: Record) -> None:
    record.update(lastname=f"{record['lastname']}   ", state=f"{record['state']}   ")
    for lead in rows(record, "leads"):
        lead["disposition"] = f"{lead['disposition']}  "


def _sentinel(text: str) -> Callable[[Record], None]:
    def put(record: Record) -> None:
        record["birthdate"] = text
        for lead in rows(record, "leads"):
            lead["apptdate"] = lead["apptdate"] or text
        if record["leads"]:
            record["lastchanged"] = text

    return put


QUIRKS: list[Callable[[Record], None]] = [
    _numeric_prospect,
    _numeric_leads,
    _unset,
    _thin,
    _nulls,
    _null_arrays,
    _plain_notes,
    _padded,
    *map(_sentinel, ("1900-01-01T00:00:00", "1899-12-30T00:00:00", "0001-01-01T00:00:00", "1753-01-01T00:00:00.000")),
]


def make_odd(record: Record, place: int) -> None:
    """Apply the quirk that belongs to this record's position, if any."""
    if place % 20 == 19:  # quotes, accents and emoji in names are more frequent
        record["firstname"], record["lastname"] = NAMES[place // 20 % len(NAMES)]
        if record["email"]:
            record["email"] = email(record["firstname"], record["lastname"], record["cst_id"])
    if place % 50 < 2 * len(QUIRKS) and place % 2 == 0:
        QUIRKS[place % 50 // 2](record)
    if place % 400 == 333:  # these few can't become an opportunity
        spoil(record, place // 400)


def spoil(record: Record, which: int) -> None:
    """Remove a field that every opportunity requires."""
    if which % 3 == 0:
        del record["email"]
    elif which % 3 == 1:
        record["dateadded"] = ""
    else:
        del record["firstname"]
