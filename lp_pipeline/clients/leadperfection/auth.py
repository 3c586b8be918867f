"""Signing in to LeadPerfection: what is sent to `/token`, what its answer means, and for how long it holds. No HTTP.
Neither the token nor the credentials show in any text or repr (SPEC R4).
"""

import re
import time
from dataclasses import dataclass, field

import httpx

from lp_pipeline.clients.http import Received
from lp_pipeline.clients.json_repair import bare, decoded
from lp_pipeline.clients.leadperfection.responses import identity, lookup, not_json, not_json_words, words
from lp_pipeline.clients.retry import TransientError
from lp_pipeline.errors import SignInRefused
from lp_pipeline.settings import Settings

CODES = (
    *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"),
    *("unsupported_grant_type", "invalid_scope", "access_denied"),
)
REFUSED = (401, 403)  # the HTTP statuses
LONGEST_REFUSAL = 10_000  # bytes; what is longer is a page
UNLOCK = "Security → User Access → (user) → Assign → Function Level Security → APISecurity → Check All → Save"

_STATUS_KEYS = ("statuscode", "status", "code", "errorcode")
_TEXT_KEYS = ("message", "messagedetail", "error", "error_description", "detail", "title")
_DENIED = re.compile(
    r"authori[sz]ation has been denied|^(error:?\s*)?unauthori[sz]ed\b|\binvalid_token\b"
    r"|\b(token|session)\b.{0,40}\b(expired|invalid|not valid)\b|\b(expired|invalid) (\w+ )?(token|session)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Session:
    """A sign-in that was accepted."""

    token: str = field(repr=False)
    renew_at: float  # of time.monotonic()
    permissions: frozenset[str] | None  # the API functions of this user, if LeadPerfection lists them
    employee_id: str | None
    lifetime: float  # seconds; infinite if LeadPerfection doesn't say


def credentials(settings: Settings) -> dict[str, str]:
    """The form that `/token` wants."""
    return {
        "grant_type": "password",
        "username": settings.lp_username,
        "password": settings.lp_password.get_secret_value(),
        "clientid": settings.lp_client_id,
        "appkey": settings.lp_app_key.get_secret_value(),
    }


def granted_session(received: Received) -> Session | None:
    """The session that the answer of `/token` grants; None if it grants none. Raises `TransientError` if a success is
    no JSON."""
    if received.status >= httpx.codes.MULTIPLE_CHOICES:
        return None
    answer = decoded(received.body)
    if answer is None and bare(received.body) not in (b"", b"null"):
        what = not_json(received.body, "the sign-in", received.status, received.media_type)
        raise TransientError("garbled", what, not_json_words(received.body))
    token = lookup(answer, "access_token")
    if not isinstance(token, str) or not token or not all("!" <= each <= "~" for each in token):
        return None
    try:
        lifetime = float(str(lookup(answer, "expires_in")))
    except ValueError:
        lifetime = float("inf")
    user = lookup(answer, "user_data")
    if isinstance(user, str):
        user = decoded(user.encode("utf-8", "replace"))
    functions = lookup(user, "settings")
    employee = lookup(user, "emp_id")
    return Session(
        token=token,
        renew_at=time.monotonic() + lifetime - min(lifetime / 10, 300.0),
        permissions=frozenset(map(str, functions)) if isinstance(functions, list) else None,
        employee_id=str(employee).strip() or None if isinstance(employee, str | int) else None,
        lifetime=lifetime,
    )


def credentials_refused(host: str, status: int, body: bytes) -> SignInRefused:
    """The error for a sign-in that `/token` turns down."""
    code = lookup(decoded(body), "error")
    said = f"HTTP {status}, {code}" if code in CODES else f"HTTP {status}"
    return SignInRefused(
        f"LeadPerfection refused the sign-in at {host} ({said}). Check LP_CLIENT_ID, LP_USERNAME, LP_PASSWORD and "
        "LP_APP_KEY, and LP_API_URL too: a company is on exactly one of LeadPerfection's hosts.",
        words(body),
    )


def denies(received: Received) -> bool:
    """Whether an answer turns the token away: by its status, or by an error body with HTTP 200 (contract 1 and 6)."""
    if received.status in REFUSED:
        return True
    if received.status >= 300 or len(received.body) > LONGEST_REFUSAL:
        return False
    value = decoded(received.body)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    inner = lookup(value, "error")
    return _says_denied(value) or _says_denied(inner)


def _says_denied(value: object) -> bool:
    if isinstance(value, str):
        return bool(_DENIED.search(value))
    if not isinstance(value, dict) or identity(value) is not None:
        return False
    if any(str(lookup(value, name)).strip() in ("401", "403") for name in _STATUS_KEYS):
        return True
    return any(_DENIED.search(text) for name in _TEXT_KEYS if isinstance(text := lookup(value, name), str))


def function_refused(function: str, status: int, body: bytes, permissions: frozenset[str] | None) -> SignInRefused:
    """The error for a function that is turned down although the sign-in was new."""
    missing = ""
    if permissions is not None and function.casefold() not in {each.casefold() for each in permissions}:
        missing = f" {function} is missing among the {len(permissions)} functions that it lists for this user."
    return SignInRefused(
        f"LeadPerfection refuses {function} to this user, even after a new sign-in (HTTP {status}).{missing} "
        f"In LeadPerfection open {UNLOCK}, then run again.",
        words(body),
    )
