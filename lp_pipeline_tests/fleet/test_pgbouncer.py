"""SPEC A4: a fleet's servers as `deploy/fleet/` has them: Dagster's storages through a real PgBouncer, a Redis with a
password, a worker by its unit."""

import os
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest
import redis
import yaml
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.orchestration.fleet_redis import ADDRESS, PASSWORD_FILE, with_password
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.deploy.units import Host
from lp_pipeline_tests.drills.deployment import free_port, until
from lp_pipeline_tests.fleet.pgbouncer import PgBouncer, pgbouncer
from lp_pipeline_tests.postgres import postgres, scram_secret

pytestmark = pytest.mark.slow
DEPLOY = REPOSITORY / "deploy"
WEB_SECONDS = 15  # of the web server's queries
PASSWORD = "of-redis/with: odd@letters"


@pytest.fixture(scope="module")
def pool() -> Iterator[PgBouncer]:
    """A PgBouncer before a PostgreSQL of its own."""
    with postgres() as database, pgbouncer(database) as started:
        yield started


@pytest.fixture
def home(pool: PgBouncer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A DAGSTER_HOME whose storages are where DAGSTER_POSTGRES_URL says, at first the PgBouncer."""
    for name, value in pool.environ.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home").mkdir()
    storage = yaml.safe_load((DEPLOY / "fleet" / "dagster.yaml").read_text())["storage"]
    (tmp_path / "home" / "dagster.yaml").write_text(
        yaml.safe_dump({"storage": storage, "telemetry": {"enabled": False}})
    )
    return str(tmp_path / "home")


def test_dagster_makes_its_tables_and_keeps_runs_in_transaction_mode(pool: PgBouncer, home: str) -> None:
    """Runs, their events, a materialization and a tick's cursor come back as they were written; PostgreSQL sees a few
    lasting connections, and not one for each transaction."""

    @dg.asset
    def made() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": 3})

    with dg.DagsterInstance.from_config(home) as instance:
        runs = [dg.materialize([made], instance=instance) for _ in range(3)]
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
        latest = instance.get_latest_materialization_event(dg.AssetKey("made"))
        assert latest
        assert latest.asset_materialization
        assert latest.asset_materialization.metadata["rows"].value == 3
        instance.daemon_cursor_storage.set_cursor_values({"sensor": "7"})
        assert instance.daemon_cursor_storage.get_cursor_values({"sensor"}) == {"sensor": "7"}
        instance.delete_run(runs[0].run_id)
    assert pool.database.ask("select count(*) from runs") == [(2,)]
    assert pool.database.log().count("connection authorized: user=dagster database=postgres") < 10


def test_a_restart_of_postgresql_fails_nothing_that_begins_meanwhile(pool: PgBouncer, home: str) -> None:
    """A4: PgBouncer takes a connection without a PostgreSQL, and turns it away at its first statement. It is tried
    again for longer than Dagster would."""

    def write(client: int) -> None:
        for number in range(5):
            instance.daemon_cursor_storage.set_cursor_values({f"client {client}": str(number)})

    clients = range(8)
    with dg.DagsterInstance.from_config(home) as instance, ThreadPoolExecutor(len(clients)) as threads:
        pool.database.stop()
        writing = [threads.submit(write, client) for client in clients]
        until(lambda: "server_login_retry" in pool.log(), "nobody is turned away", patience=30)
        pool.database.start()
        assert [error for each in writing if (error := each.exception())] == []
        values = instance.daemon_cursor_storage.get_cursor_values({f"client {client}" for client in clients})
    assert values == {f"client {client}": "4" for client in clients}


def test_neither_server_knows_the_password_and_one_that_can_be_guessed_is_refused(pool: PgBouncer) -> None:
    """R4: both keep the same secret, whose few rounds are enough for a random password alone."""
    database = pool.database
    assert database.ask("select rolpassword from pg_authid where rolname = 'dagster'") == [(database.secret,)]
    kept = [path.read_text(errors="replace") for path in pool.folder.iterdir() if path.is_file()]
    assert database.secret in "".join(kept)
    assert database.password not in "".join(kept)
    with pytest.raises(subprocess.CalledProcessError) as refused:
        scram_secret("tr0ub4dor&3")
    assert "openssl rand -hex 24" in refused.value.stderr
    assert "tr0ub4dor" not in refused.value.stderr


def test_the_web_servers_limit_would_be_everybodys(pool: PgBouncer, home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sets `statement_timeout` for its session. In transaction mode the next one gets that session; so the web
    server goes to PostgreSQL itself, where its sessions are its own."""

    def limit_of_others() -> str:
        with pool.connect() as connection, connection.cursor() as cursor:
            cursor.execute("show statement_timeout")
            return str(cursor.fetchone()[0])

    for address, expected in ((pool.database.url, "0"), (pool.url, f"{WEB_SECONDS}s")):
        monkeypatch.setenv("DAGSTER_POSTGRES_URL", address)
        with dg.DagsterInstance.from_config(home) as web:
            web.optimize_for_webserver(statement_timeout=WEB_SECONDS * 1000, pool_recycle=3600, max_overflow=20)
            web.get_runs(limit=1)
            assert limit_of_others() == expected


@pytest.fixture
def redis_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    """The Redis of the compose file, by its command; a client with the password."""
    port, secret = free_port(), tmp_path / "redis_password"
    secret.write_text(f"{PASSWORD}\n")
    monkeypatch.setenv(ADDRESS, f"redis://127.0.0.1:{port}/0")
    monkeypatch.setenv(PASSWORD_FILE, str(secret))
    compose = yaml.safe_load((DEPLOY / "fleet" / "compose.yaml").read_text())
    *shell, line = compose["services"]["redis"]["command"]
    here = {"$$": "$", "/run/secrets": str(tmp_path), "printf '": f"printf 'port {port}\\nbind 127.0.0.1\\n"}
    for there, moved in here.items():
        line = line.replace(there, moved)
    with (tmp_path / "redis.log").open("wb") as log:
        server = subprocess.Popen([*shell, line], stdout=log, stderr=log, cwd=tmp_path, process_group=0)
    try:
        client = redis.Redis.from_url(with_password(f"redis://127.0.0.1:{port}/0"))
        until(lambda: _pings(client), "Redis never answers", patience=30)
        yield client
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _pings(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_a_worker_starts_by_its_unit_and_ends_by_term(
    pool: PgBouncer, redis_server: "redis.Redis", tmp_path: Path
) -> None:
    """Behind PgBouncer, with a Redis that wants a password: `home` gives it its configuration, the health check that
    the unit waits for is answered by it alone, and one signal to its main process ends all of it. No log and no
    command line has a password (R4)."""
    accounts = tmp_path / "accounts.toml"
    accounts.write_text("[accounts.albany]\nshard = 'east'\n")
    given = {
        **pool.environ,
        "FLEET_POSTGRES_URL": pool.database.url,
        "LP_PIPELINE_ACCOUNTS": str(accounts),
        ADDRESS: os.environ[ADDRESS],
    }
    (tmp_path / "run").mkdir()
    host = Host(tmp_path, tmp_path / "run", given)
    (host.settings.parent / "redis-password").write_text(PASSWORD)
    units = DEPLOY / "fleet" / "systemd"
    files = [units / "lp-pipeline-worker@.service", units / "lp-pipeline-.service.d" / "fleet.conf"]
    unit = host.start("worker@east", files)
    try:
        assert (host.state / "dagster" / "dagster.yaml").samefile(DEPLOY / "fleet" / "dagster.yaml")
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in unit.processes()]
        assert len(lines) == 3, "the worker, and its two slots"
        assert CliRunner().invoke(main, ["health", "worker@west"]).exit_code == 1
        unit.process.terminate()
        assert unit.process.wait(timeout=60) == 0
        assert unit.processes() == []
    finally:
        unit.kill()
    written = host.logs() + (tmp_path / "redis.log").read_text() + pool.log() + "".join(lines)
    assert [secret for secret in (PASSWORD, pool.database.password) if secret in written] == []
    redis_server.shutdown(nosave=True)
    unknown = CliRunner().invoke(main, ["health", "worker@east"])
    assert (unknown.exit_code, unknown.output.partition(",")[0]) == (0, "Redis does not answer")
