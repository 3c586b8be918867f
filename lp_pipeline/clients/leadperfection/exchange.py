"""One request and its answer, and what their HTTP part means: no retries, no sign-in, no records. What leaves here as
an exception neither says nor drags along a request: those carry the password and the token (SPEC R4).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import quote, urlencode, urlsplit

import httpx

from lp_pipeline.clients.leadperfection.troubles import Trouble
from lp_pipeline.settings import is_loopback

CONNECT_TIMEOUT = 10.0
_certificates = cache(httpx.create_ssl_context)  # to load them for every client takes longer than many a request


@dataclass(frozen=True, slots=True)
class Received:
    """An answer, read whole."""

    status: int
    body: bytes
    media_type: str
    date: datetime | None
    retry_after: str
    location: str
    elapsed: float


class Exchange:
    """Posts forms to one address, follows no redirect, and sends nothing anywhere else."""

    def __init__(self, address: str, transport: httpx.BaseTransport | None, read_timeout: float) -> None:
        self._address = address
        self._read_timeout = read_timeout
        self._http = httpx.Client(
            transport=transport,
            verify=_certificates(),
            follow_redirects=False,
            timeout=httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT),
            trust_env=not is_loopback(urlsplit(address).hostname),  # proxies are for the outside
            headers={"accept": "application/json", "user-agent": "lp-pipeline"},
        )

    def post(self, path: str, fields: Mapping[str, str], token: str | None = None) -> Received:
        """Send one form; raises `Trouble` if no whole answer comes."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        form = urlencode(fields, quote_via=quote, errors="replace").encode()
        try:
            return self._post(quote(path), form, headers)
        except httpx.ReadTimeout:
            trouble = Trouble("slow", f"no answer within {self._read_timeout:.0f} s")
        except httpx.DecodingError:
            trouble = Trouble("garbled", "LeadPerfection answered with something that can't be unpacked")
        except httpx.TransportError as error:
            never_arrived = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            trouble = Trouble("unreachable", _reason(error), done_nothing=never_arrived)
        raise trouble  # out here, so that the httpx error, which holds the request, is not its context

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(self, path: str, form: bytes, headers: dict[str, str]) -> Received:
        begun = time.monotonic()
        with self._http.stream("POST", f"{self._address}{path}", content=form, headers=headers) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() - begun > 2 * self._read_timeout:  # an answer that trickles in for ever
                    raise httpx.ReadTimeout("trickling")
            return Received(
                status=response.status_code,
                body=bytes(body),
                media_type=response.headers.get("content-type", ""),
                date=_http_date(response.headers.get("date", "")),
                retry_after=response.headers.get("retry-after", ""),
                location=response.headers.get("location", ""),
                elapsed=time.monotonic() - begun,
            )


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def _reason(error: httpx.TransportError) -> str:
    """Why no connection came about or held, in safe words: the operating system's, or ours by the kind of error."""
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {CONNECT_TIMEOUT:.0f} s"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError | httpx.WriteError | httpx.WriteTimeout):
        return "the connection was cut"
    return f"no exchange ({type(error).__name__})"
