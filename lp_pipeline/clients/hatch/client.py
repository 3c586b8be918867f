"""Calls to Hatch: upserts, retried and kept to the rate, and exports, asked for once (contracts 1 and 2). What is sent,
to whom, and what became of it is decided and remembered elsewhere.
"""

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Self

import httpx
import msgspec
import stamina

from lp_pipeline.clients.hatch import responses
from lp_pipeline.clients.hatch.export_zip import LARGEST, LONGEST_RANGE, BadExport, DataSource, unpacked
from lp_pipeline.clients.hatch.responses import check_transient
from lp_pipeline.clients.http import Exchange, Received, bearer
from lp_pipeline.clients.rate_limit import Limiter, SlidingWindow
from lp_pipeline.clients.retry import HATCH, PermanentError, Persistence, TransientError
from lp_pipeline.errors import HatchError, HatchExportTooLarge, HatchStopped, HatchUnavailable
from lp_pipeline.settings import Settings

UPSERT = "/v1/contacts"
EXPORT = "/api/v1/export-data"
UPSERT_TIMEOUT = 30.0  # seconds without a byte; so much for a whole answer too
EXPORT_TIMEOUT = 120.0
EXPORT_PATIENCE = 600.0  # seconds for a whole export
LARGEST_ANSWER = 1024 * 1024  # bytes of an upsert's


class HatchClient:
    """One Hatch account; several threads may share a client.

    Without a `limiter` it keeps to `HATCH_RATE_PER_MINUTE` by itself. `pace` multiplies every wait between tries. After
    `deadline`, an instant of `time.monotonic()`, nothing is tried any more. `before_waiting` is called before each
    request and its turn in the rate, by whichever thread sends it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        address: str | None = None,
        export_address: str | None = None,
        transport: httpx.BaseTransport | None = None,
        limiter: Limiter | None = None,
        deadline: float | None = None,
        pace: float = 1.0,
        read_timeout: float | None = None,
        before_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._deadline = deadline
        self._pace = pace
        self._before_waiting = before_waiting
        self._limiter: Limiter = limiter or SlidingWindow(settings.hatch_rate_per_minute)
        patience = read_timeout or UPSERT_TIMEOUT
        self._upserts = Exchange(
            "Hatch",
            address or settings.hatch_api_url,
            transport,
            patience,
            patience,
            LARGEST_ANSWER,
            "HATCH_API_URL",
        )
        self._exports = Exchange(
            "Hatch",
            export_address or settings.hatch_export_url,
            transport,
            read_timeout or EXPORT_TIMEOUT,
            5 * read_timeout if read_timeout else EXPORT_PATIENCE,
            LARGEST,
            "HATCH_EXPORT_URL",
        )
        self._stopped: HatchStopped | None = None  # remembered, for no other upsert can fare better

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._upserts.close()
        self._exports.close()

    def upsert(self, body: Mapping[str, Any]) -> str:
        """`PUT /v1/contacts`; the Hatch contact's id. It is repeated after every failure that may pass, for it may be.

        Raises `HatchRefused` if Hatch won't have this record, `HatchStopped` if it will have none (then at once for
        every later upsert too), `HatchUnavailable` if the failure did not pass, `SettingsError` without a usable key.
        """
        authorization = bearer(self._settings.hatch_api_key, "HATCH_API_KEY")
        content = msgspec.json.encode(body)
        persistence = Persistence(HATCH, self._deadline, self._pace)
        try:
            for attempt in stamina.retry_context(on=persistence, attempts=None, timeout=None):
                with attempt:
                    return self._upserted(content, authorization)
        except (TransientError, PermanentError) as error:
            failure = error
        if isinstance(failure, PermanentError):
            raise responses.no_way(failure, self._upserts.host)
        raise responses.gave_up(failure, self._upserts.host, persistence.spent)

    def knock(self) -> Received:
        """What a GET of the upsert's address brings: contract 1 knows none, so it shows that Hatch is there and, if it
        is turned away for its key, that. Raises `HatchUnavailable`, `SettingsError` without a usable key."""
        authorization = bearer(self._settings.hatch_api_key, "HATCH_API_KEY")
        try:
            return self._upserts.send("GET", UPSERT, authorization, time_left=self._time_left())
        except PermanentError as error:
            raise responses.no_way(error, self._upserts.host) from None
        except TransientError as error:
            raise responses.gave_up(error, self._upserts.host, "1 try") from None

    def export(self, data_source: DataSource, start: date, end: date) -> list[bytes]:
        """The lines of `GET /api/v1/export-data` for these days, both included; one attempt: Hatch allows one in 5 min.

        Raises `HatchExportTooLarge` if half the range is to be asked for, `HatchStopped` if nothing but a change of the
        settings helps, `HatchUnavailable` for all that may pass, `SettingsError` without a usable key, and `ValueError`
        for a range that is inverted or longer than 180 days.
        """
        if not 0 <= (end - start).days < LONGEST_RANGE:
            raise ValueError(f"an export covers 1 to {LONGEST_RANGE} days")
        authorization = bearer(self._settings.hatch_export_key, "HATCH_EXPORT_KEY")
        days = {"data_source": data_source, "start_date": start.isoformat(), "end_date": end.isoformat()}
        asked = f"the export of {data_source} from {start} to {end}"
        self._before_waiting()
        try:
            received = self._exports.send("GET", EXPORT, authorization, params=days, time_left=self._time_left())
            check_transient(received, asked)
            return _exported(received, asked)
        except (TransientError, PermanentError) as error:
            failure = error
        if isinstance(failure, PermanentError):
            raise responses.no_way(failure, self._exports.host)
        address = "HATCH_EXPORT_URL"
        raise HatchUnavailable(
            f"{responses.explained(failure, self._exports.host)}. Nothing is lost: the export is asked for again later"
            f"{f'; check {address} if this continues' if failure.kind in ('unreachable', 'garbled') else ''}.",
            failure.words,
            wait=failure.wish,
        )

    def _upserted(self, content: bytes, authorization: str) -> str:
        """One try."""
        if self._stopped is not None:
            raise HatchStopped(str(self._stopped), self._stopped.words)
        self._before_waiting()
        if not self._limiter.acquire(self._time_left()):
            raise TransientError("out_of_time", "HATCH_RATE_PER_MINUTE allows no further upsert within the run's time")
        received = self._upserts.send("PUT", UPSERT, authorization, content=content, time_left=self._time_left())
        check_transient(received, "the upsert")
        if not 200 <= received.status < 300:
            refusal: HatchError = responses.upsert_refused(received.status, received.body, received.location)
            if isinstance(refusal, HatchStopped):
                self._stopped = refusal
            raise refusal
        found = responses.contact_id(received.body)
        if found is None:
            what = "JSON without a contact's id" if responses.is_json(received.body) else "something that is not JSON"
            said = responses.words(received.body)
            raise TransientError("garbled", f"Hatch answered the upsert with {what} ({received.size})", said)
        return found

    def _time_left(self) -> float | None:
        """Seconds until the deadline; raises `TransientError` if there are none."""
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TransientError("out_of_time", "Hatch was not asked any more")
        return left


def _exported(received: Received, asked: str) -> list[bytes]:
    status, said = received.status, responses.words(received.body)
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        raise HatchExportTooLarge(
            f"Hatch says that {asked} is too large (HTTP 413: above 100 MB). Ask for half the range.", said
        )
    if not 200 <= status < 300:
        raise responses.stopped(
            asked, status, said, received.location, key="HATCH_EXPORT_KEY", address="HATCH_EXPORT_URL"
        )
    try:
        return unpacked(received.body)
    except BadExport as error:
        reason = str(error)
    words = None if received.body.startswith(b"PK") else said
    raise TransientError(
        "garbled", f"Hatch answered {asked} with something that is no export ({received.size}): {reason}", words
    )
