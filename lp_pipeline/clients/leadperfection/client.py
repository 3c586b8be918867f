"""Calls to LeadPerfection: form fields in, records out; signed in, retried, kept to the rate. What the records mean,
and how pages follow each other, is decided elsewhere. One client serves one thread.
"""

import time
from collections.abc import Callable, Mapping
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
import stamina

from lp_pipeline.clients.http import FORM, Exchange, Received, form
from lp_pipeline.clients.json_shapes import Shape
from lp_pipeline.clients.leadperfection import responses
from lp_pipeline.clients.leadperfection.auth import (
    REFUSED,
    Session,
    credentials,
    credentials_refused,
    denies,
    function_refused,
    granted_session,
)
from lp_pipeline.clients.leadperfection.page import Answer, NotJson, elements
from lp_pipeline.clients.leadperfection.responses import check_permanent, check_transient
from lp_pipeline.clients.rate_limit import RateLimiter, SharedLimiter
from lp_pipeline.clients.retry import LEADPERFECTION, PermanentError, Persistence, TransientError
from lp_pipeline.errors import SettingsError, SignInRefused, SlowQuery
from lp_pipeline.settings import Settings

Result = TypeVar("Result")

LARGEST_ANSWER = 256 * 1024 * 1024  # bytes of a page: far more than any holds, far less than memory
SIGN_IN = ""  # the sign-in, where actions are keys


class Client:
    """One LeadPerfection account.

    Without a `limiter` it shares the data folder's. `pace` multiplies every wait. After `deadline`, an instant of
    `time.monotonic()`, nothing is tried again. `before_waiting` is called before each request and its turn in the rate.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        address: str | None = None,
        transport: httpx.BaseTransport | None = None,
        limiter: SharedLimiter | None = None,
        deadline: float | None = None,
        pace: float = 1.0,
        read_timeout: float = 120.0,
        before_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        if not (address := address or settings.lp_api_url):
            raise SettingsError("LP_API_URL is not set. Set it in lp_pipeline.env to your LeadPerfection's address.")
        self.start_index_counts: dict[str, str] = {}  # by action, what StartIndex was found to count: page or row
        self._settings = settings
        self._deadline = deadline
        self._pace = pace
        self._before_waiting = before_waiting
        self._limiter: SharedLimiter = limiter or RateLimiter(settings.data, settings.lp_rate_per_minute)
        self._limiter_is_own = limiter is None
        self._exchange = Exchange(
            "LeadPerfection", address, transport, read_timeout, 2 * read_timeout, LARGEST_ANSWER, "LP_API_URL"
        )
        self.host = self._exchange.host
        self._session: Session | None = None
        self._refusals: dict[str, SignInRefused] = {}  # by action; remembered, for trying again cannot help

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and the limiter if it is this client's own."""
        self._exchange.close()
        if self._limiter_is_own:
            self._limiter.close()

    @property
    def permissions(self) -> frozenset[str] | None:
        """The API functions this user may call; None before the sign-in, or where LeadPerfection doesn't say."""
        return self._session.permissions if self._session else None

    @property
    def employee_id(self) -> str | None:
        """The user's employee id; None as for `permissions`."""
        return self._session.employee_id if self._session else None

    @property
    def token_seconds(self) -> float | None:
        """For how long LeadPerfection grants a sign-in; None before it, or where LeadPerfection doesn't say."""
        return self._session.lifetime if self._session and self._session.lifetime != float("inf") else None

    def finish_by(self, deadline: float | None) -> None:
        """From now on, the instant of `time.monotonic()` after which nothing is asked any more."""
        self._deadline = deadline

    def sign_in(self) -> None:
        """Sign in now rather than at the first call."""
        self._persist("the sign-in", self._signed_in, SIGN_IN)

    def call(
        self,
        action: str,
        fields: Mapping[str, str],
        *,
        slow_tries: int | None = None,
        follows_records: bool = False,
        shape: Shape | None = None,
    ) -> Answer:
        """`POST /api/<action>`, for reading: it is repeated after every failure that may pass.

        `slow_tries` is how often a query that times out is tried, if not three times; `follows_records` and
        `shape` as in `page.elements`. Raises `LeadPerfectionError`, also for an answer that is no page of records (SPEC
        W5).
        """
        asked = action.rpartition("/")[2]
        return self._persist(asked, lambda: self._answer(action, fields, follows_records, shape), action, slow_tries)

    def write(
        self, action: str, fields: Mapping[str, str], *, before: Callable[[], None] = lambda: None
    ) -> Received | TransientError:
        """`POST /api/<action>`, for writing: sent once, and again only if LeadPerfection surely did nothing (SPEC C7).

        `before` is called each time right before the request leaves, all waiting done. The answer, or the failure that
        leaves it unknown whether LeadPerfection acted. Raises `LeadPerfectionError` if it surely did not, and
        `SignInRefused`.
        """
        asked = action.rpartition("/")[2]
        self.sign_in()

        def once() -> Received | TransientError:
            try:
                received = self._authorized(action, asked, fields, before)
                check_transient(received, asked)
            except TransientError as failure:
                if failure.done_nothing:
                    raise
                return failure
            return received

        return self._persist(asked, once, action)

    def pause(self, seconds: float) -> None:
        """Wait, at this client's pace."""
        time.sleep(seconds * self._pace)

    def _persist(self, asked: str, act: Callable[[], Result], action: str, slow_tries: int | None = None) -> Result:
        if earlier := self._refusals.get(SIGN_IN) or self._refusals.get(action):
            raise SignInRefused(str(earlier), earlier.words)
        persistence = Persistence(LEADPERFECTION, self._deadline, self._pace, slow_tries)
        try:
            for attempt in stamina.retry_context(on=persistence, attempts=None, timeout=None):
                with attempt:
                    return act()
        except (TransientError, PermanentError) as error:
            failure = error
        if isinstance(failure, PermanentError):
            raise responses.no_way(failure, self.host)
        if failure.kind == "out_of_time":
            raise responses.out_of_time(self._settings.lp_rate_per_minute)
        raise responses.gave_up(failure, asked, self.host, persistence.spent)

    def _answer(self, action: str, fields: Mapping[str, str], follows_records: bool, shape: Shape | None) -> Answer:
        asked = action.rpartition("/")[2]
        received = self._authorized(action, asked, fields)
        check_transient(received, asked)
        not_found = "Check LP_API_URL."
        if action == self._settings.lp_prospect_action:
            not_found = "Set LP_PROSPECT_ACTION to this LeadPerfection's action, or to off."
        check_permanent(received, asked, f"/api/{action}", not_found)
        try:
            found = elements(
                received.body,
                asked,
                received.status,
                received.media_type,
                follows_records=follows_records,
                shape=shape,
            )
        except NotJson as error:
            failure = TransientError("garbled", str(error), error.words)
        except SlowQuery as error:
            failure = TransientError("slow", f"{asked} was answered with an error of its own", error.words)
        else:
            texts, values = [text for text, _ in found], [value for _, value in found]
            return Answer(texts, values, self._settings.now(), received.date, received.elapsed)
        raise failure

    def _authorized(
        self, action: str, asked: str, fields: Mapping[str, str], before: Callable[[], None] | None = None
    ) -> Received:
        """The answer under a valid sign-in: a refusal, with whatever status, is met with a new one, once."""
        session = self._signed_in()
        received = self._send(f"/api/{action}", fields, session.token, before)
        if denies(received):
            session = self._signed_in(anew=True)
            received = self._send(f"/api/{action}", fields, session.token, before)
        if denies(received):
            refusal = function_refused(asked, received.status, received.body, session.permissions)
            self._refusals[action] = refusal
            raise refusal
        return received

    def _signed_in(self, *, anew: bool = False) -> Session:
        if self._session is None or anew or time.monotonic() >= self._session.renew_at:
            try:
                received = self._send("/token", credentials(self._settings))
                check_transient(received, "the sign-in")
                if received.status not in (httpx.codes.BAD_REQUEST, *REFUSED):
                    check_permanent(received, "the sign-in", "/token", "Check LP_API_URL.")
                self._session = self._granted(received)
            except TransientError as failure:
                failure.done_nothing = True  # what the sign-in was for was not sent, or was turned away
                if failure.kind == "slow":  # no smaller window would help
                    failure.kind = "silent"
                raise
        return self._session

    def _granted(self, received: Received) -> Session:
        session = granted_session(received)
        if session is None:
            refusal = credentials_refused(self.host, received.status, received.body)
            self._refusals[SIGN_IN] = refusal
            raise refusal
        return session

    def _send(
        self, path: str, fields: Mapping[str, str], token: str | None = None, before: Callable[[], None] | None = None
    ) -> Received:
        """One request. A write (one with a `before`) that has left is waited for, else its outcome would be unknown."""
        self._before_waiting()
        if not self._limiter.acquire(self._time_left()):
            raise responses.out_of_time(self._settings.lp_rate_per_minute)
        left = self._time_left()
        if before:
            before()
        return self._exchange.send(
            "POST",
            quote(path),
            None if token is None else f"Bearer {token}",
            content=form(fields),
            content_type=FORM,
            time_left=left if before is None else None,
        )

    def _time_left(self) -> float | None:
        """Seconds until the deadline; raises `OutOfTime` if there are none."""
        left = None if self._deadline is None else self._deadline - time.monotonic()
        if left is not None and left <= 0:
            raise responses.out_of_time(self._settings.lp_rate_per_minute)
        return left
