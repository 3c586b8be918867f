"""Made-up LeadPerfection records, as pages that the server sends without any work: `<feed>.<part>.pages`, all pages one
after another, and `<feed>.<part>.index`, where each begins.

The same number always makes the same record. Small records for the runs with millions are made by `small_record`.
"""

import random
from array import array
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.pages import PAGE_SIZE

FIRST_NAMES = (
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "John",
    "Jennifer",
    "Michael",
    "Linda",
    "David",
    "Elizabeth",
    "Carlos",
    "Karen",
)
LAST_NAMES = (
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "O'Brien",
    "Taylor",
    "Moore",
    "Jackson",
    "Lee",
)
CITIES = ("Columbus", "Dayton", "Akron", "Toledo", "Cleveland", "Pittsburgh", "Erie", "Buffalo", "Rochester", "Albany")
STATUSES = ("NewLead", "Set", "Confirmed", "Issued", "Demo No Sale", "Sold", "Cancelled", "No Show", "Not Home", "Net")
PRODUCTS = ("Windows", "Roofing", "Siding", "Gutters", "Bath", "Doors", "Decks", "Insulation")
SOURCES = ("Internet", "Show", "Referral", "TV", "Direct Mail", "Canvass", "Angi")
BEGIN, SECONDS = datetime.fromisoformat("2021-01-01"), 5 * 365 * 86_400  # LeadPerfection's wall clock: no zone
CHANGED = datetime.fromisoformat("2026-01-05")
FIRST_CONTACT, FIRST_LEAD = 100_000, 500_000
SMALL = (
    '{"cst_id":"%d","firstname":"First%d","lastname":"Last%d","email":"user%d@example.com","phone1":"%d",'
    '"city":"Troy","state":"NY","dateadded":"%s","lastchanged":"","leads":[{"id":"%d","disposition":"%s",'
    '"source":"Internet","dateentered":"%s","lastchangedon":"%s","jobs":[],"appointments":[]}],"calls":[],"notes":[]}'
)

Record = dict[str, Any]


def write_pages(folder: Path, number: int) -> Path:
    """Pages of `number` prospects in both feeds, and of 1 % of them changed (a tenth of these are new), made once.

    Returns the folder, a subfolder named by the number.
    """
    folder = folder / str(number)
    done = folder / "done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        known, new = max(1, number * 9 // 1000), max(1, number // 1000)
        changed = sorted(random.Random(number).sample(range(number), known))
        _write(folder, "full", (prospect(each) for each in range(number)))
        parts = [*changed, *range(number, number + new)]
        _write(folder, "changed", (prospect(each, changed=True) for each in parts))
        done.touch()
    return folder


def _write(folder: Path, part: str, prospects: Iterable[Record]) -> None:
    with (folder / f"leads.{part}.pages").open("wb") as leads, (folder / f"prospects.{part}.pages").open("wb") as own:
        feeds = [(leads, array("q", [0]), _in_lead_feed), (own, array("q", [0]), _in_prospect_feed)]
        for page in _pages(prospects):
            for file, index, shape in feeds:
                file.write(msgspec.json.encode([shape(record) for record in page]))
                index.append(file.tell())
    for name, (_, index, _) in zip(("leads", "prospects"), feeds, strict=True):
        (folder / f"{name}.{part}.index").write_bytes(index.tobytes())


def _pages(prospects: Iterable[Record]) -> Iterable[list[Record]]:
    page: list[Record] = []
    for record in prospects:
        page.append(record)
        if len(page) == PAGE_SIZE:
            yield page
            page = []
    if page:
        yield page


def _in_lead_feed(record: Record) -> Record:
    return {**record, "calls": [], "notes": []}


def _in_prospect_feed(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "leads"}


def prospect(number: int, *, changed: bool = False) -> Record:
    """A prospect with one lead (3 % have two or three), as LeadPerfection writes it: every value is text.

    `changed` gives its leads another status and it and them a later stamp; its ids and entry dates stay.
    """
    made = random.Random(number)
    added = int(number * 137.0 % SECONDS)
    leads = [_lead(made, number, place, added) for place in range(1 if made.random() >= 0.03 else made.randint(2, 3))]
    record = {
        "cst_id": str(FIRST_CONTACT + number),
        "firstname": made.choice(FIRST_NAMES),
        "lastname": made.choice(LAST_NAMES),
        "firstname2": "" if made.random() < 0.7 else made.choice(FIRST_NAMES),
        "address1": f"{made.randrange(1, 9999)} {made.choice(LAST_NAMES)} Street",
        "address2": "",
        "city": made.choice(CITIES),
        "state": "OH",
        "zip": str(made.randrange(10_000, 99_999)),
        "phone1": f"({made.randrange(200, 999)}){made.randrange(200, 999)}-{made.randrange(1000, 9999)}",
        "phone2": "" if made.random() < 0.6 else str(made.randrange(2_000_000_000, 9_999_999_999)),
        "email": "" if made.random() < 0.12 else f"user{number}@example.com",
        "sourcesubdescr": made.choice(SOURCES),
        "srs_id": str(made.randrange(1, 400)),
        "latitude": f"{39 + made.random() * 3:.6f}",
        "longitude": f"{-84 + made.random() * 6:.6f}",
        "donotcall": "true" if made.random() < 0.05 else "false",
        "yearbuilt": str(made.randrange(1900, 2022)),
        "homevalue": f"{made.randrange(80_000, 900_000)}.00",
        "dateadded": _stamp(added),
        "lastchanged": "" if made.random() < 0.04 else _stamp(added + made.randrange(86_400)),
        "leads": leads,
    }
    if changed:
        stamp = (CHANGED + timedelta(seconds=number % 900)).isoformat()
        record["lastchanged"] = stamp
        for lead in leads:
            lead |= {"disposition": "Rehash", "lastchangedon": stamp}
    return record


def _lead(made: random.Random, number: int, place: int, added: int) -> Record:
    entered = added + place * 86_400 + made.randrange(3600)
    lead_id = FIRST_LEAD + number * 3 + place
    jobs = [
        {
            "id": str(lead_id * 2),
            "contractid": f"C{lead_id}",
            "contractdate": _stamp(entered + 3 * 86_400),
            "grossamount": f"{made.randrange(2000, 60_000)}.00",
            "jobstatus": "Sold",
            "productid": made.choice(PRODUCTS),
            "installdate": "",
        }
    ]
    appointments = [
        {
            "id": str(lead_id * 4 + each),
            "apptdate": _stamp(entered + (2 + each) * 86_400),
            "lastchangedon": _stamp(entered + 86_400),
            "result": made.choice(STATUSES),
            "salesrep1": made.choice(LAST_NAMES),
        }
        for each in range(made.choice((0, 1, 1, 1, 2, 3)))
    ]
    product = made.choice(PRODUCTS)
    return {
        "id": str(lead_id),
        "dateentered": _stamp(entered),
        "lastchangedon": _stamp(entered + made.randrange(86_400)),
        "disposition": made.choice(STATUSES),
        "dispositionid": str(made.randrange(60)),
        "productid": product,
        "proddescr": f"{product} replacement",
        "brn_id": "COL  ",
        "promoterid": str(made.randrange(400)),
        "setterid": str(made.randrange(90)),
        "market": "Columbus Metro",
        "lastcallresult": "Left message on voicemail",
        "callcount": str(made.randrange(20)),
        "jobs": jobs if made.random() < 0.45 else [],
        "appointments": appointments,
    }


def _stamp(seconds: int) -> str:
    return (BEGIN + timedelta(seconds=min(seconds, SECONDS), milliseconds=seconds % 1000)).isoformat(
        "T", "milliseconds"
    )


def small_record(number: int, revision: int = 0) -> str:
    """A prospect with one lead in 450 bytes of JSON; another revision has another status and a later stamp."""
    added = (BEGIN + timedelta(seconds=number % SECONDS)).isoformat()
    changed = (CHANGED + timedelta(minutes=revision)).isoformat() if revision else added
    phone = (518 + number // 7_000_000) * 10_000_000 + 2_000_000 + number % 7_000_000
    status = STATUSES[(number + revision) % len(STATUSES)]
    contact, lead = FIRST_CONTACT + number, FIRST_LEAD + number
    return SMALL % (contact, number % 997, number % 5003, number, phone, added, lead, status, added, changed)


def changed_numbers(size: int, revision: int, number: int) -> list[int]:
    """`number` different records of `size`, spread over all of them; another revision has others."""
    step = max(1, size // number)
    return [(place * step + revision * 7919 % step) % size for place in range(min(number, size))]
