"""One communication on its way to one target in LeadPerfection: what exactly is sent, and how it is recognised when
LeadPerfection is read back (SPEC C6, C7). When to send it is decided elsewhere.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lp_pipeline.clients.leadperfection import Write, call, lookup, note, production_note
from lp_pipeline.communications.matching import Address
from lp_pipeline.communications.note_text import Said, mark, marked_in, note_text
from lp_pipeline.communications.targets import CALL_LOG, NOTE, PRODUCTION_NOTE
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row, instant_of

SHOWN_FOR = timedelta(days=6)  # LeadPerfection shows calls of a rolling week
WALL = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Letter:
    """What goes out: fixed in the ledger before anything is sent."""

    communication_id: str
    target: str
    external_contact_id: str
    external_id: str | None
    job_id: str | None
    phone: str | None
    call_date: str | None
    text: str | None


def letter_for(row: Row, address: Address, settings: Settings, taken: Collection[str]) -> Letter:
    """The letter for a ledger row, with what is fixed already left as it is; `taken` are call dates in use.

    A call log's date is moved on by seconds until it is unique for its contact.
    """
    text, call_date = row["text"], row["call_date"]
    if row["target"] == CALL_LOG:
        moment = instant_of(row["occurred_at"]).astimezone(settings.zone).replace(tzinfo=None, microsecond=0)
        while call_date is None or (row["call_date"] is None and call_date in taken):
            call_date, moment = moment.strftime(WALL), moment + timedelta(seconds=1)
    elif text is None:
        text = note_text(said(row), settings.zone, settings.lp_note_length)
    return Letter(
        row["communication_id"],
        row["target"],
        address.external_contact_id or "",
        address.external_id,
        address.job_id,
        row["pushed_phone"] or row["phone"] or address.phone,
        call_date,
        text,
    )


def said(row: Row) -> Said:
    """The communication of an outbox row, as the wording wants it."""
    return Said(
        id=row["communication_id"],
        channel=row["channel"],
        type=row["type"],
        direction=row["direction"],
        actor_type=row["actor_type"],
        actor_name=row["actor_name"],
        delivery_status=row["delivery_status"],
        body=row["body"],
        occurred_at=instant_of(row["occurred_at"]),
        duration_seconds=row["duration_seconds"],
        links=json.loads(row["links"]),
    )


def call_fields(letter: Letter, row: Row, settings: Settings, employee_id: str | None) -> dict[str, str]:
    """AddCallHistory's fields; what is not set is an empty text, see `missing_settings`."""
    fields = {
        "CustID": letter.external_contact_id,
        "EmpID": settings.lp_employee_id or employee_id or "",
        "CallDate": letter.call_date or "",
        "ResultCode": by_channel(settings.lp_result_code, row["channel"]),
        "CallType": by_channel(settings.lp_call_type, row["channel"]),
        "Phone": letter.phone or "",
    }
    if row["duration_seconds"]:
        minutes, seconds = divmod(row["duration_seconds"], 60)
        fields["Duration"] = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if links := json.loads(row["links"]):
        fields["RecordingURL"] = links[0]
    return fields


def by_channel(codes: dict[str, str], channel: str) -> str:
    """The code for a channel, else the one for all."""
    return codes.get(channel, codes.get("", ""))


def missing_settings(settings: Settings, employee_id: str | None, channels: Collection[str]) -> list[str]:
    """The settings that call logs of these channels want and do not have (SPEC C8)."""
    missing = [] if settings.lp_employee_id or employee_id else ["LP_EMPLOYEE_ID"]
    for name, codes in (("LP_CALL_TYPE", settings.lp_call_type), ("LP_RESULT_CODE", settings.lp_result_code)):
        without = sorted(channel for channel in channels if not by_channel(codes, channel))
        if not codes:
            missing.append(name)
        elif without:
            missing.append(f"{name} (for {', '.join(without)})")
    return missing


def fixed_address(row: Row) -> Address | None:
    """The address that an earlier try has fixed."""
    if row["pushed_contact_id"] is None:
        return None
    return Address(None, row["pushed_contact_id"], row["pushed_lead_id"], row["job_id"], row["pushed_phone"])


def taken_dates(outbox: Outbox, row: Row, address: Address) -> set[str]:
    """The call dates that are in use for a contact: by us, or by the calls that LeadPerfection has shown.

    Where we don't know whether it was sent (SPEC R5), a call of the same phone that LeadPerfection shows may be it.
    """
    if row["target"] != CALL_LOG or row["call_date"]:
        return set()
    used = outbox.rows("call_dates", {"external_contact_id": address.external_contact_id})
    ours = _digits(row["phone"] or address.phone) if row["looks_first"] else None
    shown = {str(at) for at, phone in address.calls if not ours or _digits(phone) != ours}
    return {each["call_date"] for each in used} | shown


def unsendable(target: str, address: Address, phone: str | None) -> str | None:
    """Why there is nothing to send to this target for this address, if so."""
    if target == PRODUCTION_NOTE and not address.job_id:
        return "no_job"
    if target == CALL_LOG and not (phone or address.phone):
        return "no_phone"  # a call log has to have one
    return None


def as_write(letter: Letter, row: Row, settings: Settings, employee_id: str | None) -> Write:
    """The call that writes this letter into LeadPerfection."""
    if letter.target == NOTE:
        return note(letter.external_contact_id, letter.text or "")
    if letter.target == CALL_LOG:
        return call(call_fields(letter, row, settings, employee_id))
    return production_note(settings.lp_production_note_action, letter.job_id or "", letter.text or "")


def can_be_read_back(row: Row, settings: Settings) -> bool:
    """Whether LeadPerfection could show that this push arrived: no production note, no call log of last week."""
    if row["target"] == CALL_LOG:
        oldest = (settings.now() - SHOWN_FOR).astimezone(settings.zone).strftime(WALL)
        return bool(row["call_date"] and row["call_date"] >= oldest)
    return bool(row["target"] == NOTE)


def is_there(record: dict[str, Any] | None, row: Row) -> bool | None:
    """Whether this push is among what LeadPerfection shows of its prospect; None if that does not tell.

    A key that is not there is an empty list (contract 3: some keys are simply missing).
    """
    if record is None:
        return None
    if row["target"] == NOTE:
        return marked_in(lookup(record, "notes"), mark(row["communication_id"]))
    calls = lookup(record, "calls")
    if isinstance(calls, Mapping):
        calls = [calls]  # the contract: one object instead of an array of one
    if not isinstance(calls, list | None):
        return None
    return any(
        _digits(lookup(each, "phone")) == _digits(row["pushed_phone"])
        and _second(lookup(each, "calldatetime")) == _second(row["call_date"])
        for each in calls or []
    )


def _digits(text: object) -> str:
    return "".join(filter(str.isdecimal, str(text or "")))[-10:]


def _second(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).strip()[:19])
    except ValueError:
        return None
