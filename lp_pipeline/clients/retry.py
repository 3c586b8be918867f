"""What goes wrong for a while, and when to try again (SPEC R3): growing waits with jitter, the server's own wishes, the
run's deadline. No HTTP here; every text is safe to print and to log (SPEC R4).
"""

import logging
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import stamina

from lp_pipeline.errors import HatchUnavailable, LeadPerfectionError, SlowQuery

Kind = Literal["unreachable", "failing", "slow", "silent", "garbled", "busy", "out_of_time"]

TRIES = 6
PATIENCE: dict[Kind, int] = {"unreachable": TRIES, "failing": TRIES, "slow": 3, "silent": 3, "garbled": 3, "busy": 20}
LONGEST_WAIT = 60.0  # of the growing waits
LONGEST_WISH = 3600.0  # of the waits that LeadPerfection asks for
HATCH_TRIES = 4
HATCH_BUSY_TRIES = 8  # with waits that grow to Hatch's window, more than a minute
HATCH_LONGEST_WAIT = 10.0  # of the growing waits: Hatch's window
HATCH_LONGEST_WISH = 600.0  # of the waits that Hatch asks for

logger = logging.getLogger(__name__)
stamina.instrumentation.set_on_retry_hooks(())  # by itself it prints every retry to stdout


class Trouble(Exception):
    """One try failed in a way that may pass; `str` says how, `words` what the server said, `wish` how long to wait.

    `done_nothing`: the server surely did not act on the request, so that even a write may be sent again.
    """

    def __init__(
        self,
        kind: Kind,
        what: str,
        words: str | None = None,
        wish: float | None = None,
        *,
        done_nothing: bool = False,
    ) -> None:
        super().__init__(what)
        self.kind: Kind = kind
        self.words = words
        self.wish = wish
        self.done_nothing = done_nothing


@dataclass
class LeadPerfectionPersistence:
    """The backoff hook of one call: whether to try again after a failure, and after how many seconds."""

    deadline: float | None
    pace: float
    slow_tries: int | None = None
    begun: float = field(default_factory=time.monotonic)
    failures: Counter[Kind] = field(default_factory=Counter)
    out_of_time: bool = False

    def __call__(self, error: Exception) -> bool | float:
        """As stamina wants it: False ends, a number of seconds goes on after them."""
        if not isinstance(error, Trouble):
            return False
        self.failures[error.kind] += 1
        wait = self._wait(error)
        if wait is None:
            return False
        if self.deadline is not None and time.monotonic() + wait > self.deadline:
            self.out_of_time = True
            return False
        logger.info("LeadPerfection: %s; trying again in %.0f s", error, wait)
        return wait

    def _wait(self, error: Trouble) -> float | None:
        counted = sum(number for kind, number in self.failures.items() if kind != "busy")
        number = self.failures[error.kind]
        allowed = PATIENCE[error.kind]
        if error.kind == "slow" and self.slow_tries is not None:
            allowed = self.slow_tries
        if error.kind == "busy":
            if number >= allowed or (error.wish or 0.0) > LONGEST_WISH:
                return None
        elif counted >= TRIES or number >= allowed:
            return None
        else:
            number = counted
        wait = error.wish or min(2.0 ** (number - 1), LONGEST_WAIT)
        return (wait + random.uniform(0, min(wait / 4, 1.0))) * self.pace  # noqa: S311

    def give_up(self, error: Trouble, asked: str, host: str) -> LeadPerfectionError:
        """What the person gets to read in the end."""
        number = sum(self.failures.values()) or 1
        spent = f"{number} {'try' if number == 1 else 'tries'} in {time.monotonic() - self.begun:.0f} s"
        if self.out_of_time:
            spent += ", and the run's time is up"
        reads_on = "nothing is lost: the next sync reads the gap."
        match error.kind:
            case "unreachable":
                return LeadPerfectionError(
                    f"LeadPerfection could not be reached at {host}: {error}, {spent}. "
                    f"Check LP_API_URL and the network; {reads_on}",
                )
            case "slow":
                return SlowQuery(
                    f"LeadPerfection timed out: {error}, {spent}. "
                    f"A smaller window or LP_PAGE_SIZE may pass; {reads_on}",
                    error.words,
                )
            case "garbled":
                return LeadPerfectionError(
                    f"{error}, {spent}. Check that LP_API_URL is LeadPerfection's API address; {reads_on}", error.words
                )
            case "busy":
                return LeadPerfectionError(
                    f"LeadPerfection would not take {asked} yet: {error}, {spent}. "
                    f"Lower LP_RATE_PER_MINUTE if this goes on; {reads_on}",
                    error.words,
                )
            case "failing" | "silent" | "out_of_time":
                return LeadPerfectionError(
                    f"LeadPerfection failed: {error}, {spent}. Its words are in sync_runs.error; {reads_on}",
                    error.words,
                )


@dataclass
class HatchPersistence:
    """The backoff hook of one call: whether to try again after a failure, and after how many seconds."""

    deadline: float | None
    pace: float
    begun: float = field(default_factory=time.monotonic)
    failures: int = 0
    busy: int = 0
    out_of_time: bool = False

    def __call__(self, error: Exception) -> bool | float:
        """As stamina wants it: False ends, a number of seconds goes on after them."""
        if not isinstance(error, Trouble):
            return False
        wait = self._wait(error)
        if wait is None:
            return False
        if self.deadline is not None and time.monotonic() + wait > self.deadline:
            self.out_of_time = True
            return False
        logger.info("Hatch: %s; trying again in %.0f s", error, wait)
        return wait

    def _wait(self, error: Trouble) -> float | None:
        if error.kind == "out_of_time":
            self.out_of_time = True
            return None
        self.busy += error.kind == "busy"
        self.failures += error.kind != "busy"
        number, allowed = (self.busy, HATCH_BUSY_TRIES) if error.kind == "busy" else (self.failures, HATCH_TRIES)
        if number >= allowed or (error.wish or 0.0) > HATCH_LONGEST_WISH:
            return None
        wait = error.wish or min(2.0 ** (number - 1), HATCH_LONGEST_WAIT)
        return (wait + random.uniform(0, min(wait / 4, 1.0))) * self.pace  # noqa: S311

    def give_up(self, error: Trouble, host: str) -> HatchUnavailable:
        """What the person gets to read in the end."""
        number = self.failures + self.busy
        spent = f"{number} {'try' if number == 1 else 'tries'} in {time.monotonic() - self.begun:.0f} s"
        if self.out_of_time:
            spent += ", and the run's time is up"
        return HatchUnavailable(
            f"{explained(error, host)}, {spent}. {HATCH_ADVICE[error.kind]}", error.words, wait=error.wish
        )


HATCH_ADVICE: dict[Kind, str] = {
    "unreachable": "Check HATCH_API_URL and the network; nothing is lost: it is tried again at the next sync.",
    "failing": "Nothing is lost: it is tried again at the next sync.",
    "slow": "Nothing is lost: it is tried again at the next sync.",
    "garbled": "Check that HATCH_API_URL is Hatch's API address; nothing is lost: it is tried again at the next sync.",
    "busy": "Lower HATCH_RATE_PER_MINUTE if this goes on; nothing is lost: it is tried again at the next sync.",
    "out_of_time": "Nothing is lost: it is tried again at the next sync.",
}


def explained(error: Trouble, host: str) -> str:
    """What was tried and what came back, without an end."""
    match error.kind:
        case "unreachable":
            return f"Hatch could not be reached at {host}: {error}"
        case "failing" | "silent":
            return f"Hatch failed: {error}"
        case "slow":
            return f"Hatch timed out: {error}"
        case "garbled":
            return str(error)
        case "busy":
            return f"Hatch takes no more for now: {error}"
        case "out_of_time":
            return str(error)
