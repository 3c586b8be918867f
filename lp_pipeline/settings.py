"""The one place that reads the environment. Everything else is handed a `Settings` object.

Names and defaults are the SPEC's ("Names that others rely on"); `.env.example` documents each for people.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from lp_pipeline.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parent.parent

SANDBOX_ACCOUNT = {
    "LP_CLIENT_ID": "sandbox",
    "LP_USERNAME": "sandbox",
    "LP_PASSWORD": "sandbox",
    "LP_APP_KEY": "sandbox",
    "LP_TIMEZONE": "America/New_York",
    "LP_RATE_PER_MINUTE": "60000",
    "LP_CALL_TYPE": "O",
    "LP_RESULT_CODE": "LM",
}
SANDBOX_HATCH = {
    "HATCH_API_KEY": "sandbox",
    "HATCH_SOURCE": "custom:leadperfection",
    "HATCH_EXPORT_KEY": "sandbox",
    "HATCH_RATE_PER_MINUTE": "60000",
    "HATCH_EXPORT_MINUTES": "0",
}
CHANNELS = ("text", "email", "call", "message")  # of a communication; the last one is any other
NOTE_ACTIONS = ("SalesApi/AddNotes", "Installer/AddInstallerJobNotes")  # for production notes
SECRETS = ("LP_PASSWORD", "LP_APP_KEY")  # blanks at their ends may be meant
CREDENTIALS = ("LP_CLIENT_ID", "LP_USERNAME", "LP_PASSWORD", "LP_APP_KEY", "LP_TIMEZONE")
HATCH_SETTINGS = ("HATCH_API_URL", "HATCH_API_KEY", "HATCH_EXPORT_URL", "HATCH_EXPORT_KEY")


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def _safe_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        raise ValueError("must be an address like https://api.leadperfection.com") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an address like https://api.leadperfection.com")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must be a bare address: no user, password, query or fragment in it")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must begin with https:// (plain http goes to this machine only)")
    return value.rstrip("/")


_known_zones = cache(available_timezones)  # reading them takes a while


def _zone(value: str) -> str:
    if value not in _known_zones():
        raise ValueError("must be an IANA time zone, such as America/New_York")
    return value


def _instant(value: object) -> object:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be an ISO instant with its offset, such as 2026-03-02T15:00:00Z") from None
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("must be an ISO instant with its offset, such as 2026-03-02T15:00:00Z")
    return value


def _names(value: object) -> object:
    if isinstance(value, str):
        names = tuple(name.strip().lower() for name in value.split(",") if name.strip())
        if any("." in name or "[" in name for name in names):
            raise ValueError("must be plain field names, separated by commas, such as salesrepname,city")
        return names
    return value


def _columns(value: object) -> object:
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    return value


def _by_channel(value: object) -> object:
    """`O` for every channel, or `text=T,email=E,call=C`; a plain one stands for the channels that are not named."""
    if not isinstance(value, str):
        return value
    codes: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        channel, equals, code = part.partition("=")
        channel, code = (channel.strip().lower(), code.strip()) if equals else ("", channel.strip())
        if channel not in ("", *CHANNELS) or not code or channel in codes:
            raise ValueError(f"must be one code, or codes by channel such as text=T,email=E ({', '.join(CHANNELS)})")
        codes[channel] = code
    return codes


def _secret_of_32(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < 32:
        raise ValueError("must have at least 32 characters; `openssl rand -hex 32` makes one")
    return value


def _action(value: str) -> str:
    if value.lower() == "off":
        return "off"
    return value if "/" in value else f"Customers/{value}"


def _note_action(value: str) -> str:
    if value not in NOTE_ACTIONS:
        raise ValueError(f"must be {' or '.join(NOTE_ACTIONS)}")
    return value


class Settings(BaseModel):
    """All settings of one account. Immutable; secrets print as `**********`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=False)

    lp_api_url: Annotated[str, AfterValidator(_safe_url)] | None = Field(None, alias="LP_API_URL")
    lp_client_id: str = Field("", alias="LP_CLIENT_ID")
    lp_username: str = Field("", alias="LP_USERNAME")
    lp_password: SecretStr = Field(SecretStr(""), alias="LP_PASSWORD")
    lp_app_key: SecretStr = Field(SecretStr(""), alias="LP_APP_KEY")
    lp_timezone: Annotated[str, AfterValidator(_zone)] = Field("UTC", alias="LP_TIMEZONE")
    lp_page_size: int = Field(50, alias="LP_PAGE_SIZE", ge=1, le=10_000)
    lp_paging: Literal["auto", "page", "row"] = Field("auto", alias="LP_PAGING")
    lp_rate_per_minute: int = Field(50, alias="LP_RATE_PER_MINUTE", ge=1)
    lp_overlap_minutes: int = Field(20, alias="LP_OVERLAP_MINUTES", ge=0, le=1440)
    lp_piece_hours: int = Field(24, alias="LP_PIECE_HOURS", ge=1, le=24 * 366)
    lp_sweep_calls: int = Field(600, alias="LP_SWEEP_CALLS", ge=10)
    lp_sweep_active_days: int = Field(30, alias="LP_SWEEP_ACTIVE_DAYS", ge=1)
    lp_sweep_round_days: int = Field(30, alias="LP_SWEEP_ROUND_DAYS", ge=1)
    lp_held_after: int = Field(25, alias="LP_HELD_AFTER", ge=0)
    lp_lead_options: int = Field(60416, alias="LP_LEAD_OPTIONS", ge=0)
    lp_prospect_action: Annotated[str, AfterValidator(_action)] = Field(
        "Customers/GetProspectData", alias="LP_PROSPECT_ACTION"
    )
    lp_prospect_options: int = Field(0, alias="LP_PROSPECT_OPTIONS", ge=0)
    lp_availability: Literal["present", "strict", "identity"] = Field("present", alias="LP_AVAILABILITY")
    lp_ignore_fields: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field((), alias="LP_IGNORE_FIELDS")
    lp_employee_id: str = Field("", alias="LP_EMPLOYEE_ID")
    lp_call_type: Annotated[dict[str, str], BeforeValidator(_by_channel)] = Field({}, alias="LP_CALL_TYPE")
    lp_result_code: Annotated[dict[str, str], BeforeValidator(_by_channel)] = Field({}, alias="LP_RESULT_CODE")
    lp_note_length: int = Field(3500, alias="LP_NOTE_LENGTH", ge=200)
    lp_production_note_action: Annotated[str, AfterValidator(_note_action)] = Field(
        "SalesApi/AddNotes", alias="LP_PRODUCTION_NOTE_ACTION"
    )
    hatch_api_url: Annotated[str, AfterValidator(_safe_url)] = Field(
        "https://api.usehatchapp.com", alias="HATCH_API_URL"
    )
    hatch_api_key: SecretStr = Field(SecretStr(""), alias="HATCH_API_KEY")
    hatch_source: str = Field("", alias="HATCH_SOURCE")
    hatch_export_url: Annotated[str, AfterValidator(_safe_url)] = Field(
        "https://bulk-export-api.usehatchapp.com", alias="HATCH_EXPORT_URL"
    )
    hatch_export_key: SecretStr = Field(SecretStr(""), alias="HATCH_EXPORT_KEY")
    hatch_rate_per_minute: int = Field(600, alias="HATCH_RATE_PER_MINUTE", ge=6)
    hatch_export_minutes: float = Field(5.0, alias="HATCH_EXPORT_MINUTES", ge=0)
    hatch_time_columns: Annotated[tuple[str, ...], BeforeValidator(_columns)] = Field(
        ("occurred_at", "sent_at", "created_at", "inserted_at", "timestamp", "updated_at"), alias="HATCH_TIME_COLUMNS"
    )
    communications_from: Literal["export", "inbox"] = Field("export", alias="COMMUNICATIONS_FROM")
    inbox_secret: Annotated[SecretStr, AfterValidator(_secret_of_32)] = Field(SecretStr(""), alias="INBOX_SECRET")
    push_communications: bool = Field(True, alias="PUSH_COMMUNICATIONS")
    push_to_notes: bool = Field(True, alias="PUSH_TO_NOTES")
    push_to_call_logs: bool = Field(False, alias="PUSH_TO_CALL_LOGS")
    push_to_production_notes: bool = Field(False, alias="PUSH_TO_PRODUCTION_NOTES")
    push_since: Annotated[datetime, BeforeValidator(_instant)] | None = Field(None, alias="PUSH_SINCE")
    push_doubt_seconds: float = Field(300.0, alias="PUSH_DOUBT_SECONDS", ge=0)
    data: Path = Field(Path(), alias="LP_PIPELINE_DATA")
    group: str | None = Field(None, alias="LP_PIPELINE_GROUP")
    sandbox: bool = Field(True, alias="LP_PIPELINE_SANDBOX")
    fixed_now: Annotated[datetime, BeforeValidator(_instant)] | None = Field(None, alias="LP_PIPELINE_NOW")

    @property
    def zone(self) -> ZoneInfo:
        """LeadPerfection's time zone."""
        return ZoneInfo(self.lp_timezone)

    @property
    def account(self) -> str:
        """The address by which the warehouse remembers whose data it holds (SPEC J5)."""
        return self.lp_api_url or "sandbox"

    @property
    def delivers(self) -> bool:
        """Whether a Hatch key is set, so that opportunities go to Hatch (SPEC D1)."""
        return bool(self.hatch_api_key.get_secret_value())

    @property
    def exports(self) -> bool:
        """Whether communications come from Hatch's Bulk Export, and its key is set (SPEC C1)."""
        return self.communications_from == "export" and bool(self.hatch_export_key.get_secret_value())

    def now(self) -> datetime:
        """The pipeline's clock, in UTC; `LP_PIPELINE_NOW` stops it at one instant."""
        return (self.fixed_now or datetime.now(UTC)).astimezone(UTC)

    @model_validator(mode="after")
    def _folder_is_absolute(self) -> Self:
        folder = self.data
        if folder == Path():
            folder = Path("data") / ("live" if self.lp_api_url else "sandbox")
        object.__setattr__(self, "data", folder if folder.is_absolute() else REPOSITORY / folder)
        return self


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment and `.env` (the environment wins); raises `SettingsError` naming what is wrong.

    Pass `environ` to use just that mapping.
    """
    if environ is None:
        environ = {**{k: v or "" for k, v in dotenv_values(REPOSITORY / ".env").items()}, **os.environ}
    given = {name: value if name in SECRETS else value.strip() for name, value in environ.items() if value.strip()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError(_explain(error)) from None
    if settings.lp_api_url:
        missing = [name for name in CREDENTIALS if name not in given]
        if missing:
            raise SettingsError(
                f"LP_API_URL is set, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not. "
                "Set it in the environment or in .env (see .env.example)."
            )
        if "HATCH_API_KEY" in given and "HATCH_SOURCE" not in given:
            raise SettingsError(
                "HATCH_API_KEY is set, but HATCH_SOURCE is not. Set it to the API name of the custom source in your "
                "Hatch account (custom:<slug>), or unset the key: nothing is sent to Hatch then."
            )
        return settings
    if not settings.sandbox:
        raise SettingsError(
            "LP_API_URL is not set, and LP_PIPELINE_SANDBOX=false forbids the sandbox. Set it and the credentials."
        )
    stray = [name for name in HATCH_SETTINGS if name in given]
    if stray:
        raise SettingsError(
            f"{' and '.join(stray)} set without LP_API_URL: the sandbox has a Hatch of its own, and made-up people "
            "must not reach a real one. Set LP_API_URL too, or unset it."
        )
    zone = {name: given[name] for name in ("LP_TIMEZONE",) if name in given}
    return Settings.model_validate({**given, **SANDBOX_ACCOUNT, **SANDBOX_HATCH, **zone})


def _explain(error: ValidationError) -> str:
    problems = [
        f"{problem['loc'][0] if problem['loc'] else 'settings'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return "Some settings are not usable. " + "; ".join(problems) + ". See .env.example."
