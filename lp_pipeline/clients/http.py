"""One request and its answer: JSON or queries under a key for Hatch, forms for LeadPerfection. No retries, no meaning
beyond the transport's. What leaves here as an exception neither says nor drags along a request: those carry keys,
passwords and personal data (SPEC R4).
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import quote, urlencode, urlsplit

import httpx
from pydantic import SecretStr

from lp_pipeline.clients.retry import Trouble
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import is_loopback

CONNECT_TIMEOUT = 10.0
_certificates = cache(httpx.create_ssl_context)  # to load them for every client takes longer than many a request


@dataclass(frozen=True, slots=True)
class Received:
    """An answer, read whole."""

    status: int
    body: bytes
    media_type: str
    retry_after: str
    location: str
    date: str

    @property
    def size(self) -> str:
        """What came, in safe words."""
        kind = re.sub(r"[^\w/+.-]", "", self.media_type.partition(";")[0])[:60] or "no content type"
        return f"HTTP {self.status}, {kind}, {len(self.body)} bytes"


class Exchange:
    """Requests to one address under one key; follows no redirect. Several threads may use it at once.

    `patience` bounds a whole answer, `largest` its bytes.
    """

    def __init__(
        self,
        address: str,
        transport: httpx.BaseTransport | None,
        read_timeout: float,
        patience: float,
        largest: int,
    ) -> None:
        self.host = f"{urlsplit(address).scheme}://{urlsplit(address).netloc}"
        self._address = address.rstrip("/")
        self._read_timeout = read_timeout
        self._patience = patience
        self._largest = largest
        self._http = httpx.Client(
            transport=transport,
            verify=_certificates(),
            follow_redirects=False,
            timeout=httpx.Timeout(read_timeout, connect=CONNECT_TIMEOUT),
            trust_env=not is_loopback(urlsplit(address).hostname),  # proxies are for the outside
            headers={"user-agent": "lp-pipeline"},
        )

    def send(
        self,
        method: str,
        path: str,
        authorization: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        time_left: float | None = None,
    ) -> Received:
        """Send one request, read the answer within `time_left` seconds; raises `Trouble` if no whole answer comes."""
        patience = self._patience if time_left is None else min(self._patience, time_left)
        headers = {"authorization": authorization, "accept": "*/*" if content is None else "application/json"}
        if content is not None:
            headers["content-type"] = "application/json"
        request = self._http.build_request(
            method,
            f"{self._address}{path}",
            content=content,
            params=params,
            headers=headers,
            timeout=httpx.Timeout(min(self._read_timeout, patience), connect=min(CONNECT_TIMEOUT, patience)),
        )
        try:
            return self._received(request, patience)
        except httpx.ReadTimeout:
            trouble = Trouble("slow", f"no whole answer within {min(self._read_timeout, patience):.0f} s")
        except httpx.DecodingError:
            trouble = Trouble("garbled", "Hatch answered with something that can't be unpacked")
        except httpx.TransportError as error:
            trouble = Trouble("unreachable", _reason(error))
        raise trouble  # out here, so that the httpx error, which holds the request, is not its context

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

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
                    raise httpx.DecodingError("endless")
            return Received(
                status=response.status_code,
                body=bytes(body),
                media_type=response.headers.get("content-type", ""),
                retry_after=response.headers.get("retry-after", ""),
                location=response.headers.get("location", ""),
                date=response.headers.get("date", ""),
            )
        finally:
            response.close()


@dataclass(frozen=True, slots=True)
class FormReceived:
    """An answer, read whole."""

    status: int
    body: bytes
    media_type: str
    date: datetime | None
    retry_after: str
    location: str
    elapsed: float


class FormExchange:
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

    def post(self, path: str, fields: Mapping[str, str], token: str | None = None) -> FormReceived:
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
            late = isinstance(error, httpx.ConnectTimeout)
            reason = f"no connection within {CONNECT_TIMEOUT:.0f} s" if late else _reason(error)
            trouble = Trouble("unreachable", reason, done_nothing=never_arrived)
        raise trouble  # out here, so that the httpx error, which holds the request, is not its context

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _post(self, path: str, form: bytes, headers: dict[str, str]) -> FormReceived:
        begun = time.monotonic()
        with self._http.stream("POST", f"{self._address}{path}", content=form, headers=headers) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() - begun > 2 * self._read_timeout:  # an answer that trickles in for ever
                    raise httpx.ReadTimeout("trickling")
            return FormReceived(
                status=response.status_code,
                body=bytes(body),
                media_type=response.headers.get("content-type", ""),
                date=http_date(response.headers.get("date", "")),
                retry_after=response.headers.get("retry-after", ""),
                location=response.headers.get("location", ""),
                elapsed=time.monotonic() - begun,
            )


def bearer(key: SecretStr, setting: str) -> str:
    """The authorization header's value; raises `SettingsError`, naming the setting, for a key that can't be sent."""
    text = key.get_secret_value()
    if not text:
        raise SettingsError(f"{setting} is not set, so nothing can be asked of Hatch. Set it in lp_pipeline.env.")
    if not text.isascii() or not text.isprintable():
        raise SettingsError(f"{setting} holds characters that no key has. Copy it again from your Hatch account.")
    return f"Bearer {text}"


def http_date(text: str) -> datetime | None:
    """The instant of a `Date` or `Retry-After` header; None if it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def _reason(error: httpx.TransportError) -> str:
    """Why no connection came about or held, in safe words: the operating system's, or ours by the kind of error."""
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
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
