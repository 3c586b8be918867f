"""`published.duckdb` opened for reading: the one way for the command line, notebooks and users' own Dagster assets.

What is in the file, and when it is replaced, is decided by `publish.py`.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.warehouse import attach

if TYPE_CHECKING:
    import pandas as pd

PATIENCE_SECONDS = 5.0
IF_HELD = "End that program: it opened the file for writing. `lp-pipeline sync` puts a new copy in its place."


@contextmanager
def open_published(
    path: Path, config: Mapping[str, Any] | None = None, *, patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the newest publication, closed at the end of the block, however that ends.

    The session's time zone is the account's. `config` is for DuckDB (`memory_limit`, `threads`, ...). The file is
    attached to a DuckDB instance of its own: `duckdb.connect(path)` shares one instance per path in a process, and so
    shows an old publication as long as anything in the process has one open.
    Raises `WarehouseError` if there is no such file, or it can't be opened, or is held open for writing.
    """
    with duckdb.connect(config=dict(config or {})) as connection:
        try:
            found = path.exists()
            if found:
                attach(connection, path, "as published (read_only)", patience_seconds=patience_seconds, if_held=IF_HELD)
                connection.execute("use published")
                ((zone,),) = connection.execute("select leadperfection_timezone from published").fetchall()
                connection.execute("set timezone = $zone", {"zone": zone})
        except (duckdb.Error, OSError) as error:
            raise WarehouseError(f"Could not open {path}: {_advice(error)}") from None
        if not found:
            raise WarehouseError(
                f"Nothing is published yet: {path} does not exist. Run `lp-pipeline sync` first, or check "
                "LP_PIPELINE_DATA."
            )
        yield connection


def published_file(settings: Settings) -> Path:
    """Where the published copy of a data folder is."""
    return settings.data / "published.duckdb"


def published(
    sql: str = "from opportunities",
    parameters: Mapping[str, Any] | Sequence[Any] | None = None,
    *,
    path: str | Path | None = None,
) -> "pd.DataFrame":
    """The rows of a query as a DataFrame, for notebooks: `lp_pipeline.published("from leads")`.

    Each call opens the newest publication and closes it again, so the second run of a cell sees new data and no sync
    ever waits for a notebook. `parameters` are bound to `?` or `$name`. `path` is a `published.duckdb`, by default
    that of the data folder in the settings. Timestamps are in the account's time zone; pandas shows decimals as floats.
    Raises `WarehouseError` if nothing is published yet, `duckdb.Error` for a mistake in the query.
    """
    # a misspelled table is a mistake, not the name of some variable that happens to hold a DataFrame
    with open_published(
        Path(path or published_file(load_settings())), {"python_enable_replacements": False}
    ) as connection:
        found = connection.execute(sql, parameters)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # DuckDB's own way of calling pandas 3.1
            return found.df()


def _advice(error: Exception) -> str:
    if "permission denied" in str(error).lower():
        return (
            "you may not read it. Ask the owner of the data folder to set LP_PIPELINE_GROUP, or run this as the owner."
        )
    return "it is not as the last sync left it. Run `lp-pipeline sync`: it builds a new copy."
