"""Generates synthetic records in LeadPerfection's format: prospects, leads, appointments, jobs, calls, notes.

Belongs here: names, places, the fields of a new record. Not here: when things happen (seed.py, events.py), quirks
(quirks.py). All phones are 555-01xx and all email domains example.*, so no real person can be reached.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from lp_pipeline.sandbox.switches import CALL_RESULTS
from lp_pipeline.sandbox.world.stamps import Record, wall


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words("""
Ann Robert Maria James Linda Michael Patricia David Jennifer John Elizabeth William Barbara Richard Susan Joseph
Jessica Thomas Sarah Karen Daniel Nancy Anthony Lisa Mark Betty Paul Sandra Steven Ashley Kevin Donna Brian
Carol George Michelle Amanda Timothy Melissa Deborah Jason Stephanie Ryan Laura Jacob Cynthia Gary Kathleen Eric
Amy
""")
LAST_NAMES = _words("""
Field Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson
Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson
Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell
Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris
Morales Murphy
""")
STREETS = [
    "Elm St",
    "Oak Ave",
    "Maple Dr",
    "River Rd",
    "Church St",
    "Park Ave",
    "Lakeview Ter",
    "Pine Ln",
    "Mill Rd",
    "Sunset Blvd",
]
PLACES = [  # city, state, zip, area code, branch: LP pads its codes to five places
    ("Troy", "NY", "12180", "518", "ALB  "),
    ("Albany", "NY", "12203", "518", "ALB  "),
    ("Schenectady", "NY", "12305", "518", "ALB  "),
    ("Syracuse", "NY", "13204", "315", "SYR  "),
    ("Pittsfield", "MA", "01201", "413", "ALB  "),
    ("Hartford", "CT", "06103", "860", "HFD  "),
    ("Scranton", "PA", "18503", "570", "SCR  "),
    ("Orlando", "FL", "32801", "407", "ORL  "),
    ("Tampa", "FL", "33602", "813", "TPA  "),
]
AREA_CODES = _words("""
201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 223 224 225 227 228 229 231 234 235 239 240 248
251 252 253 254 256 260 262 267 269 270 272 274 276 279 281 283 301 302 303 304 305 307 308 309 310 312 313 314 316 317
""")
SOURCES = [("Internet", "Web form"), ("Internet", "Search ad"), ("Home Show", "Spring expo"), ("Canvass", "Door knock")]
SOURCES += [("Referral", "Past customer"), ("Direct Mail", "Postcard"), ("Radio", "Morning show"), ("TV", "Local news")]
PRODUCTS = [("WIN  ", "Windows"), ("ROOF ", "Roofing"), ("SID  ", "Siding"), ("BATH ", "Bath"), ("GUT  ", "Gutters")]
DISPOSITIONS = ["New", "Set", "Confirmed", "Issued", "Sit No Sale", "Reset", "Not Interested", "No Answer", "Canceled"]
STAFF = ["Doe, Pat", "Ray, Lee", "Okafor, Sam", "Lindqvist, Jo", "Marsh, Casey", "Ortiz, Alex"]
JOB_STATES = ["New", "Measured", "Permit Pulled", "Ordered", "Scheduled", "In Progress", "Complete"]
REMARKS = ["Left voicemail", "Spouse must be there", "Wants a second quote", "Prefers mornings", "Dog in the yard"]


@dataclass
class Maker:
    """Generates records from one random stream; `numbers` holds the last id of each kind."""

    rng: Random
    zone: ZoneInfo
    numbers: dict[str, int]

    def number(self, kind: str) -> str:
        """The next id of a kind."""
        self.numbers[kind] += 1
        return str(self.numbers[kind])

    def stamp(self, moment: datetime) -> str:
        """A timestamp on LP's wall clock, with one of the precisions that LP uses."""
        return wall(moment, self.zone, self.rng.choice((0, 1, 2, 2, 3, 3, 3, 3, 4, 5, 6, 7)))

    def day(self, moment: datetime) -> str:
        """A date, which LP shows as midnight."""
        return f"{wall(moment, self.zone)[:10]}T00:00:00"

    def prospect(self, added: datetime) -> Record:
        """A new prospect without leads."""
        rng, cst_id = self.rng, self.number("prospect")
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        city, state, postcode, area, _ = rng.choice(PLACES)
        line = rng.randrange(100)
        if line >= 5:  # most have a unique number, a few share one
            area, line = AREA_CODES[int(cst_id) % len(AREA_CODES)], int(cst_id) // len(AREA_CODES) % 100
        spare = f"{area}55501{rng.randrange(100):02}"
        return {
            "cst_id": cst_id,
            "firstname": first,
            "lastname": last,
            "spousename": rng.choice(["", "", rng.choice(FIRST_NAMES)]),
            "email": email(first, last, cst_id) if rng.random() < 0.9 else "",
            "phone1": f"({area})555-01{line:02}",
            "phone2": "",
            "altphones": [{"phone": f"{area}55501{line:02}"}, {"phone": spare}][: rng.randrange(3)],
            "address1": f"{rng.randrange(1, 400)} {rng.choice(STREETS)}",
            "address2": rng.choice(["", "", "", f"Apt {rng.randrange(1, 30)}"]),
            "city": city,
            "state": state,
            "zip": postcode,
            "donotcall": "true" if rng.random() < 0.03 else "false",
            "emailoptout": "true" if rng.random() < 0.05 else "false",
            "enteredby": rng.choice(STAFF),
            "dateadded": self.stamp(added),
            "lastchanged": self.stamp(added),
            "leads": [],
            "calls": [],
            "notes": [],
        }

    def lead(self, prospect: Record, entered: datetime) -> Record:
        """A new lead of a prospect."""
        rng = self.rng
        source, detail = rng.choice(SOURCES)
        product, product_name = rng.choice(PRODUCTS)
        lead: Record = {
            "id": self.number("lead"),
            "brn_id": next((place[4] for place in PLACES if place[0] == prospect.get("city")), "ALB  "),
            "source": source,
            "sourcesubdescr": detail,
            "productid": product,
            "productdescr": product_name,
            "disposition": "New",
            "salesrepname": "",
            "setter": rng.choice(STAFF),
            "entrydate": self.day(entered),
            "dateentered": self.stamp(entered),
            "lastchangedon": self.stamp(entered),
            "apptset": "false",
            "apptdate": "",
            "sold": "false",
            "GrossSaleAmount": "0.00",
            "appointments": [],
            "jobs": [],
            "notes": [],
        }
        prospect["leads"] = [*rows(prospect, "leads"), lead]
        return lead

    def appointment(self, lead: Record, moment: datetime) -> None:
        """An appointment 1 to 11 days later, during working hours."""
        day = (moment + timedelta(days=self.rng.randrange(1, 12))).astimezone(self.zone)
        date = f"{day:%Y-%m-%d}T{self.rng.randrange(9, 19):02}:{self.rng.choice(('00', '30'))}:00"
        stamp = self.stamp(moment)
        lead.update(disposition="Set", apptset="true", apptdate=date, salesrepname=self.rng.choice(STAFF))
        lead["ils_id"] = self.number("appointment")
        made = {"id": lead["ils_id"], "apptdate": date, "disposition": "Set", "lastchangedon": stamp}
        lead["appointments"] = [*rows(lead, "appointments"), made]

    def job(self, lead: Record, moment: datetime) -> None:
        """Mark the lead as sold and add a job."""
        number, amount = self.number("job"), f"{self.rng.randrange(3_000, 45_000)}.00"
        lead.update(disposition="Sold", sold="true", GrossSaleAmount=amount)
        made = {"id": number, "contractid": f"C-{number}", "contractdate": self.day(moment)}
        lead["jobs"] = [*rows(lead, "jobs"), {**made, "jobstatus": "New", "grossamount": amount}]

    def call(self, prospect: Record, moment: datetime) -> None:
        """A call to the prospect; LP shows it for a week and stamps nothing."""
        code, words = self.rng.choice(CALL_RESULTS)
        phone = "".join(filter(str.isdecimal, prospect.get("phone1") or ""))
        made = {"calldatetime": wall(moment, self.zone, 0), "phone": phone, "resultcode": code, "resultdescr": words}
        prospect["calls"] = [*rows(prospect, "calls"), {**made, "calltype": self.rng.choice("OI")}]

    def note(self, record: Record, moment: datetime) -> None:
        """A staff member's note on a prospect or lead."""
        made = {"id": self.number("note"), "enteredby": self.rng.choice(STAFF), "enteredon": self.stamp(moment)}
        made |= {"updatedon": "", "category": "General", "note": self.rng.choice(REMARKS)}
        record["notes"] = [*rows(record, "notes"), made]


def rows(record: Record, name: str) -> list[Record]:
    """A nested array of a generated record; empty if it is null, missing or a plain string."""
    value = record.get(name)
    return value if isinstance(value, list) else []


def email(first: str, last: str, cst_id: str) -> str:
    """A unique email address."""
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
    name = "".join(character for character in plain if character.isalpha() or character == ".")
    return f"{name}{cst_id}@example.{('com', 'org', 'net')[int(cst_id) % 3]}"
