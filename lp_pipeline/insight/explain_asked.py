"""What LeadPerfection shows for an id that was never read, and why the pipeline has not read it (SPEC E1)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from lp_pipeline.insight.explain_columns import instants
from lp_pipeline.insight.explain_sources import windows_with
from lp_pipeline.insight.words import moment
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox

Find = Callable[[str], tuple[str, bytes] | None]  # an id; "prospect" or "lead", and the record as received


class Asked(msgspec.Struct, frozen=True):
    """What LeadPerfection answered: whose id it is, the newest change time in the record and its field, and the windows
    read so far that contain it (feed, begin, end, when it was read); `kind` is None if it shows nothing."""

    kind: str | None
    changed_at: datetime | None = None
    field: str | None = None
    windows: list[tuple[str, datetime, datetime, datetime]] = []

    def verdict(self, settings: Settings) -> str:
        """Why it was never read."""
        if self.kind is None:
            return "never read, and LeadPerfection shows no prospect or lead with this ID either"
        if self.changed_at is None:
            return f"LeadPerfection shows this {self.kind}, without any change time, so no window contains it"
        changed = f"LeadPerfection shows this {self.kind}, changed {moment(self.changed_at, settings)} ({self.field})"
        if not self.windows:
            return f"{changed}, outside every window read so far"
        feed, begin, end, read_at = self.windows[-1]
        return (
            f"{changed}. The {feed} feed was read from {moment(begin, settings)} to {moment(end, settings)}, on "
            f"{moment(read_at, settings)}, without it"
        )

    def advice(self, settings: Settings) -> list[str]:
        """How to get it."""
        if self.kind is None:
            return ["Check the ID in LeadPerfection. It may have been deleted or merged with another prospect there."]
        if self.changed_at is None:
            return ["The daily sweep reads history by entry date. Give the record an entry date in LeadPerfection."]
        day = self.changed_at.astimezone(settings.zone).date()
        days = settings.lp_sweep_round_days
        return [
            f"Read it now:  lp-pipeline backfill --from {day} --to {day}",
            f"Otherwise the daily sweep reads it within {days} days.",
        ]


def ask_leadperfection(settings: Settings, outbox: Outbox, identity: str, find: Find) -> Asked:
    """Ask for an id, and compare the record's change times with the windows read. Raises `LeadPerfectionError`."""
    found = find(identity)
    if found is None:
        return Asked(None)
    kind, record = found
    stamps: list[tuple[str, datetime]] = [
        (field, at if at.tzinfo is UTC else settings.instant_of(at))
        for field, at in instants(_object(record))
        if kind == "prospect" or field.startswith("lead.")
    ]
    known = [(field, at) for field, at in stamps if at <= settings.now()]
    if not known:
        return Asked(kind)
    field, changed_at = max(known, key=lambda each: each[1])
    return Asked(kind, changed_at, field, windows_with(outbox, settings, changed_at))


def _object(record: bytes) -> dict[str, Any]:
    return dict(msgspec.json.decode(record))
