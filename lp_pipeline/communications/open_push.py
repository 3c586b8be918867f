"""An open push: one communication on its way to one target, typed, from the ledger to LeadPerfection. The ledger makes
it, matching adds the address, `payloads` adds the content; nothing is decided, read or sent here.

The command line loads this for its help: no import here may lead to DuckDB.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

OPEN = ("pending", "unmatched", "uncertain", "failed")
NOT_SENT = ("skipped", *OPEN)  # what can be settled by hand
STATES = (*NOT_SENT, "sending", "sent")
Key = tuple[str, str]


@dataclass(frozen=True)
class Address:
    """Where a push goes in LeadPerfection; empty until it has been looked for (SPEC C5)."""

    unmatched: str | None = None  # why it goes nowhere: none, several, not_read
    external_contact_id: str | None = None
    external_id: str | None = None
    job_id: str | None = None
    phone: str | None = None
    calls: Collection[Sequence[str | None]] = ()  # already in LeadPerfection: wall time and phone
    candidates: Sequence[str] = field(default=(), compare=False)  # the prospects it may belong to, if there are several


@dataclass(frozen=True, kw_only=True)
class OpenPush:
    """A row of the ledger with its communication, whose text fields may hold anything. Datetimes are aware.

    `text` or `call_date` is set once the content is fixed; from then on it and `address` never change (SPEC C7).
    """

    communication_id: str
    target: str
    state: str  # pending, unmatched or sending
    attempts: int = 0
    first_seen_at: datetime
    first_tried_at: datetime | None = None
    sending_since: datetime | None = None  # by the pipeline's clock
    sending_really_since: datetime | None = None  # by the machine's clock
    looks_first: bool = False  # may have been sent before an older copy of the ledger was restored (SPEC R5)
    words: str | None = None  # LeadPerfection's last answer

    address: Address = Address()
    text: str | None = None
    call_date: str | None = None  # LeadPerfection's wall clock, YYYY-MM-DD HH:MM:SS

    occurred_at: datetime
    channel: str  # text, email, call or message
    type: str | None = None  # in Hatch's words
    direction: str | None = None  # inbound, outbound
    actor_type: str | None = None
    actor_name: str | None = None
    delivery_status: str | None = None
    body: str | None = None
    duration_seconds: int | None = None
    links: Sequence[str] = ()

    contact_id: str | None = None  # Hatch's
    external_contact_id: str | None = None  # given by Hatch or by `pushes assign`; likewise the next three
    external_id: str | None = None
    phone: str | None = None
    email: str | None = None

    @property
    def key(self) -> Key:
        """What identifies a push."""
        return self.communication_id, self.target

    @property
    def is_fixed(self) -> bool:
        """Whether an earlier attempt has fixed the address and the content."""
        return bool(self.text or self.call_date)
