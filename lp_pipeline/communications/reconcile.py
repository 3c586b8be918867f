"""Pushes of unknown outcome (SPEC C7): LeadPerfection is read for them, twice, before they are sent again. It sends
nothing.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lp_pipeline.clients.leadperfection import Client, look_up
from lp_pipeline.communications.ledger import Ledger
from lp_pipeline.communications.payloads import can_be_read_back, is_there
from lp_pipeline.errors import LeadPerfectionError, SlowQuery
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Row, instant_of

BETWEEN_LOOKS = 2.0  # seconds
Key = tuple[str, str]


class Doubts:
    """The looking up of one run. `counts` says what became of them, by target; `trouble` what ended it early."""

    def __init__(self, client: Client, ledger: Ledger, settings: Settings, ends: float) -> None:
        self.counts: Counter[Key] = Counter()
        self.trouble: LeadPerfectionError | None = None
        self._client = client
        self._ledger = ledger
        self._settings = settings
        self._ends = ends
        self._not_shown: set[Key] = set()  # where LeadPerfection did not show the place in which to look

    def settle(self, rows: Sequence[Row]) -> set[Key]:
        """Settle what can be settled; the keys of the pushes that are to be sent again."""
        left: list[Row] = []
        for row in rows:
            if not self._is_over(row):
                self._count(row, "in doubt")
            elif not can_be_read_back(row, self._settings):
                self._ledger.uncertain(row)
                self._count(row, "uncertain")
            else:
                left.append(row)
        left = self._look(left)
        if left and not self._is_cut_short():
            self._client.pause(BETWEEN_LOOKS)
            left = self._look(left)
        cut_short, absent = self._is_cut_short(), set[Key]()
        for row in left:
            state = "sending"
            if key(row) in self._not_shown:
                state = self._ledger.not_shown(row)
            elif not cut_short:
                state = self._ledger.not_there(row)
            if state == "pending":
                absent.add(key(row))
            else:
                self._count(row, "in doubt" if state == "sending" else state)
        return absent

    def _is_over(self, row: Row) -> bool:
        """No sooner than PUSH_DOUBT_SECONDS after its outcome became unknown, by the pipeline's clock or, if that
        stands still, by the real one."""
        doubt = timedelta(seconds=self._settings.push_doubt_seconds)
        if self._settings.now() - instant_of(row["sending_since"]) >= doubt:
            return True
        stands_still = self._settings.fixed_now is not None
        return stands_still and datetime.now(UTC) - instant_of(row["sending_really_since"]) >= doubt

    def _look(self, rows: Sequence[Row]) -> list[Row]:
        """Read each prospect of these pushes once; the pushes that are not found there."""
        missing: list[Row] = []
        by_prospect: dict[str, list[Row]] = {}
        for row in rows:
            by_prospect.setdefault(row["pushed_contact_id"], []).append(row)
        for cst_id, group in by_prospect.items():
            if self._is_cut_short():
                for row in group:
                    self._count(row, "in doubt")
                continue
            record = self._read(cst_id)
            for row in group:
                found = is_there(record, row)
                if found:
                    self._ledger.sent(row)
                    self._count(row, "sent")
                    continue
                if found is None:
                    self._not_shown.add(key(row))
                missing.append(row)
        return missing

    def _is_cut_short(self) -> bool:
        return self.trouble is not None or time.monotonic() >= self._ends

    def _read(self, cst_id: str) -> dict[str, object] | None:
        try:
            return look_up(self._client, self._settings, cst_id, ("notes", "calls"))
        except SlowQuery:  # a record that always times out holds up no other
            return None
        except LeadPerfectionError as error:
            self.trouble = error
            return None

    def _count(self, row: Row, outcome: str) -> None:
        self.counts[row["target"], outcome] += 1


def key(row: Row) -> Key:
    """What a push is known by."""
    return row["communication_id"], row["target"]
