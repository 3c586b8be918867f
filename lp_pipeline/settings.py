"""The one place that reads the environment. Everything else is handed a `Settings` object.

Names and defaults are the SPEC's ("Names that others rely on"); `.env.example` documents each for people.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
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
}
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


def _zone(value: str) -> str:
    if value not in available_timezones():
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


def _action(value: str) -> str:
    if value.lower() == "off":
        return "off"
    return value if "/" in value else f"Customers/{value}"


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
    lp_lead_options: int = Field(60416, alias="LP_LEAD_OPTIONS", ge=0)
    lp_prospect_action: Annotated[str, AfterValidator(_action)] = Field(
        "Customers/GetProspectData", alias="LP_PROSPECT_ACTION"
    )
    lp_prospect_options: int = Field(0, alias="LP_PROSPECT_OPTIONS", ge=0)
    lp_availability: Literal["present", "strict", "identity"] = Field("present", alias="LP_AVAILABILITY")
    lp_ignore_fields: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field((), alias="LP_IGNORE_FIELDS")
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
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
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
    return Settings.model_validate({**given, **SANDBOX_ACCOUNT, **zone})


def _explain(error: ValidationError) -> str:
    problems = [
        f"{problem['loc'][0] if problem['loc'] else 'settings'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return "Some settings are not usable. " + "; ".join(problems) + ". See .env.example."
