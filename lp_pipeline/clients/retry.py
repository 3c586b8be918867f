"""What goes wrong for a while, and when to try again (SPEC R3): growing waits with jitter, the server's own wishes, the
run's deadline. No HTTP here; every text is safe to print and to log (SPEC R4).
"""

import logging
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import stamina

Kind = Literal["unreachable", "failing", "slow", "silent", "garbled", "busy", "out_of_time"]

logger = logging.getLogger(__name__)
stamina.instrumentation.set_on_retry_hooks(())  # by itself it prints every retry to stdout


class TransientError(Exception):
    """One try failed in a way that may pass; `str` says how, `words` what the server said, `wish` how long to wait.

    `done_nothing`: the server surely did not act on the request, so that even a write may be sent again. `unanswered`:
    no answer of its own came, as when it is down.
    """

    def __init__(
        self,
        kind: Kind,
        what: str,
        words: str | None = None,
        wish: float | None = None,
        *,
        done_nothing: bool = False,
        unanswered: bool = False,
    ) -> None:
        super().__init__(what)
        self.kind: Kind = kind
        self.words = words
        self.wish = wish
        self.done_nothing = done_nothing
        self.unanswered = unanswered


class PermanentError(Exception):
    """No try can succeed until something changes on the way to the server: a proxy, a certificate. Nothing was sent;
    `str` says what it is and what to do, in whole sentences."""


@dataclass(frozen=True)
class Patience:
    """How often and how long one server is tried again."""

    server: str  # its name, for the log
    tries: int
    busy_tries: int  # a server that asks us to wait is there: these use up none of the others
    longest_wait: float  # seconds, of the growing waits
    longest_wish: float  # seconds, of the waits that the server asks for
    fewer_tries: Mapping[Kind, int] = field(default_factory=dict)  # for what is less likely to pass


# Hatch's growing waits end at its window of 10 s; 8 tries of a 429 take longer than a minute.
HATCH = Patience("Hatch", tries=4, busy_tries=8, longest_wait=10.0, longest_wish=600.0)
LEADPERFECTION = Patience(
    "LeadPerfection",
    tries=6,
    busy_tries=20,
    longest_wait=60.0,
    longest_wish=3600.0,
    fewer_tries={"slow": 3, "silent": 3, "garbled": 3},
)


@dataclass
class Persistence:
    """The backoff hook of one call: whether to try again after a failure, and after how many seconds.

    `deadline` is an instant of `time.monotonic()`, `pace` multiplies every wait, `slow_tries` is how often a request
    that times out is tried, if not as `patience` has it.
    """

    patience: Patience
    deadline: float | None
    pace: float
    slow_tries: int | None = None
    begun: float = field(default_factory=time.monotonic)
    failures: Counter[Kind] = field(default_factory=Counter)
    out_of_time: bool = False

    def __call__(self, error: Exception) -> bool | float:
        """As stamina wants it: False ends, a number of seconds tries again after them."""
        if not isinstance(error, TransientError):
            return False
        wait = self._wait(error)
        if wait is None:
            return False
        if self.deadline is not None and time.monotonic() + wait > self.deadline:
            self.out_of_time = True
            return False
        logger.info("%s: %s; trying again in %.0f s", self.patience.server, error, wait)
        return wait

    @property
    def spent(self) -> str:
        """What was put into it, for the message in the end: `4 tries in 12 s`."""
        number = sum(self.failures.values())
        tries = f"{number} {'try' if number == 1 else 'tries'} in {time.monotonic() - self.begun:.0f} s"
        return f"{tries}, and the run's time is up" if self.out_of_time else tries

    def _wait(self, error: TransientError) -> float | None:
        if error.kind == "out_of_time":
            self.out_of_time = True
            return None
        self.failures[error.kind] += 1
        if (error.wish or 0.0) > self.patience.longest_wish or not self._may_go_on(error.kind):
            return None
        number = self.failures["busy"] if error.kind == "busy" else self._counted
        wait = error.wish or min(2.0 ** (number - 1), self.patience.longest_wait)
        return (wait + random.uniform(0, min(wait / 4, 1.0))) * self.pace  # noqa: S311

    def _may_go_on(self, kind: Kind) -> bool:
        if kind == "busy":
            return self.failures["busy"] < self.patience.busy_tries
        allowed = self.patience.fewer_tries.get(kind, self.patience.tries)
        if kind == "slow" and self.slow_tries is not None:
            allowed = self.slow_tries
        return self._counted < self.patience.tries and self.failures[kind] < allowed

    @property
    def _counted(self) -> int:
        return self.failures.total() - self.failures["busy"]
