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


class WarehouseError(PipelineError):
    """The DuckDB file could not be opened, read or written."""
