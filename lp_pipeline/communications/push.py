"""A push: what has landed from Hatch goes into LeadPerfection, each communication exactly once for each target that was
on (SPEC C4 to C8). Which step follows which is decided here; the steps are the ledger's, the words are elsewhere.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from lp_pipeline.clients.leadperfection import Client, Written, written
from lp_pipeline.communications import ownership
from lp_pipeline.communications.ledger import Ledger, Withdrawn, note_pushing, open_pushes, register
from lp_pipeline.communications.matching import Address, addresses
from lp_pipeline.communications.payloads import (
    Letter,
    as_write,
    fixed_address,
    letter_for,
    missing_settings,
    taken_dates,
    unsendable,
)
from lp_pipeline.communications.reconcile import Doubts, key
from lp_pipeline.communications.targets import CALL_LOG, Overrides, targets_on
from lp_pipeline.errors import LeadPerfectionError, SettingsError, SignInRefused
from lp_pipeline.settings import Settings
from lp_pipeline.storage.locks import push_turn
from lp_pipeline.storage.outbox import Outbox, Row, remember_account

SAME_ANSWERS = 5
WORKING_SECONDS = 10 * 60.0  # no push is begun after this, so that the run ends well within its 12 minutes
HINTS = {
    r"call\s*type": "LP_CALL_TYPE",
    r"result\s*(code|id)": "LP_RESULT_CODE",
    r"\bemp(_?id|loyee)?\b": "LP_EMPLOYEE_ID",
    r"too long|longer|length|truncated": "LP_NOTE_LENGTH",
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
    """One run over the open pushes of the targets that are on; one at a time on a data folder.

    `targets_on` is asked again before each message, so that a switch that is turned off holds for the rest of the run.
    """

    def __init__(
        self,
        outbox: Outbox,
        client: Callable[[], Client],
        settings: Settings,
        targets_on: Callable[[], Sequence[str]],
        *,
        due_only: bool = False,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
        seconds: float = WORKING_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._connect = client
        self._settings = settings
        self._targets_on = targets_on
        self._targets = targets_on()
        self._due_only = due_only
        self._on_progress = on_progress
        self._ends = time.monotonic() + seconds
        self._ledger = Ledger(outbox, settings)
        self._report = PushReport()
        self._running: dict[str, tuple[tuple[str, str | None], int]] = {}  # by target: what was answered, how often

    def run(self) -> PushReport:
        """Look up what is in doubt, then send what is pending. LeadPerfection's failures end up in the report."""
        rows = self._open()
        if not rows:
            return self._report
        try:
            self._client = self._connect()
            self._client.sign_in()
            remember_account(self._outbox, self._settings)
            if self._look_first([row for row in rows if row["looks_first"]]):
                rows = [row for row in self._open() if not row["looks_first"]]
            doubts = Doubts(self._client, self._ledger, self._settings, self._ends)
            absent = doubts.settle([row for row in rows if row["state"] == "sending"])
            self._report.counts.update(doubts.counts)
            if doubts.trouble:
                self._trouble(doubts.trouble)
            to_send = [row for row in rows if row["state"] != "sending" or key(row) in absent]
            self._send_all(self._with_settings([row for row in to_send if row["target"] in self._targets]))
        except (LeadPerfectionError, SettingsError) as error:
            self._trouble(error)
        return self._report

    def _open(self) -> list[Row]:
        return open_pushes(self._outbox, self._settings, self._targets, due_only=self._due_only)

    def _look_first(self, rows: Sequence[Row]) -> bool:
        """Put in doubt what may have been sent before an older copy of the ledger was restored (SPEC R5)."""
        found = addresses(self._outbox, self._settings, [row for row in rows if row["pushed_contact_id"] is None])
        for row in rows:
            if letter := self._letter(row, fixed_address(row) or found[row["communication_id"]]):
                with suppress(Withdrawn):
                    self._ledger.look_first(row, letter)
        return bool(rows)

    def _with_settings(self, rows: list[Row]) -> list[Row]:
        """The rows whose target has its settings; a target without them is told once (SPEC C8)."""
        channels = {row["channel"] for row in rows if row["target"] == CALL_LOG}
        missing = missing_settings(self._settings, self._client.employee_id, channels) if channels else []
        if not missing:
            return rows
        message = (
            f"PUSH_TO_CALL_LOGS is on, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. "
            "Set it to a value that your LeadPerfection knows, or switch call logs off; until then they wait."
        )
        self._report.errors.append(message)
        self._stop(CALL_LOG, message)
        for row in rows:
            if row["target"] == CALL_LOG:
                self._count(row, "waiting")
        return [row for row in rows if row["target"] != CALL_LOG]

    def _send_all(self, rows: Sequence[Row]) -> None:
        unaddressed = [row for row in rows if row["pushed_contact_id"] is None]
        found = addresses(self._outbox, self._settings, unaddressed)
        for number, row in enumerate(rows, 1):
            if (
                row["target"] in self._report.stopped
                or time.monotonic() >= self._ends
                or row["target"] not in self._targets_on()
            ):
                self._count(row, "waiting")
            else:
                self._send(row, fixed_address(row) or found[row["communication_id"]])
            self._on_progress(number, len(rows))

    def _send(self, row: Row, address: Address) -> None:
        letter = self._letter(row, address)
        if letter is None:
            return
        write = as_write(letter, row, self._settings, self._client.employee_id)
        try:
            answer = written(self._client, write, before=lambda: self._ledger.claim(row, letter))
        except Withdrawn:
            self._count(row, "waiting")
        except SignInRefused as error:  # of this function, perhaps: other targets may still go through
            self._ledger.not_sent(row)
            self._count(row, "waiting")
            self._report.errors.append(str(error))
            self._stop(row["target"], str(error))
        except LeadPerfectionError:
            self._ledger.not_sent(row)
            raise
        else:
            self._settle(row, answer)

    def _letter(self, row: Row, address: Address) -> Letter | None:
        """What goes out; None if nothing can."""
        if address.unmatched:
            self._ledger.unmatched(row, address.unmatched)
            self._count(row, "unmatched")
            return None
        if why := unsendable(row["target"], address, row["phone"]):
            self._ledger.skipped(row, why)
            self._count(row, "skipped")
            return None
        return letter_for(row, address, self._settings, taken_dates(self._outbox, row, address))

    def _settle(self, row: Row, answer: Written) -> None:
        target = row["target"]
        if answer.outcome == "accepted":
            self._ledger.sent(row)
            self._ledger.went_through(target)
            self._running.pop(target, None)
            self._count(row, "sent")
            return
        if answer.outcome == "unknown":
            self._ledger.in_doubt(row, answer.why or "unknown", answer.words)
            self._count(row, "in doubt")
        else:
            state = self._ledger.refused(row, answer.why or "no reason given", answer.words)
            self._count(row, "failed" if state == "failed" else "refused")
        said = (answer.outcome, answer.words or answer.why)
        last, times = self._running.get(target, (None, 0))
        self._running[target] = said, times + 1 if said == last else 1
        if self._running[target][1] >= SAME_ANSWERS:
            self._stop(target, _advice(target, answer))

    def _stop(self, target: str, why: str) -> None:
        self._report.stopped[target] = why
        self._ledger.pause(why, target)

    def _trouble(self, error: LeadPerfectionError | SettingsError) -> None:
        self._report.errors.append(str(error))
        self._ledger.pause(str(error), short=not isinstance(error, SignInRefused))

    def _count(self, row: Row, outcome: str) -> None:
        self._report.counts[row["target"], outcome] += 1


def _advice(target: str, answer: Written) -> str:
    if answer.outcome == "unknown":
        return (
            f"LeadPerfection left it open {SAME_ANSWERS} times running whether it took a push to {target} "
            f"({answer.why}), so the rest waits. Those are looked up; if it goes on, ask LeadPerfection."
        )
    setting = next((name for hint, name in HINTS.items() if re.search(hint, answer.words or "", re.IGNORECASE)), None)
    check = f"Check {setting}" if setting else "Read them and mend what they name"
    return (
        f"LeadPerfection refused {SAME_ANSWERS} pushes to {target} running with the same words, so the rest waits. "
        f"{check}; its words are in communication_pushes.words. `lp-pipeline push` then goes on at once."
    )


def push(
    outbox: Outbox,
    client: Callable[[], Client],
    load: Callable[[], Settings],
    overrides: Overrides,
    *,
    due_only: bool,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> PushReport:
    """Push what is open to the targets that are on; waits for another push from this folder.

    `load` is called again before each message: a switch that is turned off holds for the rest of the push (SPEC C4).
    Raises `SettingsError` if another folder of this machine pushes for this account.
    """
    settings = load()
    if targets_on(settings, overrides):
        try:
            ownership.claim(outbox, settings)
        except SettingsError as error:
            Ledger(outbox, settings).pause(str(error))
            raise

    def targets_now() -> list[str]:
        targets = targets_on(load(), overrides)
        if targets:
            ownership.check(settings)
        return targets

    with push_turn(settings):
        note_pushing(outbox, settings, overrides)
        with outbox.transaction() as connection:
            register(connection, outbox, settings, overrides)
        run = Push(outbox, client, settings, targets_now, due_only=due_only, on_progress=on_progress)
        return run.run()
