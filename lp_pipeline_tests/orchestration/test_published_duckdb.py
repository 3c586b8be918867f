"""The published copy in users' own Dagster assets (SPEC Q1, R2)."""

import dagster as dg
import duckdb
import pytest
from dagster_duckdb import DuckDBResource

from lp_pipeline import PublishedDuckDB
from lp_pipeline.errors import WarehouseError
from lp_pipeline_tests.scenario import Scenario
from lp_pipeline_tests.storage.test_published import publication


@dg.asset
def lead_ids(published: PublishedDuckDB) -> dg.MaterializeResult[None]:
    """An asset as the README shows it."""
    with published.get_connection() as connection:
        rows = connection.sql("select external_id from opportunities order by 1").fetchall()
        zone = connection.sql("select current_setting('timezone')").fetchall()
    return dg.MaterializeResult(metadata={"ids": [row[0] for row in rows], "zone": zone[0][0]})


def metadata(scenario: Scenario) -> dict[str, object]:
    """What the asset saw when it was materialized."""
    database = str(scenario.warehouse.published)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [lead_ids], instance=instance, resources={"published": PublishedDuckDB(database=database)}
        )
    (event,) = result.asset_materializations_for_node("lead_ids")
    return {name: value.value for name, value in event.metadata.items()}


def test_an_asset_of_ones_own_reads_the_newest_publication(scenario: Scenario) -> None:
    """In the account's time zone; a connection that is open stops no publication, and the next one sees it."""
    publication(scenario, "10")
    with PublishedDuckDB(database=str(scenario.warehouse.published)).get_connection() as kept:
        assert metadata(scenario) == {"ids": ["10"], "zone": "America/New_York"}
        publication(scenario, "10", "11")
        assert metadata(scenario)["ids"] == ["10", "11"]
        assert kept.sql("select count(*) from opportunities").fetchall() == [(1,)]


def test_it_is_the_data_folders_unless_a_path_is_given(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings are read when it is opened, not when the definitions load."""
    resource = PublishedDuckDB(connection_config={"threads": 1})
    publication(scenario, "10")
    monkeypatch.setenv("LP_PIPELINE_DATA", str(scenario.folder))
    with resource.get_connection() as connection:
        assert connection.sql("select current_setting('threads')").fetchall() == [(1,)]


def test_it_does_what_duckdbs_own_resource_does_not(scenario: Scenario) -> None:
    """Closed if the block raises, and fails at once where nothing is; assets that take a `DuckDBResource` take it."""
    path = publication(scenario, "10")
    resource = PublishedDuckDB(database=str(path))
    assert isinstance(resource, DuckDBResource)
    with pytest.raises(ZeroDivisionError), resource.get_connection() as connection:
        raise ZeroDivisionError
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")
    path.unlink()
    with pytest.raises(WarehouseError, match="does not exist"), resource.get_connection():
        pass
