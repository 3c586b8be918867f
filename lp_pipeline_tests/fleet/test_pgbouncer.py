"""SPEC A4: Dagster's storages through a real PgBouncer, configured by `deploy/fleet/pgbouncer.ini`."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.fleet.pgbouncer import PgBouncer, pgbouncer
from lp_pipeline_tests.postgres import postgres

pytestmark = pytest.mark.slow
WEB_SECONDS = 15  # of the web server's queries


@pytest.fixture(scope="module")
def pool() -> Iterator[PgBouncer]:
    """A PgBouncer before a PostgreSQL of its own."""
    with postgres() as database, pgbouncer(database) as started:
        yield started


def instance_of(pool: PgBouncer, home: Path, url: str) -> dg.DagsterInstance:
    """An instance whose runs, events and schedules are behind this address."""
    home.mkdir()
    (home / "dagster.yaml").write_text(
        "".join((REPOSITORY / "deploy/dagster-postgres.yaml").read_text().partition("telemetry:")[0])
        + "telemetry: {enabled: false}\n"
    )
    os.environ.update(pool.environ, DAGSTER_POSTGRES_URL=url)
    return dg.DagsterInstance.from_config(str(home))


def test_dagster_makes_its_tables_and_keeps_runs_in_transaction_mode(
    pool: PgBouncer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run, its events, a materialization and a tick's cursor come back as they were written; PostgreSQL sees a few
    lasting connections, and not one for each transaction."""
    for name in pool.environ:
        monkeypatch.setenv(name, "")  # and back afterwards

    @dg.asset
    def made() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": 3})

    connected = pool.database.log().count("connection authorized")
    with instance_of(pool, tmp_path / "home", pool.url) as instance:
        runs = [dg.materialize([made], instance=instance) for _ in range(3)]
        assert [instance.get_run_by_id(run.run_id).status for run in runs] == [dg.DagsterRunStatus.SUCCESS] * 3  # type: ignore[union-attr]
        latest = instance.get_latest_materialization_event(dg.AssetKey("made"))
        assert latest
        assert latest.asset_materialization
        assert latest.asset_materialization.metadata["rows"].value == 3
        instance.daemon_cursor_storage.set_cursor_values({"sensor": "7"})
        assert instance.daemon_cursor_storage.get_cursor_values({"sensor"}) == {"sensor": "7"}
        instance.delete_run(runs[0].run_id)
        assert instance.get_run_by_id(runs[0].run_id) is None
    assert pool.database.ask("select count(*) from runs") == [(2,)]
    assert pool.database.log().count("connection authorized") - connected <= 5


def test_the_limit_of_the_web_servers_queries_stays_with_the_web_server(
    pool: PgBouncer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sets `statement_timeout` for its session, which in transaction mode everybody would get: hence a pool of its
    own, in session mode."""
    for name in pool.environ:
        monkeypatch.setenv(name, "")
    with instance_of(pool, tmp_path / "home", pool.web_url) as web:
        web.optimize_for_webserver(statement_timeout=WEB_SECONDS * 1000, pool_recycle=3600, max_overflow=20)
        assert web.get_runs(limit=1) == web.get_runs(limit=1)
        limits = {url: limit(pool, url) for url in (pool.url, pool.web_url)}
    assert limits == {pool.url: "0", pool.web_url: "0"}
    with instance_of(pool, tmp_path / "careless", pool.url) as web:
        web.optimize_for_webserver(statement_timeout=WEB_SECONDS * 1000, pool_recycle=3600, max_overflow=20)
        web.get_runs(limit=1)
        assert limit(pool, pool.url) == f"{WEB_SECONDS}s"  # the trap is real


def limit(pool: PgBouncer, url: str) -> str:
    """How long the next one's queries may take."""
    with pool.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("show statement_timeout")
        return str(cursor.fetchone()[0])
