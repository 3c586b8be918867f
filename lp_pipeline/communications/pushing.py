"""A push: what has landed from Hatch goes into LeadPerfection, each communication exactly once for each target that was
on (SPEC C4 to C8). Which step follows which is decided here; the steps are the ledger's, the words are elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lp_pipeline.communications.addressing import Address, addresses
from lp_pipeline.communications.ledger import Ledger, open_pushes, remember_account
from lp_pipeline.communications.letters import (
    CALL_LOG,
    PRODUCTION_NOTE,
    Letter,
    can_be_read_back,
    is_there,
    letter_for,
    missing_settings,
    send,
)
from lp_pipeline.errors import LeadPerfectionError, SignInRefused
from lp_pipeline.leadperfection import Client, Written, look_up
from lp_pipeline.outbox import Outbox, Row
from lp_pipeline.settings import Settings

SAME_REFUSALS = 5
BETWEEN_LOOKS = 2.0  # seconds between the two readings that a push in doubt is looked up by
HINTS = {
    "calltype": "LP_CALL_TYPE",
    "call type": "LP_CALL_TYPE",
    "result": "LP_RESULT_CODE",
    "emp": "LP_EMPLOYEE_ID",
    "length": "LP_NOTE_LENGTH",
    "too long": "LP_NOTE_LENGTH",
}


@dataclass
class PushReport:
    """What one push did, by target and outcome, and what stopped it, if anything did."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: dict[str, str] = field(default_factory=dict)  # by target, why it was stopped
    errors: list[str] = field(default_factory=list)  # what fails the run, each a whole message

    def of(self, outcome: str) -> int:
        """How many had this outcome, over all targets."""
        return sum(number for (_, found), number in self.counts.items() if found == outcome)


class Push:
    """One run over the open pushes of the `targets` that are on; one at a time on a data folder."""

    def __init__(
        self,
        outbox: Outbox,
        client: Client,
        settings: Settings,
        targets: Sequence[str],
        published: Path,
        *,
        due_only: bool = False,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._settings = settings
        self._targets = targets
        self._published = published
        self._due_only = due_only
        self._on_progress = on_progress
        self._ledger = Ledger(outbox, settings)
        self._report = PushReport()
        self._refusals: dict[str, tuple[str | None, int]] = {}  # by target: the last refusal, how often running

    def run(self) -> PushReport:
        """Look up what is in doubt, then send what is pending. LeadPerfection's failures end up in the report."""
        rows = open_pushes(self._outbox, self._settings, self._targets, due_only=self._due_only)
        if not rows:
            return self._report
        try:
            self._client.sign_in()
            remember_account(self._outbox, self._settings)
            waiting = [row for row in rows if row["state"] == "sending"]
            absent = {self._key(row) for row in waiting if self._look_up(row)}
            to_send = [row for row in rows if row["state"] != "sending" or self._key(row) in absent]
            self._send_all(self._with_settings([row for row in to_send if row["target"] in self._targets]))
        except LeadPerfectionError as error:
            self._report.errors.append(str(error))
            self._ledger.pause(str(error))
        return self._report

    def _look_up(self, row: Row) -> bool:
        """Settle a push of unknown outcome (SPEC C7); True if it is to be sent again."""
        if not self._doubt_is_over(row):
            self._count(row, "in doubt")
            return False
        if not can_be_read_back(row, self._settings):
            self._ledger.uncertain(row)
            self._count(row, "uncertain")
            return False
        looks = []
        for again in (False, True):
            if again:
                self._client.pause(BETWEEN_LOOKS)
            looks.append(is_there(look_up(self._client, self._settings, row["pushed_contact_id"]), row))
            if looks[-1]:
                self._ledger.sent(row)
                self._count(row, "sent")
                return False
        if None in looks:
            self._count(row, self._ledger.not_shown(row))
            return False
        self._ledger.not_there(row)
        return True

    def _doubt_is_over(self, row: Row) -> bool:
        """No sooner than PUSH_DOUBT_SECONDS after its outcome became unknown, by the pipeline's clock or, if that
        stands still, by the real one."""
        since = datetime.fromisoformat(row["sending_since"])
        doubt = timedelta(seconds=self._settings.push_doubt_seconds)
        if self._settings.now() - since >= doubt:
            return True
        stands_still = self._settings.fixed_now is not None
        return stands_still and datetime.now(UTC) - datetime.fromisoformat(row["sending_really_since"]) >= doubt

    def _with_settings(self, rows: list[Row]) -> list[Row]:
        """The rows whose target has its settings; a target without them is told once (SPEC C8)."""
        if CALL_LOG not in self._targets:
            return rows
        channels = {row["channel"] for row in rows if row["target"] == CALL_LOG}
        missing = missing_settings(self._settings, self._client.employee_id, channels)
        if not missing:
            return rows
        message = (
            f"PUSH_TO_CALL_LOGS is on, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. "
            "Set it to a value that your LeadPerfection knows, or switch call logs off; until then they wait."
        )
        self._report.errors.append(message)
        self._stop(CALL_LOG, message)
        return [row for row in rows if row["target"] != CALL_LOG]

    def _send_all(self, rows: Sequence[Row]) -> None:
        unaddressed = [row for row in rows if row["pushed_contact_id"] is None]
        found = addresses(self._outbox, self._published, unaddressed)
        for number, row in enumerate(rows, 1):
            if row["target"] in self._report.stopped:
                self._count(row, "waiting")
            else:
                self._send(row, _fixed_address(row) or found[row["communication_id"]])
            self._on_progress(number, len(rows))

    def _send(self, row: Row, address: Address) -> None:
        if address.unmatched:
            self._ledger.unmatched(row, address.unmatched)
            self._count(row, "unmatched")
            return
        if row["target"] == PRODUCTION_NOTE and not address.job_id:
            self._ledger.skipped(row, "no_job")
            self._count(row, "skipped")
            return
        letter = letter_for(row, address, self._settings, self._taken_dates(row, address))
        self._ledger.claim(letter)
        try:
            written = send(self._client, self._settings, letter, row)
        except SignInRefused as error:  # of this function, perhaps: other targets may still go through
            self._ledger.not_sent(row)
            self._count(row, "waiting")
            self._report.errors.append(str(error))
            self._stop(row["target"], str(error))
        except LeadPerfectionError:
            self._ledger.not_sent(row)
            raise
        else:
            self._settle(row, letter, written)

    def _settle(self, row: Row, letter: Letter, written: Written) -> None:
        target = letter.target
        if written.outcome == "accepted":
            self._ledger.sent(row)
            self._ledger.went_through(target)
            self._refusals.pop(target, None)
            self._count(row, "sent")
        elif written.outcome == "unknown":
            self._ledger.in_doubt(row, written.why or "unknown", written.words)
            self._count(row, "in doubt")
        else:
            state = self._ledger.refused(row, written.why or "no reason given", written.words)
            self._count(row, "failed" if state == "failed" else "refused")
            last, times = self._refusals.get(target, (None, 0))
            times = times + 1 if written.words == last else 1
            self._refusals[target] = written.words, times
            if times >= SAME_REFUSALS:
                self._stop(target, _advice(target, written.words or ""))

    def _stop(self, target: str, why: str) -> None:
        self._report.stopped[target] = why
        self._ledger.pause(why, target)

    def _taken_dates(self, row: Row, address: Address) -> set[str]:
        if row["target"] != CALL_LOG or row["call_date"]:
            return set()
        used = self._outbox.rows("call_dates", {"external_contact_id": address.external_contact_id})
        return {each["call_date"] for each in used} | set(address.called_at)

    def _count(self, row: Row, outcome: str) -> None:
        self._report.counts[row["target"], outcome] += 1

    @staticmethod
    def _key(row: Row) -> tuple[str, str]:
        return row["communication_id"], row["target"]


def rehearse(
    outbox: Outbox, settings: Settings, rows: Sequence[Row], published: Path
) -> list[tuple[Letter | None, str]]:
    """What a push would write, where, word for word, for each row: the letter, or why there is none."""
    found = addresses(outbox, published, [row for row in rows if row["pushed_contact_id"] is None])
    rehearsed: list[tuple[Letter | None, str]] = []
    for row in rows:
        address = _fixed_address(row) or found[row["communication_id"]]
        if row["state"] == "sending":
            rehearsed.append((None, "in doubt: to be looked up first"))
        elif address.unmatched:
            rehearsed.append((None, f"unmatched ({address.unmatched})"))
        elif row["target"] == PRODUCTION_NOTE and not address.job_id:
            rehearsed.append((None, "skipped (no_job)"))
        else:
            rehearsed.append((letter_for(row, address, settings, address.called_at), ""))
    return rehearsed


def _fixed_address(row: Row) -> Address | None:
    """The address that an earlier try has fixed."""
    if row["pushed_contact_id"] is None:
        return None
    return Address(None, row["pushed_contact_id"], row["pushed_lead_id"], row["job_id"], row["pushed_phone"])


def _advice(target: str, words: str) -> str:
    lower = words.lower()
    setting = next((name for hint, name in HINTS.items() if hint in lower), None)
    check = f"Check {setting}" if setting else "Read them and mend what they name"
    return (
        f"LeadPerfection refused {SAME_REFUSALS} pushes to {target} running with the same words, so the rest waits. "
        f"{check}; its words are in communication_pushes.words. `lp-pipeline push` then goes on at once."
    )
