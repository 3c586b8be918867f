"""The ledger of pushes, `communication_pushes`: its states, and every transition between them, each one durable
transaction (SPEC C4, C7, C8). Nothing is sent here.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lp_pipeline.communications.open_push import Address, OpenPush
from lp_pipeline.communications.targets import SWITCHES, Overrides, switches, targets_on
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row, instant_of, iso, run

SANDBOX_SINCE = timedelta(days=3)  # so that there is something to see
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
MAX_ATTEMPTS, MIN_AGE = 8, timedelta(days=1)  # a push has failed once it has reached both
UNMATCHED_WAITS, UNMATCHED_FOR = (timedelta(minutes=1), timedelta(hours=1)), timedelta(days=30)
UNREAD_WAIT = timedelta(days=1)  # once the 30 days are over while LeadPerfection can't be read (R7)
PAUSE = timedelta(minutes=15)  # of the sensor, after an error that somebody has to fix
SHORT_PAUSE = timedelta(minutes=5)  # after an error that may pass
NEVER, NEVER_BEFORE = "9999", datetime.min.replace(tzinfo=UTC)
ACCEPTED_AT = "accepted_at"  # when LeadPerfection last accepted a push
RECOVERED_AT, REALLY_RECOVERED_AT = "recovered_at", "really_recovered_at"  # R5, by the two clocks
INSTANTS = ("first_seen_at", "first_tried_at", "sending_since", "sending_really_since", "occurred_at")


class Withdrawn(Exception):
    """Somebody settled this push by hand during the run: it is not sent."""


def note_pushing(outbox: Outbox, settings: Settings, overrides: Overrides | None = None) -> None:
    """Remember since when pushing has been on: what happened before is not pushed (SPEC C4)."""
    if targets_on(settings, overrides) and outbox.fact("pushing_since") is None:
        outbox.keep("pushing_since", pushing_since(outbox, settings), once=True)


def pushing_since(outbox: Outbox, settings: Settings) -> str:
    """Since when pushing has been on; now, if it never was."""
    begins_now = settings.now() - (timedelta() if settings.lp_api_url else SANDBOX_SINCE)
    return outbox.fact("pushing_since") or iso(begins_now)


def register(connection: Any, outbox: Outbox, settings: Settings, overrides: Overrides | None = None) -> None:
    """Give every communication that is seen for the first time its rows, inside the caller's transaction."""
    given = {name for name, value in (overrides or {}).items() if value is not None}
    states = {
        target: is_on if given & {"push_communications", SWITCHES[target]} else None
        for target, is_on in switches(settings, overrides).items()
    }
    since = iso(settings.push_since) if settings.push_since else pushing_since(outbox, settings)
    values = {"overrides": json.dumps(states), "since": since, "now": iso(settings.now())}
    new = [[row["communication_id"], row["target"]] for row in run(connection, "register_pushes", values)]
    recovered_at = outbox.fact(RECOVERED_AT)
    if new and recovered_at:
        run(connection, "look_for_new", {"pushes": json.dumps(new), "until": recovered_at})


def open_pushes(outbox: Outbox, settings: Settings, targets: Sequence[str], *, due_only: bool) -> list[OpenPush]:
    """The pushes to process, in the order in which to try them; `due_only` leaves out those that wait for a retry."""
    values = {"now": iso(settings.now()), "due_only": due_only, "targets": json.dumps(targets)}
    return [_open_push(row) for row in outbox.rows("open_pushes", values)]


def _open_push(row: Row) -> OpenPush:
    columns = dict(row)
    address = Address(None, *(columns.pop(f"pushed_{name}") for name in ("contact_id", "lead_id", "job_id", "phone")))
    instants = {name: instant_of(columns[name]) for name in INSTANTS if columns[name]}
    converted = {"links": json.loads(columns["links"]), "looks_first": bool(columns["looks_first"]), **instants}
    return OpenPush(address=address, **columns | converted)


class Ledger:
    """Records the transitions of pushes."""

    def __init__(self, outbox: Outbox, settings: Settings) -> None:
        self._outbox = outbox
        self._settings = settings

    def claim(self, push: OpenPush) -> None:
        """Fix the address and content on disk, as `sending`, right before they are sent; raises `Withdrawn`."""
        with self._outbox.transaction() as connection:
            now, really_now = iso(self._settings.now()), iso(datetime.now(UTC))
            self._claim(connection, push, push.attempts + 1, doubt_since=now, doubt_really_since=really_now)

    def look_first(self, push: OpenPush) -> None:
        """Fix the address and content, unsent, as in doubt since `lp-pipeline recovered`: the push may have been sent
        before an older copy of the ledger was restored (SPEC R5). Raises `Withdrawn`."""
        since, really_since = (self._outbox.fact(name) or "" for name in (RECOVERED_AT, REALLY_RECOVERED_AT))
        with self._outbox.transaction() as connection:
            self._claim(connection, push, push.attempts, doubt_since=since, doubt_really_since=really_since)
            run(connection, "stop_looking_for", {"communication_id": push.communication_id, "target": push.target})

    def _claim(self, connection: Any, push: OpenPush, attempts: int, **doubt: str) -> None:
        values = {
            "communication_id": push.communication_id,
            "target": push.target,
            "external_contact_id": push.address.external_contact_id,
            "external_id": push.address.external_id,
            "job_id": push.address.job_id,
            "phone": push.address.phone,
            "call_date": push.call_date,
            "text": push.text,
            "from_state": push.state,
            "attempts": attempts,
            "now": iso(self._settings.now()),
        }
        if not run(connection, "claim_push", values | doubt):
            raise Withdrawn

    def sent(self, push: OpenPush) -> None:
        """LeadPerfection has it."""
        self._settle(push, "sent")

    def in_doubt(self, push: OpenPush, why: str, words: str | None, *, is_down: bool = False) -> None:
        """It is unknown whether LeadPerfection has it: from now on it waits to be looked up.

        With `is_down`, the answer was that of a system that is down: after the first one, no further attempt is
        counted, unless LeadPerfection has accepted another push since the last one (SPEC R7).
        """
        again = self._after(_wait(push.attempts)) if push.attempts else None
        counts = not is_down or (self._outbox.fact(ACCEPTED_AT) or "") > iso(push.sending_since or NEVER_BEFORE)
        attempts = None if counts else max(1, push.attempts)
        self._settle(push, "sending", why, words, doubt_begins=True, next_try_at=again, attempts=attempts)

    def not_sent(self, push: OpenPush) -> None:
        """LeadPerfection certainly did nothing, for a reason unrelated to this push: not counted as an attempt."""
        self._settle(push, "pending", attempts=push.attempts, from_state="sending")

    def refused(self, push: OpenPush, why: str, words: str | None) -> str:
        """LeadPerfection rejected it: retried later, or failed after 8 attempts over a day; the new state."""
        attempts = push.attempts + 1
        state = "failed" if self._is_given_up(push, attempts) else "pending"
        again = None if state == "failed" else self._after(_wait(attempts))
        self._settle(push, state, f"refused ({why})", words, next_try_at=again)
        return state

    def not_shown(self, push: OpenPush, *, counts: bool = True) -> str:
        """LeadPerfection does not show the prospect, so it can't be looked up: later, or `uncertain`; the new state.

        If it shows no other prospect either (not `counts`), that is an outage, which uses up no attempt (SPEC R7).
        """
        if not counts:
            self._settle(push, "sending", "not_shown", push.words, next_try_at=self._after(SHORT_PAUSE))
            return "sending"
        attempts = push.attempts + 1
        state = "uncertain" if self._is_given_up(push, attempts) else "sending"
        again = None if state == "uncertain" else self._after(_wait(attempts))
        self._settle(push, state, "not_shown", next_try_at=again, attempts=attempts)
        return state

    def not_there(self, push: OpenPush) -> str:
        """It was looked up and is not in LeadPerfection: sent again unchanged, or failed; the new state."""
        state = "failed" if self._is_given_up(push, push.attempts) else "pending"
        self._settle(push, state, "not_found_in_leadperfection", push.words)
        return state

    def uncertain(self, push: OpenPush) -> None:
        """The pipeline can't find out whether LeadPerfection has it: somebody has to decide."""
        self._settle(push, "uncertain", "cannot_be_read_back")

    def unmatched(self, push: OpenPush, why: str, read_until: Callable[[], datetime | None]) -> None:
        """No single prospect was found: retried for 30 days (SPEC C5), soon at first: it may be about to be read.

        `read_until`: what changed in LeadPerfection until then has been read. An outage prolongs the 30 days (R7).
        """
        age = self._settings.now() - push.first_seen_at
        soonest, latest = UNMATCHED_WAITS
        if age < UNMATCHED_FOR:
            again = self._after(min(max(age, soonest), latest))
        else:
            read = read_until()
            is_over = read is not None and read >= push.first_seen_at + UNMATCHED_FOR
            again = NEVER if is_over else self._after(UNREAD_WAIT)
        self._settle(push, "unmatched", why, next_try_at=again)

    def skipped(self, push: OpenPush, why: str) -> None:
        """It does not go to this target."""
        self._settle(push, "skipped", why)

    def pause(self, why: str, target: str | None = None, *, short: bool = False) -> None:
        """Make the sensor wait before the next push, and record why; a push started by hand does not wait."""
        suffix = f":{target}" if target else ""
        self._outbox.keep(f"paused_until{suffix}", self._after(SHORT_PAUSE if short else PAUSE))
        self._outbox.keep(f"stopped{suffix}", why)

    def contacts_pushed_to(self) -> list[str]:
        """A few of the contacts that pushes went to lately, none of whose pushes are in doubt."""
        return [row["external_contact_id"] for row in self._outbox.rows("contacts_pushed_to")]

    def went_through(self, target: str) -> None:
        """LeadPerfection accepted a push: any pause is over."""
        self._outbox.keep(ACCEPTED_AT, iso(self._settings.now()))
        for name in ("stopped", f"stopped:{target}", "paused_until", f"paused_until:{target}"):
            if self._outbox.fact(name):
                self._outbox.keep(name, "")

    def _settle(
        self,
        push: OpenPush,
        state: str,
        reason: str | None = None,
        words: str | None = None,
        *,
        next_try_at: str | None = None,
        attempts: int | None = None,
        doubt_begins: bool = False,
        from_state: str | None = None,
    ) -> None:
        values = {
            "communication_id": push.communication_id,
            "target": push.target,
            "from_state": from_state or push.state,
            "state": state,
            "reason": reason,
            "words": words,
            "next_try_at": next_try_at,
            "attempts": attempts,
            "doubt_begins": doubt_begins,
        }
        with self._outbox.transaction() as connection:
            clocks = {"now": iso(self._settings.now()), "really_now": iso(datetime.now(UTC))}
            run(connection, "settle_push", values | clocks)

    def _is_given_up(self, push: OpenPush, attempts: int) -> bool:
        now = self._settings.now()
        return attempts >= MAX_ATTEMPTS and now - (push.first_tried_at or now) >= MIN_AGE

    def _after(self, wait: timedelta) -> str:
        return iso(self._settings.now() + wait)


def _wait(attempts: int) -> timedelta:
    return WAITS[min(attempts, len(WAITS)) - 1]
