"""Pushes communications from Hatch into LeadPerfection, each exactly once to each target that was on (SPEC C4 to C8).
The order of the steps is decided here; the ledger's transitions and the content are elsewhere.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from lp_pipeline.clients.leadperfection import Client, Written, written
from lp_pipeline.communications import ownership
from lp_pipeline.communications.ledger import Ledger, Withdrawn, note_pushing, open_pushes, register
from lp_pipeline.communications.matching import addressed, read_until
from lp_pipeline.communications.open_push import OpenPush
from lp_pipeline.communications.payloads import as_write, missing_settings, obstacle, taken_dates, with_content
from lp_pipeline.communications.reconcile import Reconciliation
from lp_pipeline.communications.targets import CALL_LOG, Overrides, targets_on
from lp_pipeline.errors import LeadPerfectionError, SettingsError, SignInRefused
from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import remember_outbox
from lp_pipeline.storage.locks import push_turn
from lp_pipeline.storage.outbox import Outbox

SAME_ANSWERS = 5  # consecutive ones that stop a target
WORKING_SECONDS = 10 * 60.0  # nothing is sent after this, so that the run ends well within its 12 minutes
HINTS = {
    r"call\s*type": "LP_CALL_TYPE",
    r"result\s*(code|id)": "LP_RESULT_CODE",
    r"\bemp(_?id|loyee)?\b": "LP_EMPLOYEE_ID",
    r"too long|longer|length|truncated": "LP_NOTE_LENGTH",
}


@dataclass
class PushReport:
    """What one run pushed, by target and outcome, and what stopped it, if anything did."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: dict[str, str] = field(default_factory=dict)  # why, by target
    errors: list[str] = field(default_factory=list)  # what fails the run, each a complete message

    def of(self, outcome: str) -> int:
        """How many had this outcome, over all targets."""
        return sum(number for (_, found), number in self.counts.items() if found == outcome)


class Push:
    """One run over the open pushes of the targets that are on; only one runs at a time in a data folder.

    `targets_on` is called again before each message: a switch that is turned off applies to the rest of the run.
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
        self._answers: dict[str, tuple[tuple[str, str | None], int]] = {}  # by target: the last one, how often in a row

    def run(self) -> PushReport:
        """Look up what is in doubt, then send what is pending. LeadPerfection's errors end up in the report."""
        pushes = self._open()
        if not pushes:
            return self._report
        try:
            self._client = self._connect()
            self._client.sign_in()
            remember_outbox(self._outbox, self._settings)
            if possibly_sent := [push for push in pushes if push.looks_first]:
                self._look_first(possibly_sent)
                pushes = [push for push in self._open() if not push.looks_first]
            lookups = Reconciliation(self._client, self._ledger, self._settings, self._ends)
            absent = lookups.settle([push for push in pushes if push.state == "sending"])
            self._report.counts.update(lookups.counts)
            if lookups.error:
                self._fail(lookups.error)
            pending = [absent.get(push.key, push) for push in pushes if push.state != "sending" or push.key in absent]
            self._send_all(self._with_settings([push for push in pending if push.target in self._targets]))
        except (LeadPerfectionError, SettingsError) as error:
            self._fail(error)
        return self._report

    def _open(self) -> list[OpenPush]:
        return open_pushes(self._outbox, self._settings, self._targets, due_only=self._due_only)

    def _look_first(self, pushes: Sequence[OpenPush]) -> None:
        """Put in doubt what may have been sent before an older copy of the ledger was restored (SPEC R5)."""
        for push in addressed(self._outbox, self._settings, pushes):
            if ready := self._ready(push):
                with suppress(Withdrawn):
                    self._ledger.look_first(ready)

    def _with_settings(self, pushes: list[OpenPush]) -> list[OpenPush]:
        """The pushes whose target has its settings; one error names the settings that call logs lack (SPEC C8)."""
        calls = [push for push in pushes if push.target == CALL_LOG]
        channels = {push.channel for push in calls}
        missing = missing_settings(self._settings, self._client.employee_id, channels) if channels else []
        if not missing:
            return pushes
        message = (
            f"PUSH_TO_CALL_LOGS is on, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set. "
            "Set it to a value that your LeadPerfection uses, or turn call logs off. Until then, they stay pending."
        )
        self._report.errors.append(message)
        self._stop(CALL_LOG, message)
        for push in calls:
            self._count(push, "waiting")
        return [push for push in pushes if push.target != CALL_LOG]

    def _send_all(self, pushes: Sequence[OpenPush]) -> None:
        for number, push in enumerate(addressed(self._outbox, self._settings, pushes), 1):
            is_late = time.monotonic() >= self._ends
            if push.target in self._report.stopped or is_late or push.target not in self._targets_on():
                self._count(push, "waiting")
            elif ready := self._ready(push):
                self._send(ready)
            self._on_progress(number, len(pushes))

    def _ready(self, push: OpenPush) -> OpenPush | None:
        """The addressed push with its content; None, and recorded in the ledger, if it can't go."""
        if found := obstacle(push):
            state, why = found
            if state == "unmatched":
                self._ledger.unmatched(push, why, partial(read_until, self._outbox, self._settings))
            else:
                self._ledger.skipped(push, why)
            self._count(push, state)
            return None
        return with_content(push, self._settings, taken_dates(self._outbox, push))

    def _send(self, push: OpenPush) -> None:
        write = as_write(push, self._settings, self._client.employee_id)
        try:
            answer = written(self._client, write, before=lambda: self._ledger.claim(push))
        except Withdrawn:
            self._count(push, "waiting")
        except SignInRefused as error:  # perhaps for this function only: other targets may still work
            self._ledger.not_sent(push)
            self._count(push, "waiting")
            self._report.errors.append(str(error))
            self._stop(push.target, str(error))
        except LeadPerfectionError:
            self._ledger.not_sent(push)
            raise
        else:
            self._settle(push, answer)

    def _settle(self, push: OpenPush, answer: Written) -> None:
        target = push.target
        if answer.outcome == "accepted":
            self._ledger.sent(push)
            self._ledger.went_through(target)
            self._answers.pop(target, None)
            self._count(push, "sent")
            return
        if answer.outcome == "unknown":
            self._ledger.in_doubt(push, answer.why or "unknown", answer.words, is_down=answer.is_down)
            self._count(push, "in doubt")
        else:
            state = self._ledger.refused(push, answer.why or "no reason given", answer.words)
            self._count(push, "failed" if state == "failed" else "refused")
        latest = (answer.outcome, answer.words or answer.why)
        last, times = self._answers.get(target, (None, 0))
        self._answers[target] = latest, times + 1 if latest == last else 1
        if self._answers[target][1] >= SAME_ANSWERS:
            self._stop(target, _advice(target, answer))

    def _stop(self, target: str, why: str) -> None:
        self._report.stopped[target] = why
        self._ledger.pause(why, target)

    def _fail(self, error: LeadPerfectionError | SettingsError) -> None:
        self._report.errors.append(str(error))
        self._ledger.pause(str(error), short=not isinstance(error, SignInRefused))

    def _count(self, push: OpenPush, outcome: str) -> None:
        self._report.counts[push.target, outcome] += 1


def _advice(target: str, answer: Written) -> str:
    if answer.outcome == "unknown":
        return (
            f"{SAME_ANSWERS} consecutive pushes to {target} had an unknown outcome ({answer.why}); remaining pushes to "
            "it are paused. Those five will be looked up before they are sent again. If this keeps "
            "happening, contact LeadPerfection's support."
        )
    setting = next((name for hint, name in HINTS.items() if re.search(hint, answer.words or "", re.IGNORECASE)), None)
    check = f"Check {setting}" if setting else "Fix what the message names"
    return (
        f"LeadPerfection rejected {SAME_ANSWERS} consecutive pushes to {target} with the same message; remaining "
        f"pushes to it are paused. {check}, then run `lp-pipeline push`. The message is in communication_pushes.words."
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

    `load` is called again before each message: a switch that is turned off applies to the rest of the push (SPEC C4).
    Raises `SettingsError` if another folder on this machine pushes for this account.
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
