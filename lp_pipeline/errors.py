"""The error family: every message says what was tried, what came back, and what to do.

    PipelineError                 base class of all errors the pipeline raises on purpose
    ├── SettingsError             a setting is missing or invalid
    ├── BrokenProgram             its own code can't be imported, as in the middle of an update
    ├── WarehouseError            a DuckDB or SQLite file can't be opened, read or written
    │   └── OutOfMemory           DuckDB needs more memory than it was given
    ├── LeadPerfectionError       LeadPerfection can't be read or written
    │   ├── SignInRefused         it rejects the credentials or permissions; retrying doesn't help
    │   ├── SlowQuery             it times out on this request; a smaller window or page may work
    │   ├── NoRecords             it answers this request with something that is no page of records
    │   └── OutOfTime             the run's time limit ended before all pages were read
    └── HatchError                Hatch can't be read or written
        ├── HatchRefused          it rejects one record; other records may work
        ├── HatchStopped          it rejects every call until a setting changes
        ├── HatchUnavailable      a temporary failure that outlasted the retries
        └── HatchExportTooLarge   the export exceeds Hatch's size limit

No message contains a secret or personal data (SPEC R4). The other system's own error text goes into `words`, which is
stored in a table and never printed.
"""

from typing import Any

QUERY_INTERRUPTED = "Query interrupted"  # in the RuntimeError that DuckDB makes of Ctrl-C


class PipelineError(Exception):
    """Base class of all errors this project raises on purpose; `str(error)` is the full message for the user."""


class SettingsError(PipelineError):
    """A setting is missing, malformed or conflicts with another one; the message names it. `usable` are the `Settings`
    that say where to record the error and whom to alert, if these can be told."""

    is_elsewhere: bool = False  # only that the account's folder is on another host (SPEC A3)
    usable: Any = None


class BrokenProgram(PipelineError):
    """The program's own code can't be imported: an update has not finished, or the installation is incomplete."""

    def __init__(self, error: Exception) -> None:
        where = f" in {error.filename}, line {error.lineno}" if isinstance(error, SyntaxError) else ""
        super().__init__(
            f"The program's own code can't be loaded: {getattr(error, 'msg', error)}{where}. Perhaps an update has not "
            "finished. Finish it (`git pull`, then `make setup`) and restart `make dev`. Nothing was changed; the next "
            "sync reads what this one would have."
        )


class LeadPerfectionError(PipelineError):
    """LeadPerfection could not be read or written; `words` holds its own error text, for the ledger only."""

    def __init__(self, message: str, words: str | None = None) -> None:
        super().__init__(message)
        self.words = words


class SignInRefused(LeadPerfectionError):
    """LeadPerfection rejected the credentials or the user's permissions. Retrying does not help."""


class SlowQuery(LeadPerfectionError):
    """LeadPerfection timed out repeatedly on this request. A smaller window or page may work."""


class NoRecords(LeadPerfectionError):
    """LeadPerfection answered with something that is no page of records (SPEC W5). Other requests may work."""


class OutOfTime(LeadPerfectionError):
    """The run's time limit ended before all pages were read. Read the rest in smaller pieces."""


class WarehouseError(PipelineError):
    """A DuckDB or SQLite file could not be opened, read or written."""


class OutOfMemory(WarehouseError):
    """DuckDB needs more memory than it was given, and it can't go through a file."""


class HatchError(PipelineError):
    """Hatch could not be read or written; `words` holds its own error text, for a table only."""

    def __init__(self, message: str, words: str | None = None) -> None:
        super().__init__(message)
        self.words = words


class HatchRefused(HatchError):
    """Hatch rejected this record with HTTP `code`; `field` is its JSON pointer (`/email`), if given (SPEC D3)."""

    def __init__(self, message: str, words: str | None = None, *, code: int, field: str | None = None) -> None:
        super().__init__(message, words)
        self.code = code
        self.field = field


class HatchStopped(HatchError):
    """Hatch rejects every call with the current settings. Retrying does not help (SPEC D3)."""


class HatchUnavailable(HatchError):
    """A temporary failure outlasted the retries; `wait` is the number of seconds Hatch asked for, if any."""

    def __init__(self, message: str, words: str | None = None, *, wait: float | None = None) -> None:
        super().__init__(message, words)
        self.wait = wait


class HatchExportTooLarge(HatchError):
    """The export of these days exceeds Hatch's size limit. Half the range may work."""
