"""The forms that settings take: what a value must look like, and what to say if it does not.

Each function is a pydantic validator of one or more fields of `Settings`; it raises `ValueError` with what to write.
"""

from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

CHANNELS = ("text", "email", "call", "message")  # of a communication; the last one is any other
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)  # LeadPerfection's years (SPEC J4)
NOTE_ACTIONS = ("SalesApi/AddNotes", "Installer/AddInstallerJobNotes")  # for production notes


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def bare_url(value: str) -> str:
    """An https address without user, password, query or fragment; plain http for this machine only (SPEC R4)."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        raise ValueError("must be an address like https://api.leadperfection.com") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an address like https://api.leadperfection.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be only the address, without user, password, query or fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must start with https:// (plain http is allowed for this machine only)")
    return value.rstrip("/")


def secret_url(value: SecretStr) -> SecretStr:
    """Nothing, or an address that is itself a secret, as a webhook's is; plain http for this machine only (SPEC R4)."""
    text = value.get_secret_value().strip()
    if not text:
        return value
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a whole address that starts with https://")
    if parts.username or parts.password:
        raise ValueError("must not have a user or password in it")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must start with https:// (plain http is allowed for this machine only)")
    return SecretStr(text)


def within_calendar(moment: datetime) -> datetime:
    """The moment, or `FIRST` or `LAST` if it lies beyond: with what lies between, one can reckon in every zone."""
    return min(max(moment, FIRST), LAST)


def instant(value: object) -> object:
    """An ISO instant with its offset; `FIRST` or `LAST` for one beyond."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a date and time with an offset, such as 2026-03-02T15:00:00Z") from None
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("must be a date and time with an offset, such as 2026-03-02T15:00:00Z")
    return within_calendar(value) if isinstance(value, datetime) else value


def clock(value: object) -> object:
    """An instant that the pipeline's clock may show."""
    found = instant(value)
    if found in (FIRST, LAST):
        raise ValueError(f"must be between the years {FIRST.year} and {LAST.year}")
    return found


def field_names(value: object) -> object:
    """Plain field names in lower case, from a list separated by commas."""
    if isinstance(value, str):
        names = tuple(name.strip().lower() for name in value.split(",") if name.strip())
        if any("." in name or "[" in name for name in names):
            raise ValueError("must be field names without dots or brackets, such as salesrepname,city")
        return names
    return value


def column_names(value: object) -> object:
    """Column names, from a list separated by commas."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


def code_by_channel(value: object) -> object:
    """`O` for every channel, or `text=T,email=E,call=C`; a plain one is for the channels that are not named."""
    if not isinstance(value, str):
        return value
    codes: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        channel, equals, code = part.partition("=")
        channel, code = (channel.strip().lower(), code.strip()) if equals else ("", channel.strip())
        if channel not in ("", *CHANNELS) or not code or channel in codes:
            raise ValueError(f"must be one code, or one per channel, such as text=T,email=E ({', '.join(CHANNELS)})")
        codes[channel] = code
    return codes


def secret_of_32(value: SecretStr) -> SecretStr:
    """Nothing, or a secret of at least 32 characters (SPEC C2)."""
    if 0 < len(value.get_secret_value()) < 32:
        raise ValueError("must have at least 32 characters. Create one with: openssl rand -hex 32")
    return value


def action(value: str) -> str:
    """A read action of LeadPerfection's API with its controller, or `off`."""
    if value.lower() == "off":
        return "off"
    return value if "/" in value else f"Customers/{value}"


def note_action(value: str) -> str:
    """One of `NOTE_ACTIONS`."""
    if value not in NOTE_ACTIONS:
        raise ValueError(f"must be {' or '.join(NOTE_ACTIONS)}")
    return value


def folder(value: object) -> object:
    """A folder; a leading `~` is the home folder."""
    if isinstance(value, str):
        try:
            return Path(value).expanduser()
        except RuntimeError:
            raise ValueError("starts with ~, but that user has no home folder. Write the full path") from None
    return value
