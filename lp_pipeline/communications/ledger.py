"""The ledger of pushes, `communication_pushes`: its states, and every step from one to the next, each one durable
transaction (SPEC C4, C7, C8). Nothing is sent here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from lp_pipeline.communications.payloads import Letter
from lp_pipeline.communications.targets import (
    SWITCHES,
    Overrides,
    switches,
    targets_on,
)
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row, instant_of, iso, run

SANDBOX_SINCE = timedelta(days=3)  # so that there is something to see
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
MOST_TRIES, LONGEST = 8, timedelta(days=1)
UNMATCHED_WAITS, UNMATCHED_FOR = (timedelta(minutes=1), timedelta(hours=1)), timedelta(days=30)
PAUSE = timedelta(minutes=15)  # of the sensor, after something that a person has to mend
SHORT_PAUSE = timedelta(minutes=5)  # after trouble that may pass
NEVER = "9999"
RECOVERED_AT, REALLY_RECOVERED_AT = "recovered_at", "really_recovered_at"  # R5, by the two clocks


class Withdrawn(Exception):
    """A person has settled this push while the run was at it: it is not sent."""


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


def open_pushes(outbox: Outbox, settings: Settings, targets: Sequence[str], *, due_only: bool) -> list[Row]:
    """The rows to work on: each with its communication, in the order in which to try them."""
    values = {"now": iso(settings.now()), "due_only": due_only, "targets": json.dumps(targets)}
    return outbox.rows("open_pushes", values)


class Ledger:
    """Writes the steps of pushes down."""

    def __init__(self, outbox: Outbox, settings: Settings) -> None:
        self._outbox = outbox
        self._settings = settings

    def claim(self, row: Row, letter: Letter) -> None:
        """Fix what goes out, and say so on disk, right before it is sent; raises `Withdrawn`."""
        with self._outbox.transaction() as connection:
            now, really_now = iso(self._settings.now()), iso(datetime.now(UTC))
            attempts = row["attempts"] + 1
            self._claim(connection, row, letter, attempts, doubt_since=now, doubt_really_since=really_now)

    def look_first(self, row: Row, letter: Letter) -> None:
        """Fix what would go out and put it in doubt, unsent: it may have been sent before an older copy of the ledger
        was restored (SPEC R5). The doubt began when that was told. Raises `Withdrawn`."""
        since, really_since = (self._outbox.fact(name) or "" for name in (RECOVERED_AT, REALLY_RECOVERED_AT))
        with self._outbox.transaction() as connection:
            attempts = row["attempts"]
            self._claim(connection, row, letter, attempts, doubt_since=since, doubt_really_since=really_since)
            run(connection, "stop_looking_for", {"communication_id": row["communication_id"], "target": row["target"]})

    def _claim(self, connection: Any, row: Row, letter: Letter, attempts: int, **doubt: str) -> None:
        values = {"from_state": _found_in(row), "attempts": attempts}
        clock = {"now": iso(self._settings.now()), **doubt}
        if not run(connection, "claim_push", {**asdict(letter), **values, **clock}):
            raise Withdrawn

    def sent(self, row: Row) -> None:
        """LeadPerfection has it."""
        self._settle(row, "sent")

    def in_doubt(self, row: Row, why: str, words: str | None) -> None:
        """Nobody knows whether LeadPerfection has it: from now on it waits to be looked up."""
        again = self._settings.now() + _wait(row["attempts"]) if row["attempts"] else None
        self._settle(row, "sending", why, words, doubt_begins=True, next_try_at=again)

    def not_sent(self, row: Row) -> None:
        """LeadPerfection surely did nothing, for a reason that is not this push's: it was no try."""
        self._settle(row, "pending", attempts=row["attempts"], from_state="sending")

    def refused(self, row: Row, why: str, words: str | None) -> str:
        """LeadPerfection refused it: try again later, or, after 8 tries over a day, not by itself; the new state."""
        tries = row["attempts"] + 1
        state = "failed" if self._is_given_up(row, tries) else "pending"
        again = None if state == "failed" else self._settings.now() + _wait(tries)
        self._settle(row, state, f"refused ({why})", words, next_try_at=again)
        return state

    def not_shown(self, row: Row) -> str:
        """LeadPerfection does not show the prospect, so that it can't be looked up: later, or for a person."""
        tries = row["attempts"] + 1
        state = "uncertain" if self._is_given_up(row, tries) else "sending"
        again = None if state == "uncertain" else self._settings.now() + _wait(tries)
        self._settle(row, state, "not_shown", next_try_at=again, attempts=tries)
        return state

    def not_there(self, row: Row) -> str:
        """It was looked up and is not in LeadPerfection: to be sent again, word for word, if not often enough yet."""
        state = "failed" if self._is_given_up(row, row["attempts"]) else "pending"
        self._settle(row, state, "not_found_in_leadperfection", row["words"])
        return state

    def uncertain(self, row: Row) -> None:
        """It can't be known whether LeadPerfection has it: a person decides."""
        self._settle(row, "uncertain", "cannot_be_read_back")

    def unmatched(self, row: Row, why: str) -> None:
        """No one prospect was found: tried again for 30 days (SPEC C5), soon at first: it may be about to be read."""
        now = self._settings.now()
        age = now - instant_of(row["first_seen_at"])
        soonest, latest = UNMATCHED_WAITS
        again = now + min(max(age, soonest), latest) if age < UNMATCHED_FOR else None
        self._settle(row, "unmatched", why, next_try_at=again, for_ever=again is None)

    def skipped(self, row: Row, why: str) -> None:
        """It does not go to this target."""
        self._settle(row, "skipped", why)

    def pause(self, why: str, target: str | None = None, *, short: bool = False) -> None:
        """Tell the sensor to wait before the next push, and people why; a push that a person starts does not wait."""
        suffix = f":{target}" if target else ""
        self._outbox.keep(f"paused_until{suffix}", iso(self._settings.now() + (SHORT_PAUSE if short else PAUSE)))
        self._outbox.keep(f"stopped{suffix}", why)

    def went_through(self, target: str) -> None:
        """LeadPerfection took one: what was said of a pause holds no more."""
        for name in ("stopped", f"stopped:{target}", "paused_until", f"paused_until:{target}"):
            if self._outbox.fact(name):
                self._outbox.keep(name, "")

    def _settle(
        self,
        row: Row,
        state: str,
        reason: str | None = None,
        words: str | None = None,
        *,
        next_try_at: datetime | None = None,
        attempts: int | None = None,
        doubt_begins: bool = False,
        for_ever: bool = False,
        from_state: str | None = None,
    ) -> None:
        values = {
            "communication_id": row["communication_id"],
            "target": row["target"],
            "from_state": from_state or _found_in(row),
            "state": state,
            "reason": reason,
            "words": words,
            "next_try_at": NEVER if for_ever else iso(next_try_at) if next_try_at else None,
            "attempts": attempts,
            "doubt_begins": doubt_begins,
        }
        self._run("settle_push", values)

    def _is_given_up(self, row: Row, tries: int) -> bool:
        first = instant_of(row["first_tried_at"]) if row["first_tried_at"] else self._settings.now()
        return tries >= MOST_TRIES and self._settings.now() - first >= LONGEST

    def _run(self, name: str, values: Mapping[str, Any]) -> list[Row]:
        with self._outbox.transaction() as connection:
            clocks = {"now": iso(self._settings.now()), "really_now": iso(datetime.now(UTC))}
            return run(connection, name, {**values, **clocks})


def _wait(tries: int) -> timedelta:
    return WAITS[min(tries, len(WAITS)) - 1]


def _found_in(row: Row) -> str:
    """The state in which a run found a push; one that it looked up in vain is pending by now."""
    return "pending" if row["state"] == "sending" else str(row["state"])
