"""Pushes whose outcome is unknown (SPEC C7): they are looked up in LeadPerfection, twice, before they are sent again.
What an outage keeps from being looked up stays as it is (R7). Nothing is sent here.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lp_pipeline.clients.leadperfection import Client, look_up
from lp_pipeline.communications.ledger import Ledger
from lp_pipeline.communications.open_push import Key, OpenPush
from lp_pipeline.communications.payloads import can_be_read_back, is_there
from lp_pipeline.errors import LeadPerfectionError, NoRecords, SlowQuery
from lp_pipeline.settings import Settings

BETWEEN_LOOKUPS = 2.0  # seconds


class Reconciliation:
    """The lookups of one run. `counts` has their outcomes by target; `error` is what ended them early, if anything."""

    def __init__(self, client: Client, ledger: Ledger, settings: Settings, ends: float) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.error: LeadPerfectionError | None = None
        self._client = client
        self._ledger = ledger
        self._settings = settings
        self._ends = ends
        self._not_shown: set[Key] = set()  # LeadPerfection did not show the record in which to look
        self._shows_records = False
        self._timed_out = False

    def settle(self, pushes: Sequence[OpenPush]) -> dict[Key, OpenPush]:
        """Settle what can be settled; the pushes that are to be sent again, which are pending now."""
        missing: list[OpenPush] = []
        for push in pushes:
            if not self._is_due(push):
                self._count(push, "in doubt")
            elif not self._could_be_read_back(push):
                self._ledger.uncertain(push)
                self._count(push, "uncertain")
            else:
                missing.append(push)
        missing = self._look(missing)
        if missing and not self._is_cut_short():
            self._client.pause(BETWEEN_LOOKUPS)
            missing = self._look(missing)
        is_up = bool(missing) and (self._not_shown.isdisjoint(push.key for push in missing) or self._is_up())
        cut_short, absent = self._is_cut_short(), dict[Key, OpenPush]()
        for push in missing:
            state = "sending"
            if self.error:
                pass
            elif push.key in self._not_shown:
                state = self._ledger.not_shown(push, counts=is_up)
            elif not cut_short and can_be_read_back(push, self._settings, self._settings.now()):
                state = self._ledger.not_there(push)
            elif not cut_short:  # an outage outlasted the days for which LeadPerfection shows it
                self._ledger.uncertain(push)
                state = "uncertain"
            if state == "pending":
                absent[push.key] = replace(push, state=state)
            else:
                self._count(push, "in doubt" if state == "sending" else state)
        return absent

    def _is_due(self, push: OpenPush) -> bool:
        """No sooner than PUSH_DOUBT_SECONDS after its outcome became unknown, by the pipeline's clock or, if that one
        is fixed, by the machine's."""
        doubt = timedelta(seconds=self._settings.push_doubt_seconds)
        if push.sending_since is None or self._settings.now() - push.sending_since >= doubt:
            return True
        since = push.sending_really_since if self._settings.fixed_now is not None else None
        return since is not None and datetime.now(UTC) - since >= doubt

    def _could_be_read_back(self, push: OpenPush) -> bool:
        """Whether a lookup at the time that it was due could have shown it: an outage since then changes nothing."""
        due = (push.sending_since or self._settings.now()) + timedelta(seconds=self._settings.push_doubt_seconds)
        return can_be_read_back(push, self._settings, min(due, self._settings.now()))

    def _look(self, pushes: Sequence[OpenPush]) -> list[OpenPush]:
        """Read each prospect of these pushes once; the pushes that are not found there."""
        missing: list[OpenPush] = []
        by_prospect: dict[str, list[OpenPush]] = {}
        for push in pushes:
            by_prospect.setdefault(push.address.external_contact_id or "", []).append(push)
        for cst_id, group in by_prospect.items():
            if self._is_cut_short():
                for push in group:
                    self._count(push, "in doubt")
                continue
            record = self._read(cst_id)
            for push in group:
                if self.error:
                    self._count(push, "in doubt")
                    continue
                found = is_there(record, push)
                if found:
                    self._ledger.sent(push)
                    self._count(push, "sent")
                    continue
                if found is None:
                    self._not_shown.add(push.key)
                missing.append(push)
        return missing

    def _is_cut_short(self) -> bool:
        return self.error is not None or time.monotonic() >= self._ends

    def _is_up(self) -> bool:
        """Whether LeadPerfection shows any record now. If it showed none of those looked up, others are tried: an empty
        answer or a time-out for all of them is an outage, and says nothing about one push."""
        others = self._ledger.contacts_pushed_to()
        if not others:
            return self._shows_records or not self._timed_out
        for cst_id in others:
            if not self._shows_records and not self._is_cut_short():
                self._read(cst_id)
        return self._shows_records

    def _read(self, cst_id: str) -> dict[str, object] | None:
        try:
            record = look_up(self._client, self._settings, cst_id, ("notes", "calls"))
        except (SlowQuery, NoRecords):  # a record that always times out, or brings an error, does not block the others
            self._timed_out = True
            return None
        except LeadPerfectionError as error:
            self.error = error
            return None
        self._shows_records |= record is not None
        return record

    def _count(self, push: OpenPush, outcome: str) -> None:
        self.counts[push.target, outcome] += 1
