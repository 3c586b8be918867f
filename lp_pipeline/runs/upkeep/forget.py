"""`lp-pipeline forget`: erases one person from a data folder (SPEC E5). What is theirs is decided here and in
`sql/forget/`; what is dropped later, in `storage/forgotten.py`.

Each step can be repeated: killed half-way, the same command completes it.
"""

import json
import re
import shutil
from collections import Counter

import msgspec

from lp_pipeline.clients.contact_points import email_address, phone_numbers
from lp_pipeline.errors import WarehouseError
from lp_pipeline.runs.upkeep.compaction import compact
from lp_pipeline.runs.upkeep.manifest import STAGING
from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import check_warehouse
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.forgotten import Forgotten, Trace
from lp_pipeline.storage.locks import Turn, briefly, push_turn
from lp_pipeline.storage.outbox import Outbox, Row
from lp_pipeline.storage.outbox import run as run_outbox
from lp_pipeline.storage.publish import note_unpublished, publish_anew
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import Warehouse, bound, run
from lp_pipeline.transform.replay import SCRATCH, has_snapshots

WHO = "`lp-pipeline forget`"
WITHOUT_LEAD = "prospect-"  # begins the id of an opportunity without a lead in Hatch (SPEC D2)
DELETION = re.compile(r"delete from (\S+)")
LEFT_BEHIND = (".published.duckdb*", ".work.duckdb*")
OURS = re.compile(
    r"((work|published)\.duckdb(\.wal)?|outbox\.sqlite(-wal|-shm)?|(limits|sandbox)\.sqlite.*|\.large_records|spill|"
    r"running|report\.html|.*\.lock|[a-z]+\.json)"
)


class Receipt(msgspec.Struct):
    """What was erased: rows by table. What others share with the person, and so was kept; files of unknown origin."""

    contact_id: str
    was_erased_before: bool = False
    rows: Counter[str] = msgspec.field(default_factory=Counter)
    leads: int = 0
    phones_and_emails: int = 0
    hatch_contacts: list[str] = []
    sharing: int = 0  # the largest number of other prospects with the same phone or email
    shared_leads: list[str] = []  # leads that other prospects have as well
    kept_messages: int = 0  # that may be theirs as well as somebody else's
    other_files: list[str] = []


class _Person(msgspec.Struct):
    """What tells the person from others, as far as nobody else has it."""

    contact_id: str
    leads: set[str] = set()
    phones: set[str] = set()
    emails: set[str] = set()
    shared_phones: set[str] = set()
    shared_emails: set[str] = set()
    hatch_contacts: set[str] = set()
    shared_hatch_contacts: set[str] = set()
    written: list[tuple[str, str, str | None]] = []

    def traces(self) -> list[Trace]:
        """By these the person is known later."""
        return [
            ("prospect", self.contact_id),
            ("lead", f"{WITHOUT_LEAD}{self.contact_id}"),
            *(("lead", each) for each in self.leads),
            *(("hatch_contact", each) for each in self.hatch_contacts),
            *(("phone", each) for each in self.phones),
            *(("email", each) for each in self.emails),
        ]


def forget(settings: Settings, outbox: Outbox, *contact_ids: str) -> list[Receipt]:
    """Erase prospects from every file of the data folder and write these anew; what was erased of each.

    Waits for syncs, pushes and a replay to end. Raises `WarehouseError`, `SettingsError`.
    """
    # in the order in which others take them, too: a push may wait for the turn, a replay takes it now and then
    with push_turn(settings), Turn(settings.data, "replay", who=WHO), Turn(settings.data, who=WHO):
        warehouse, forgotten = Warehouse(settings.data), Forgotten(settings.data)
        check_warehouse(warehouse, settings)
        _clear(settings)
        receipts = [_erase(warehouse, outbox, forgotten, contact) for contact in contact_ids]
        if outbox.path.exists():
            outbox.compact()
        if warehouse.work.exists():
            if not compact(warehouse, outbox):
                raise WarehouseError(f"{warehouse.work} could not be written anew. Run this again.")
            if warehouse.published.exists():
                publish_anew(
                    warehouse, outbox=outbox, now=settings.now(), zone=settings.lp_timezone, group=settings.group
                )
        else:  # lost; the copy is all that is left, and can't be built anew without the person
            warehouse.published.unlink(missing_ok=True)
        _clear(settings)
        others = sorted(each.name for each in settings.data.iterdir() if not OURS.fullmatch(each.name))
    return [msgspec.structs.replace(receipt, other_files=others) for receipt in receipts]


def erased_but_there(settings: Settings, outbox: Outbox) -> list[str]:
    """The prospects who were erased and are in the folder again, as after an older copy of it was restored."""
    warehouse, forgotten = Warehouse(settings.data), Forgotten(settings.data)
    there = {str(row["external_contact_id"]) for row in outbox.rows("forget_everybody")}
    if forgotten and warehouse.work.exists():
        with briefly(settings.data, WHO):
            check_warehouse(warehouse, settings)
            with warehouse.connection() as connection:
                there |= {contact for (contact,) in run(connection, "forget/everybody")}
    return sorted(contact for contact in there if forgotten.knows("prospect", contact))


def _erase(warehouse: Warehouse, outbox: Outbox, forgotten: Forgotten, contact: str) -> Receipt:
    receipt = Receipt(contact, was_erased_before=forgotten.knows("prospect", contact))
    person = _person(warehouse, outbox, receipt)
    forgotten.add(person.traces())  # first of all: killed from here on, nothing of the person comes back
    _erase_from_outbox(outbox, person, forgotten, receipt)
    if warehouse.work.exists():
        _erase_from_work(warehouse, person, receipt)
    return receipt


def _person(warehouse: Warehouse, outbox: Outbox, receipt: Receipt) -> _Person:
    person = _Person(receipt.contact_id)
    if warehouse.work.exists():
        with warehouse.connection({"contact": person.contact_id}) as connection:
            for external_id, others in run(connection, "forget/leads"):
                if others:
                    receipt.shared_leads.append(external_id)
                else:
                    person.leads.add(external_id)
            for kind, written, form, same_text, same_form in run(connection, "forget/traces"):
                forms = {form} if form else _forms(kind, written)
                mine, shared = (
                    (person.phones, person.shared_phones) if kind == "phone" else (person.emails, person.shared_emails)
                )
                (shared if same_form else mine).update(forms)
                if not same_text:
                    person.written.append((kind, written, form))
                receipt.sharing = max(receipt.sharing, same_form)
    for row in outbox.rows("forget_hatch_contacts", {"contact": person.contact_id}):
        (person.shared_hatch_contacts if row["others"] else person.hatch_contacts).add(row["hatch_contact_id"])
    receipt.leads = len(person.leads) + len(receipt.shared_leads)
    receipt.phones_and_emails = len(person.phones | person.emails)
    receipt.hatch_contacts = sorted(person.hatch_contacts | person.shared_hatch_contacts)
    return person


def _forms(kind: str, written: str) -> set[str]:
    """Of a reading that is not staged yet."""
    if kind == "phone":
        return set(phone_numbers(written))
    address = email_address(written)
    return {address} if address else set()


def _erase_from_outbox(outbox: Outbox, person: _Person, forgotten: Forgotten, receipt: Receipt) -> None:
    if not outbox.path.exists():
        return
    candidates = outbox.rows("forget_candidates")
    hatch_contacts = json.dumps(sorted({row["contact_id"] for row in candidates if row["contact_id"]}))
    others = {
        row["hatch_contact_id"]
        for row in outbox.rows("known_contacts", {"contact_ids": hatch_contacts})
        if row["external_contact_id"] not in (None, person.contact_id)
    }
    theirs = [row["communication_id"] for row in candidates if _is_theirs(row, person, others)]
    receipt.kept_messages = sum(_may_be_theirs(row, person) for row in candidates) if candidates else 0
    forgotten.add([("communication", each) for each in theirs])
    records = [row["record"] for row in outbox.rows("forget_rejected_candidates") if forgotten.mentions(row["record"])]
    values = {
        "contact": person.contact_id,
        "ids": json.dumps(theirs),
        "hatch_contacts": json.dumps(sorted(person.hatch_contacts)),
        "phones": json.dumps(sorted(person.phones)),
        "emails": json.dumps(sorted(person.emails)),
        "records": json.dumps(records),
        "words": json.dumps([written.lower() for _, written, form in person.written if form]),
    }
    with outbox.transaction() as connection:
        for name in OUTBOX_ERASURES:
            before = connection.total_changes
            run_outbox(connection, name, values)
            receipt.rows[name.removeprefix("forget_")] += connection.total_changes - before


OUTBOX_ERASURES = (
    *("forget_pushes_to_look_for", "forget_pushes", "forget_communications", "forget_rejected"),
    *("forget_deliveries", "forget_contact_history", "forget_errors"),
)


def _is_theirs(row: Row, person: _Person, others: set[str]) -> bool:
    """Whether a communication is the person's: by the ids that it names or was pushed to, else by a phone or email that
    nobody else has."""
    if row["pushed_to"]:
        return person.contact_id in row["pushed_to"].split(",")
    if row["external_contact_id"]:
        return bool(row["external_contact_id"] == person.contact_id)
    if row["external_id"]:
        return row["external_id"] in {*person.leads, f"{WITHOUT_LEAD}{person.contact_id}"}
    if row["contact_id"] in others:
        return False
    return (
        row["contact_id"] in person.hatch_contacts
        or row["phone"] in person.phones
        or email_address(row["email"]) in person.emails
    )


def _may_be_theirs(row: Row, person: _Person) -> bool:
    """Whether it names nobody, and its Hatch contact, phone or email is the person's and somebody else's."""
    return not (row["pushed_to"] or row["external_contact_id"] or row["external_id"]) and (
        row["contact_id"] in person.shared_hatch_contacts
        or row["phone"] in person.shared_phones
        or email_address(row["email"]) in person.shared_emails
    )


def _erase_from_work(warehouse: Warehouse, person: _Person, receipt: Receipt) -> None:
    kinds, texts, forms = (list(each) for each in zip(*person.written, strict=True)) if person.written else ([], [], [])
    with warehouse.transaction({"contact": person.contact_id}) as connection:
        bound(connection, "forget/keep_written", {"kind": kinds, "written": texts, "form": forms})
        erasures = statement("forget/work")
        if has_snapshots(connection, "work"):
            erasures += statement("forget/base")
        for part in connection.extract_statements(erasures):
            found = connection.execute(part).fetchall()
            if deletion := DELETION.search(part.query):
                receipt.rows[deletion[1]] += found[0][0]
        note_unpublished(connection)


def _clear(settings: Settings) -> None:
    """What killed runs left behind: drafts, copies, spilled rows. Nobody works on the folder now."""
    with readable_errors(f"tidy up {settings.data}"):
        for pattern in LEFT_BEHIND:
            for each in settings.data.glob(pattern):
                each.unlink()
        for name in (SCRATCH, STAGING, "spill"):
            shutil.rmtree(settings.data / name, ignore_errors=True)
