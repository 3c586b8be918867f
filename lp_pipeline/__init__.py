"""A two-way sync between LeadPerfection and Hatch: a Dagster pipeline over DuckDB.

For your own code: `published(sql)` is a DataFrame of the published data, `PublishedDuckDB` a Dagster resource.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lp_pipeline.settings.zones import use_locked_database

if TYPE_CHECKING:
    from lp_pipeline.orchestration.published_duckdb import PublishedDuckDB
    from lp_pipeline.storage.published import published

__all__ = ["PublishedDuckDB", "published"]

_MODULES = {"PublishedDuckDB": "orchestration.published_duckdb", "published": "storage.published"}

use_locked_database()


def __getattr__(name: str) -> Any:
    """Imported at first use: the command line needs neither Dagster nor DuckDB to show its help."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
