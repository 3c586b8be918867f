"""One request and its answer, for both clients: bounded in time and size, its text as UTF-8. No retries, no meaning
beyond the transport's. What leaves here as an exception neither says nor drags along a request: those carry keys,
passwords and personal data (SPEC R4).
"""

import logging
import re
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode, urlsplit

import httpx
from pydantic import SecretStr

from lp_pipeline.clients.json_repair import as_utf8
from lp_pipeline.clients.outside import Proxy, distrust, proxy_for, trusted
from lp_pipeline.clients.retry import PermanentError, TransientError
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import FIRST, LAST, is_loopback

CONNECT_TIMEOUT = 10.0
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


# httpx logs the address of each request, and a webhook's is a secret (SPEC R4)
logging.getLogger("httpx").addFilter(lambda _record: False)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer, read whole; a text is in UTF-8, whatever it came in."""

    status: int
    body: bytes
    media_type: str = ""
    date: datetime | None = None  # the server's clock
    retry_after: str = ""
    location: str = ""
    elapsed: float = 0.0  # seconds

    @property
    def size(self) -> str:
        """What came, in safe words."""
        kind = re.sub(r"[^\w/+.-]", "", self.media_type.partition(";")[0])[:60] or "no content type"
        return f"HTTP {self.status}, {kind}, {len(self.body)} bytes"

    @property
    def wished_pause(self) -> float | None:
        """How many seconds to wait before the next try, as `Retry-After` asks; None if it doesn't, or for ever."""
        try:
            wish = float(self.retry_after)
        except ValueError:
            until = http_date(self.retry_after)
            wish = (until - (self.date or datetime.now(UTC))).total_seconds() if until else 0.0
        return wish if 0 < wish < float("inf") else None


class Exchange:
    """Requests to one address of `server` (its name in messages); follows no redirect. Threads may share one.

    `read_timeout` is how many seconds may pass without a byte, `patience` bounds a whole answer, `largest` its bytes;
    `setting` is where the address comes from. Proxies and certificates are for what is outside (R4: plain http goes
    to loopback only).
    """

    def __init__(
        self,
        server: str,
        address: str,
        transport: httpx.BaseTransport | None,
        read_timeout: float,
        patience: float,
        largest: int,
        setting: str = "the address",
    ) -> None:
        parts = urlsplit(address)
        self.host = f"{parts.scheme}://{parts.netloc}"
        self._setting = setting
        self._server = server
        self._address = address.rstrip("/")
        self._read_timeout = read_timeout
        self._patience = patience
        self._largest = largest
        self._proxy: Proxy | None = None
        self._no_way: str | None = None  # why nothing can be sent at all
        certificates, proxy = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), None
        try:
            if transport is None and parts.scheme == "https":
                certificates = trusted()
            if transport is None and not is_loopback(parts.hostname) and (found := proxy_for(parts)):
                self._proxy, proxy = found, found.for_httpx(certificates)
        except PermanentError as error:
            self._no_way = str(error)
        self._http = httpx.Client(
            transport=transport,
            verify=certificates,
            proxy=proxy,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "lp-pipeline"},
        )

    def send(
        self,
        method: str,
        path: str,
        authorization: str | None = None,
        *,
        content: bytes | None = None,
        content_type: str = JSON,
        params: Mapping[str, str] | None = None,
        time_left: float | None = None,
    ) -> Received:
        """Send one request and read its whole answer, within `time_left` seconds; raises `TransientError`, and
        `PermanentError` if there is no way to the server."""
        if self._no_way:
            raise PermanentError(self._no_way)
        patience = self._patience if time_left is None else min(self._patience, time_left)
        silence = min(self._read_timeout, patience)
        connecting = min(CONNECT_TIMEOUT, patience)
        headers = {"accept": "*/*" if content is None else JSON}
        if authorization is not None:
            headers["authorization"] = authorization
        if content is not None:
            headers["content-type"] = content_type
        request = self._http.build_request(
            method,
            f"{self._address}{path}",
            content=content,
            params=params,
            headers=headers,
            timeout=httpx.Timeout(silence, connect=connecting),
        )
        begun = time.monotonic()
        failure: TransientError | PermanentError
        try:
            return self._received(request, patience)
        except httpx.ReadTimeout:
            if time_left is not None and time.monotonic() - begun >= 0.99 * time_left:
                failure = TransientError("out_of_time", f"{self._server} did not answer within the run's time")
            else:
                failure = TransientError("slow", f"no whole answer within {silence:.0f} s", unanswered=True)
        except _TooLarge:
            failure = TransientError("garbled", f"{self._server} answered with more than {self._largest} bytes")
        except UnicodeDecodeError as error:
            what = f"{self._server} answered with bytes that are not {error.encoding}, which they are said to be"
            failure = TransientError("garbled", what)
        except httpx.DecodingError:
            failure = TransientError("garbled", f"{self._server} answered with something that can't be unpacked")
        except httpx.TransportError as error:
            failure = self._unreached(error, connecting)
        raise failure  # out here, so that the httpx error, which holds the request, is not its context

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _unreached(self, error: httpx.TransportError, connecting: float) -> TransientError | PermanentError:
        """The error for a request that was not sent or not answered; `connecting` is the time-out of that, in s."""
        causes = list(_causes(error))
        if untrusted := next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None):
            return PermanentError(distrust(untrusted, self._setting))
        if self._proxy and isinstance(error, httpx.ProxyError) and (refusal := self._proxy.refusal(str(error))):
            return PermanentError(refusal)
        never_arrived = isinstance(
            error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
        )
        late = isinstance(error, httpx.ConnectTimeout)
        reason = f"no connection within {connecting:.0f} s" if late else _reason(causes)
        if self._proxy:
            reason += f", by way of the proxy that {self._proxy.variable} names"
        return TransientError("unreachable", reason, done_nothing=never_arrived, unanswered=True)

    def _received(self, request: httpx.Request, patience: float) -> Received:
        begun = time.monotonic()
        response = self._http.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() - begun > patience:  # an answer that trickles in for ever
                    raise httpx.ReadTimeout("trickling")
                if len(body) > self._largest:
                    raise _TooLarge
            media_type = response.headers.get("content-type", "")
            return Received(
                status=response.status_code,
                body=as_utf8(bytes(body), media_type, strict=response.is_success),
                media_type=media_type,
                date=http_date(response.headers.get("date", "")),
                retry_after=response.headers.get("retry-after", ""),
                location=response.headers.get("location", ""),
                elapsed=time.monotonic() - begun,
            )
        finally:
            response.close()


class _TooLarge(Exception):
    pass


def form(fields: Mapping[str, str]) -> bytes:
    """Form fields as LeadPerfection wants them: a blank is `%20`, not `+` (contract 2)."""
    return urlencode(fields, quote_via=quote, errors="replace").encode()


def bearer(key: SecretStr, setting: str) -> str:
    """The authorization header's value; raises `SettingsError`, naming the setting, for a key that can't be sent."""
    text = key.get_secret_value()
    if not text:
        raise SettingsError(f"{setting} is not set, so nothing can be asked of Hatch. Set it in lp_pipeline.env.")
    if not text.isascii() or not text.isprintable():
        raise SettingsError(f"{setting} holds characters that no key has. Copy it again from your Hatch account.")
    return f"Bearer {text}"


def http_date(text: str) -> datetime | None:
    """The instant of a `Date` or `Retry-After` header; None if it is none, or none with which one can reckon: the last
    second of Python's calendar is an instant, but there is no later one."""
    try:
        date = parsedate_to_datetime(text)
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return date if FIRST <= date <= LAST else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(causes: Sequence[BaseException]) -> str:
    """Why no connection came about or held, in safe words: the operating system's, or ours by the kind of error."""
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    error = causes[0]
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return "no connection"
    if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError | httpx.WriteError | httpx.WriteTimeout):
        return "the connection was cut"
    return f"no exchange ({type(error).__name__})"
