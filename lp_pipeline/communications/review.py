"""The pushes that need a decision, with what a user needs to make it (SPEC E3): whom they are with, what they say, and
why they wait. Settling them: `manual`. What is returned holds personal data: for the user's own terminal, never a log.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lp_pipeline.communications.manual import HELD, Choice
from lp_pipeline.communications.matching import Person, addresses, people, searched_by
from lp_pipeline.communications.open_push import Address, OpenPush
from lp_pipeline.communications.plain_text import plain
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row, instant_of, iso

REASONS = {
    "none": "no prospect has this phone or email",
    "several": "several prospects have this phone or email",
    "not_read": "its prospect has not been read from LeadPerfection",
    "cannot_be_read_back": "it may be in LeadPerfection, which doesn't show it to the pipeline: look there",
    "not_shown": "it may be in LeadPerfection, which no longer shows the prospect: look there",
    "not_found_in_leadperfection": "it was sent, but is not in LeadPerfection",
    "switched_off": "its target was turned off when it arrived",
    "before_start": "it happened before pushing was first turned on",
    "no_job": "its lead has no job",
    "no_phone": "it has no phone number, and neither has its prospect",
    "dropped": "you dropped it",
    "by_hand": "you settled it",
}
REFUSED = "refused ("


@dataclass(frozen=True)
class Listed:
    """A push as a user sees it. `text` is the whole body as one line of plain text; `words` are LeadPerfection's."""

    push: OpenPush
    reason: str | None
    name: str | None
    phone: str | None
    email: str | None
    text: str
    candidates: Sequence[Person]
    words: str | None

    @property
    def why(self) -> str:
        """The reason in words."""
        if self.reason == "none" and not (self.phone or self.email):
            return "it comes with no phone or email to look for"
        return why(self.reason)


def why(reason: str | None) -> str:
    """A push's reason in words."""
    reason = reason or ""
    if reason.startswith(REFUSED):
        return f"LeadPerfection refused it: {reason.removeprefix(REFUSED).removesuffix(')')}"
    return REASONS.get(reason, reason)


def listed(outbox: Outbox, settings: Settings, choice: Choice) -> list[Listed]:
    """The pushes that are uncertain, unmatched or failed, or else in the selected state, oldest first."""
    values = {
        "states": json.dumps([choice.state] if choice.state else HELD),
        "reason": choice.reason,
        "since": iso(choice.since) if choice.since else "",
    }
    rows = outbox.rows("held_pushes", values)
    pushes = [_push(row) for row in rows]
    found = addresses(outbox, settings, [push for push in pushes if push.state == "unmatched"])
    parties = searched_by(outbox, pushes)
    known = people(outbox, settings, sorted(set(_ids(pushes, found))))
    return [
        _listed(row, push, parties[push.communication_id], found.get(push.communication_id), known)
        for row, push in zip(rows, pushes, strict=True)
    ]


def _push(row: Row) -> OpenPush:
    columns = dict(row)
    for name in ("reason", "updated_at"):
        del columns[name]
    instants: dict[str, datetime] = {name: instant_of(columns[name]) for name in ("occurred_at", "first_seen_at")}
    address = Address(external_contact_id=columns.pop("pushed_contact_id"))
    return OpenPush(address=address, **columns | instants)


def _ids(pushes: Sequence[OpenPush], found: dict[str, Address]) -> Iterator[str]:
    for push in pushes:
        yield from filter(None, (push.address.external_contact_id, push.external_contact_id))
    for address in found.values():
        yield from address.candidates


def _listed(
    row: Row,
    push: OpenPush,
    party: tuple[str | None, str | None],
    found: Address | None,
    known: dict[str, Person],
) -> Listed:
    prospect = known.get(push.address.external_contact_id or push.external_contact_id or "")
    phone, email = party
    candidates = found.candidates if found else ()
    return Listed(
        push,
        row["reason"],
        prospect.name if prospect else None,
        phone or (prospect.phone if prospect else None),
        email or (prospect.email if prospect else None),
        " ".join(plain(push.body or "").split()),
        [known.get(each, Person(each)) for each in candidates],
        row["words"],
    )
