"""`Settings`: every setting of one account, typed and checked. Where the values come from is decided in `sources`.

Names and defaults are the SPEC's ("Names that others rely on"); `lp_pipeline.env.example` documents each for people.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    model_validator,
)

from lp_pipeline.settings import forms, zones

REPOSITORY = Path(__file__).resolve().parents[2]


def base_folder() -> Path:
    """Where `lp_pipeline.env` and a relative data folder are: the repository, or, for an installed package, the
    current folder."""
    return REPOSITORY if (REPOSITORY / "pyproject.toml").exists() else Path.cwd()


class Settings(BaseModel):
    """All settings of one account. Immutable; secrets print as `**********`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, populate_by_name=False)

    lp_api_url: Annotated[str, AfterValidator(forms.bare_url)] | None = Field(None, alias="LP_API_URL")
    lp_client_id: str = Field("", alias="LP_CLIENT_ID")
    lp_username: str = Field("", alias="LP_USERNAME")
    lp_password: SecretStr = Field(SecretStr(""), alias="LP_PASSWORD")
    lp_app_key: SecretStr = Field(SecretStr(""), alias="LP_APP_KEY")
    lp_timezone: Annotated[str, AfterValidator(zones.time_zone)] = Field("", alias="LP_TIMEZONE")
    lp_page_size: int = Field(50, alias="LP_PAGE_SIZE", ge=1, le=10_000)
    lp_paging: Literal["auto", "page", "row"] = Field("auto", alias="LP_PAGING")
    lp_rate_per_minute: int = Field(50, alias="LP_RATE_PER_MINUTE", ge=1)
    lp_overlap_minutes: int = Field(20, alias="LP_OVERLAP_MINUTES", ge=0, le=1440)
    lp_piece_hours: int = Field(24, alias="LP_PIECE_HOURS", ge=1, le=24 * 366)
    lp_sweep_calls: int = Field(600, alias="LP_SWEEP_CALLS", ge=10)
    lp_sweep_active_days: int = Field(30, alias="LP_SWEEP_ACTIVE_DAYS", ge=1, le=36_500)
    lp_sweep_round_days: int = Field(30, alias="LP_SWEEP_ROUND_DAYS", ge=1, le=36_500)
    lp_held_after: int = Field(25, alias="LP_HELD_AFTER", ge=0)
    lp_lead_options: int = Field(60416, alias="LP_LEAD_OPTIONS", ge=0)
    lp_prospect_action: Annotated[str, AfterValidator(forms.action)] = Field(
        "Customers/GetProspectData", alias="LP_PROSPECT_ACTION"
    )
    lp_prospect_options: int = Field(0, alias="LP_PROSPECT_OPTIONS", ge=0)
    lp_availability: Literal["present", "strict", "identity"] = Field("present", alias="LP_AVAILABILITY")
    lp_ignore_fields: Annotated[tuple[str, ...], BeforeValidator(forms.field_names)] = Field(
        (), alias="LP_IGNORE_FIELDS"
    )
    lp_employee_id: str = Field("", alias="LP_EMPLOYEE_ID")
    lp_call_type: Annotated[dict[str, str], BeforeValidator(forms.code_by_channel)] = Field({}, alias="LP_CALL_TYPE")
    lp_result_code: Annotated[dict[str, str], BeforeValidator(forms.code_by_channel)] = Field(
        {}, alias="LP_RESULT_CODE"
    )
    lp_note_length: int = Field(3500, alias="LP_NOTE_LENGTH", ge=200)
    lp_production_note_action: Annotated[str, AfterValidator(forms.note_action)] = Field(
        "SalesApi/AddNotes", alias="LP_PRODUCTION_NOTE_ACTION"
    )
    hatch_api_url: Annotated[str, AfterValidator(forms.bare_url)] = Field(
        "https://api.usehatchapp.com", alias="HATCH_API_URL"
    )
    hatch_api_key: SecretStr = Field(SecretStr(""), alias="HATCH_API_KEY")
    hatch_source: str = Field("", alias="HATCH_SOURCE")
    hatch_export_url: Annotated[str, AfterValidator(forms.bare_url)] = Field(
        "https://bulk-export-api.usehatchapp.com", alias="HATCH_EXPORT_URL"
    )
    hatch_export_key: SecretStr = Field(SecretStr(""), alias="HATCH_EXPORT_KEY")
    hatch_rate_per_minute: int = Field(600, alias="HATCH_RATE_PER_MINUTE", ge=6)
    hatch_export_minutes: float = Field(5.0, alias="HATCH_EXPORT_MINUTES", ge=0, le=1440)
    hatch_time_columns: Annotated[tuple[str, ...], BeforeValidator(forms.column_names)] = Field(
        ("occurred_at", "sent_at", "created_at", "inserted_at", "timestamp", "updated_at"), alias="HATCH_TIME_COLUMNS"
    )
    communications_from: Literal["export", "inbox"] = Field("export", alias="COMMUNICATIONS_FROM")
    inbox_secret: Annotated[SecretStr, AfterValidator(forms.secret_of_32)] = Field(SecretStr(""), alias="INBOX_SECRET")
    push_communications: bool = Field(True, alias="PUSH_COMMUNICATIONS")
    push_to_notes: bool = Field(True, alias="PUSH_TO_NOTES")
    push_to_call_logs: bool = Field(False, alias="PUSH_TO_CALL_LOGS")
    push_to_production_notes: bool = Field(False, alias="PUSH_TO_PRODUCTION_NOTES")
    push_since: Annotated[datetime, BeforeValidator(forms.instant)] | None = Field(None, alias="PUSH_SINCE")
    push_doubt_seconds: float = Field(300.0, alias="PUSH_DOUBT_SECONDS", ge=0, le=2_592_000)
    keep_runs_days: int = Field(14, alias="KEEP_RUNS_DAYS", ge=1, le=36_500)
    keep_failed_runs_days: int = Field(60, alias="KEEP_FAILED_RUNS_DAYS", ge=1, le=36_500)
    keep_readings_days: int = Field(0, alias="KEEP_READINGS_DAYS", ge=0, le=36_500)
    keep_communications_days: int = Field(730, alias="KEEP_COMMUNICATIONS_DAYS", ge=0, le=36_500)
    alert_webhook_url: Annotated[SecretStr, AfterValidator(forms.secret_url)] = Field(
        SecretStr(""), alias="ALERT_WEBHOOK_URL"
    )
    alert_format: Literal["auto", "slack", "json"] = Field("auto", alias="ALERT_FORMAT")
    heartbeat_url: Annotated[SecretStr, AfterValidator(forms.secret_url)] = Field(SecretStr(""), alias="HEARTBEAT_URL")
    late_minutes: int = Field(30, alias="ALERT_LATE_MINUTES", ge=1)
    failing_minutes: int = Field(60, alias="ALERT_FAILING_MINUTES", ge=1)
    data: Annotated[Path, BeforeValidator(forms.folder)] = Field(Path(), alias="LP_PIPELINE_DATA")
    group: str | None = Field(None, alias="LP_PIPELINE_GROUP")
    sandbox: bool = Field(True, alias="LP_PIPELINE_SANDBOX")
    fixed_now: Annotated[datetime, BeforeValidator(forms.clock)] | None = Field(None, alias="LP_PIPELINE_NOW")

    _duckdb_zone: ZoneInfo | None = PrivateAttr(None)
    _name: str = PrivateAttr("")

    @property
    def zone(self) -> ZoneInfo:
        """LeadPerfection's time zone, by the locked database."""
        return ZoneInfo(self.lp_timezone)

    @property
    def duckdb_zone(self) -> ZoneInfo | None:
        """DuckDB's reading of the zone, if a run has found that to differ: windows cover both (SPEC J5)."""
        return self._duckdb_zone

    def with_duckdb_zone(self, zone: ZoneInfo | None) -> Self:
        """The same settings, knowing DuckDB's reading of the zone."""
        copy = self.model_copy()
        copy._duckdb_zone = zone
        return copy

    @property
    def name(self) -> str:
        """The account's name in the accounts file; empty if there is none (SPEC A1)."""
        return self._name

    def of_account(self, name: str) -> Self:
        """The same settings, knowing their account's name."""
        copy = self.model_copy()
        copy._name = name
        return copy

    def instant_of(self, wall: datetime) -> datetime:
        """The instant of LeadPerfection's wall time; beyond its calendar, the first or last one."""
        return forms.within_calendar(wall.replace(tzinfo=self.zone)).astimezone(self.zone)

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
        object.__setattr__(self, "data", folder if folder.is_absolute() else base_folder() / folder)
        return self
