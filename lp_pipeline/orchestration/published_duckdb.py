"""The published copy as a Dagster resource, for users' own assets. The pipeline's own steps don't use it: they get
the warehouse from the run (`resources.py`), together with the right to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field

from lp_pipeline.settings import load_settings
from lp_pipeline.storage.published import open_published, published_file


class PublishedDuckDB(DuckDBResource):
    """`published.duckdb`, read-only, for your own assets:

        @dg.asset
        def leads_by_status(published: PublishedDuckDB):
            with published.get_connection() as connection:
                return connection.sql("select status, count(*) from opportunities group by all").df()

        dg.Definitions(assets=[leads_by_status], resources={"published": PublishedDuckDB()})

    Unlike `DuckDBResource` it opens read-only, closes the file also if the block raises, and fails at once if it is not
    there. Each `get_connection` opens the newest publication. An open one never holds up a sync.
    """

    database: str = Field(
        default="", description="Path of a published.duckdb. By default that of the data folder in lp_pipeline.env."
    )

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the newest publication, in the account's time zone. Raises `WarehouseError`."""
        path = Path(self.database or published_file(load_settings()))
        with open_published(path, self.connection_config) as connection:
            yield connection
