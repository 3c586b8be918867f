"""The one error family: every error a user can meet says what was tried, what came back and what to do.

No message carries a secret or personal data (SPEC R4): what LeadPerfection said in its own words goes into `words`,
which is stored in a table and never printed.
"""


class PipelineError(Exception):
    """Base of everything this project raises on purpose; `str(error)` is the whole message for the user."""


class SettingsError(PipelineError):
    """A setting is missing, malformed or contradicts another one; the message names it."""


class LeadPerfectionError(PipelineError):
    """LeadPerfection could not be read; `words` holds what it said, for the ledger only."""

    def __init__(self, message: str, words: str | None = None) -> None:
        super().__init__(message)
        self.words = words


class SignInRefused(LeadPerfectionError):
    """The credentials or the user's permissions are not accepted: trying again cannot help."""


class SlowQuery(LeadPerfectionError):
    """LeadPerfection timed out on this request again and again: a smaller window or page may pass."""


class OutOfTime(LeadPerfectionError):
    """The run's time was up before all was read: what is left is to be read in smaller pieces."""


class WarehouseError(PipelineError):
    """The DuckDB file could not be opened, read or written."""


class HatchError(PipelineError):
    """Hatch could not be written to or read; `words` holds what it said, for a table only."""

    def __init__(self, message: str, words: str | None = None) -> None:
        super().__init__(message)
        self.words = words


class HatchRefused(HatchError):
    """Hatch refuses this one record with HTTP `code`; `field` is its pointer (`/email`), if it gives one (SPEC D3)."""

    def __init__(self, message: str, words: str | None = None, *, code: int, field: str | None = None) -> None:
        super().__init__(message, words)
        self.code = code
        self.field = field


class HatchStopped(HatchError):
    """Hatch takes nothing from us as things are set: trying again, or with another record, cannot help (SPEC D3)."""


class HatchUnavailable(HatchError):
    """Trouble of the passing kind did not pass; `wait` is how many seconds Hatch asked for, where it did."""

    def __init__(self, message: str, words: str | None = None, *, wait: float | None = None) -> None:
        super().__init__(message, words)
        self.wait = wait


class HatchExportTooLarge(HatchError):
    """The export of these days is above Hatch's limit: half the range may pass."""
