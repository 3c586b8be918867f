"""Dagster's runs and events in PostgreSQL: whether they are to be there, and a plain message if it can't be used.
Dagster itself reads the variable (`deploy/dagster-postgres.yaml`). The files in DAGSTER_HOME are elsewhere.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from dotenv import dotenv_values

from lp_pipeline.errors import SettingsError

VARIABLE = "DAGSTER_POSTGRES_URL"
DRIVER = "postgresql+psycopg2://"


def dagsters_variable(name: str) -> tuple[str, bool]:
    """A variable as Dagster reads it, a `.env` in the current folder first; and whether it is from there."""
    in_file = dotenv_values(".env").get(name) if Path(".env").is_file() else None
    return (in_file or os.environ.get(name) or "").strip(), bool(in_file)


def is_postgres_chosen() -> bool:
    """Whether DAGSTER_POSTGRES_URL is set. Raises `SettingsError` for one that can't work; never shows it, because it
    may hold a password (SPEC R4)."""
    url, _ = dagsters_variable(VARIABLE)
    if url and not url.startswith(DRIVER):
        raise SettingsError(
            f"{VARIABLE} must begin with {DRIVER} (the driver that Dagster uses), for example "
            f"{DRIVER}dagster@db.example.com/dagster. The password can be in the file that PGPASSFILE names."
        )
    if url and find_spec("dagster_postgres") is None:
        raise SettingsError(f"{VARIABLE} is set, but dagster-postgres is not installed: pip install dagster-postgres")
    return bool(url)


def unusable_postgres(error: BaseException) -> str | None:
    """The message for an error that PostgreSQL's driver raised, at whatever depth; None if it did not."""
    found: BaseException | None = error
    while found and not type(found).__module__.startswith("psycopg2"):
        found = found.__cause__ or found.__context__
    if found is None:
        return None
    return (
        f"Dagster keeps its runs in PostgreSQL, which can't be used now: {' '.join(str(found).split())} Start it, or "
        f"correct {VARIABLE} (and the password in the file that PGPASSFILE names). Nothing was changed; the next sync "
        "reads what this one would have."
    )
