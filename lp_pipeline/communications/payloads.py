"""What exactly a push writes into LeadPerfection, and how it is recognized when LeadPerfection is read back (SPEC C6,
C7). When to send it is decided elsewhere.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from lp_pipeline.clients.contact_points import same_line
from lp_pipeline.clients.leadperfection import Write, call, lookup, note, production_note
from lp_pipeline.communications.note_text import mark, marked_in, note_text
from lp_pipeline.communications.open_push import OpenPush
from lp_pipeline.communications.targets import CALL_LOG, NOTE, PRODUCTION_NOTE
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox

SHOWN_FOR = timedelta(days=6)  # LeadPerfection shows the calls of the last seven days
WALL = "%Y-%m-%d %H:%M:%S"


def obstacle(push: OpenPush) -> tuple[str, str] | None:
    """Why an addressed push can't go to its target, as state and reason; None if it can."""
    if push.address.unmatched:
        return "unmatched", push.address.unmatched
    if push.target == PRODUCTION_NOTE and not push.address.job_id:
        return "skipped", "no_job"
    if push.target == CALL_LOG and not push.address.phone:
        return "skipped", "no_phone"  # a call log must have one
    return None


def with_content(push: OpenPush, settings: Settings, taken: Collection[str]) -> OpenPush:
    """The addressed push with what it writes; unchanged if that is fixed already. `taken` are call dates in use.

    A call log's date is moved forward by seconds until it is unique for its contact (SPEC C7).
    """
    if push.is_fixed:
        return push
    if push.target != CALL_LOG:
        return replace(push, text=note_text(push, settings.zone, settings.lp_note_length))
    moment = push.occurred_at.astimezone(settings.zone).replace(tzinfo=None, microsecond=0)
    while moment.strftime(WALL) in taken:
        moment += timedelta(seconds=1)
    return replace(push, call_date=moment.strftime(WALL))


def taken_dates(outbox: Outbox, push: OpenPush) -> set[str]:
    """The call dates that are in use for a contact: by other pushes, or by calls already in LeadPerfection.

    If the push itself may have been sent (SPEC R5), a call with the same phone may be this one.
    """
    if push.target != CALL_LOG or push.is_fixed:
        return set()
    used = outbox.rows("call_dates", {"external_contact_id": push.address.external_contact_id})
    ours = push.address.phone if push.looks_first else None
    shown = {str(at) for at, phone in push.address.calls if not same_line(phone, ours)}
    return {each["call_date"] for each in used} | shown


def as_write(push: OpenPush, settings: Settings, employee_id: str | None) -> Write:
    """The call that writes this push, with its content, into LeadPerfection."""
    if push.target == NOTE:
        return note(push.address.external_contact_id or "", push.text or "")
    if push.target == CALL_LOG:
        return call(call_fields(push, settings, employee_id))
    return production_note(settings.lp_production_note_action, push.address.job_id or "", push.text or "")


def call_fields(push: OpenPush, settings: Settings, employee_id: str | None) -> dict[str, str]:
    """AddCallHistory's fields; a setting that is missing gives an empty text, see `missing_settings`."""
    fields = {
        "CustID": push.address.external_contact_id or "",
        "EmpID": settings.lp_employee_id or employee_id or "",
        "CallDate": push.call_date or "",
        "ResultCode": by_channel(settings.lp_result_code, push.channel),
        "CallType": by_channel(settings.lp_call_type, push.channel),
        "Phone": push.address.phone or "",
    }
    if push.duration_seconds:
        minutes, seconds = divmod(push.duration_seconds, 60)
        fields["Duration"] = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if push.links:
        fields["RecordingURL"] = push.links[0]
    return fields


def by_channel(codes: dict[str, str], channel: str) -> str:
    """The code for a channel, or else the one for all channels."""
    return codes.get(channel, codes.get("", ""))


def missing_settings(settings: Settings, employee_id: str | None, channels: Collection[str]) -> list[str]:
    """The settings that call logs of these channels need and that are not set (SPEC C8)."""
    missing = [] if settings.lp_employee_id or employee_id else ["LP_EMPLOYEE_ID"]
    for name, codes in (("LP_CALL_TYPE", settings.lp_call_type), ("LP_RESULT_CODE", settings.lp_result_code)):
        without = sorted(channel for channel in channels if not by_channel(codes, channel))
        if not codes:
            missing.append(name)
        elif without:
            missing.append(f"{name} (for {', '.join(without)})")
    return missing


def can_be_read_back(push: OpenPush, settings: Settings, at: datetime) -> bool:
    """Whether LeadPerfection could show then that this push arrived: not production notes, nor call logs over 6 days
    old."""
    if push.target == CALL_LOG:
        oldest = (at - SHOWN_FOR).astimezone(settings.zone).strftime(WALL)
        return bool(push.call_date and push.call_date >= oldest)
    return push.target == NOTE


def is_there(record: dict[str, Any] | None, push: OpenPush) -> bool | None:
    """Whether this push is in what LeadPerfection shows of its prospect; None if the record can't answer that.

    A missing key is an empty list (contract 3: some keys are simply missing).
    """
    if record is None:
        return None
    if push.target == NOTE:
        return marked_in(lookup(record, "notes"), mark(push.communication_id))
    calls = lookup(record, "calls")
    if isinstance(calls, Mapping):
        calls = [calls]  # the contract: one object instead of an array of one
    if not isinstance(calls, list | None):
        return None
    return any(
        same_line(_text(lookup(each, "phone")), push.address.phone)
        and _second(lookup(each, "calldatetime")) == _second(push.call_date)
        for each in calls or []
    )


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def _second(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).strip()[:19])
    except ValueError:
        return None
