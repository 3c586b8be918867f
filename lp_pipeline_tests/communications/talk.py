"""What tests of pushes share: three people whom LeadPerfection knows and the pipeline has read, and what they say."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lp_pipeline.communications.open_push import OpenPush
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.scenario import Record, lead, prospect

LONG_AGO = "2026-02-01T00:00:00Z"
ALL = {"PUSH_TO_CALL_LOGS": "true", "PUSH_TO_PRODUCTION_NOTES": "true"}


def open_push(**fields: Any) -> OpenPush:
    """An inbound text on its way to a note, unless the fields say otherwise."""
    said: dict[str, Any] = {"communication_id": "abc", "target": "note", "state": "pending", "channel": "text"}
    when = datetime(2026, 3, 2, 15, 5, tzinfo=UTC)
    return OpenPush(**said | {"direction": "inbound", "occurred_at": when, "first_seen_at": when} | fields)


def people() -> list[Record]:
    """Prospects 1, 2 and 3 with a lead and a job each (71, 72, 73)."""
    return [
        prospect(
            number,
            lead(f"{number}0", jobs=[{"id": f"7{number}", "contractid": f"C-{number}"}]),
            phone1=f"(518)555-010{number}",
            email=f"person{number}@example.com",
            calls=[],
            notes=[],
        )
        for number in "123"
    ]


class Talk(Account):
    """An account whose people are read and published; what happened since February is pushed."""

    def text(self, identity: str, contact: str = "1", *, minutes: float = 10, **columns: Any) -> None:
        """A text from a prospect so many minutes ago lands; another column of the export changes it."""
        self.land(self.said(identity, contact, minutes=minutes, **columns))

    def said(self, identity: str, contact: str = "1", *, minutes: float = 10, **columns: Any) -> Record:
        """One communication as Hatch's export has it."""
        return {
            "id": identity,
            "external_contact_id": contact,
            "category": "sms",
            "direction": "inbound",
            "body": f"What {identity} says",
            "occurred_at": (self.now - timedelta(minutes=minutes)).isoformat(),
            **columns,
        }

    def states(self, target: str = "note") -> dict[str, str]:
        """The state of each communication's push to this target."""
        return {row[0]: row[1] for row in self.pushes("communication_id", "state", "target") if row[2] == target}

    def reasons(self, target: str = "note") -> dict[str, str]:
        """Likewise the reasons."""
        return {row[0]: row[1] for row in self.pushes("communication_id", "reason", "target") if row[2] == target}

    def column(self, name: str, identity: str, target: str = "note") -> Any:
        """One value of the ledger."""
        rows = self.pushes("communication_id", "target", name)
        return next(row[2] for row in rows if row[:2] == (identity, target))

    def over(self) -> None:
        """The time for which a doubt lasts passes."""
        self.later(minutes=6)
