"""Dagster's storage in PostgreSQL: how it is chosen, and what is said if it can't be used (SPEC R4)."""

import os
import shlex
import subprocess
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from lp_pipeline.cli.home import _configure
from lp_pipeline.cli.main import main
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings.package_data import package_data
from lp_pipeline_tests.postgres import postgres

SECRET = "hunter2-hunter2"


def run(folder: Path, *command: str, **environ: str) -> Result:
    """One of our commands in that folder, with the home `home`."""
    given = {"DAGSTER_HOME": str(folder / "home"), "DAGSTER_POSTGRES_URL": None, "LP_PIPELINE_SETTINGS": None}
    with chdir(folder):
        return CliRunner().invoke(main, command or ["home"], env={**given, "LP_API_URL": None, **environ})


def test_the_configuration_is_the_ordinary_one_but_for_the_storage() -> None:
    """R1: killed runs are ended there, too; nothing of one file is forgotten in the other."""
    ordinary, on_postgres = (
        yaml.safe_load(package_data(name).read_text()) for name in ("dagster.yaml", "deploy/dagster-postgres.yaml")
    )
    assert on_postgres.pop("storage") == {"postgres": {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}}
    assert on_postgres == ordinary


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "mysql"])
def test_an_address_for_another_driver_is_refused(tmp_path: Path, scheme: str) -> None:
    """R4: by its beginning, without showing the password that may be in it."""
    refused = run(tmp_path, DAGSTER_POSTGRES_URL=f"{scheme}://dagster:{SECRET}@db.example.com/dagster")
    assert refused.exit_code == 1
    assert "DAGSTER_POSTGRES_URL must begin with postgresql+psycopg2://" in refused.output
    assert SECRET not in refused.output
    assert not (tmp_path / "home" / "dagster.yaml").exists()


def test_a_shell_without_the_variable_does_not_begin_another_history(tmp_path: Path) -> None:
    """Whoever forgets it gets one message; its command returns to files."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").symlink_to(package_data("deploy/dagster-postgres.yaml"))
    refused = run(tmp_path)
    assert refused.exit_code == 1
    assert "DAGSTER_POSTGRES_URL is not set" in refused.output
    subprocess.run(["/bin/sh", "-c", refused.output.rpartition("history of runs:  ")[2]], check=True)
    assert (home / "dagster.yaml").samefile(package_data("dagster.yaml"))


def test_a_home_of_a_fleet_gets_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPEC A4: with Redis's address it is that of the workers; a shell without it is refused, and changes nothing."""
    configuration = tmp_path / "dagster.yaml"
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "postgresql+psycopg2://dagster@db.example.com/dagster")
    monkeypatch.setenv("FLEET_REDIS_URL", "redis://redis.example.com:6379/0")
    for before in ("dagster.yaml", "deploy/dagster-postgres.yaml"):
        configuration.unlink(missing_ok=True)
        configuration.symlink_to(package_data(before))
        _configure(tmp_path, is_ours=False)
        assert configuration.samefile(package_data("deploy/fleet/dagster.yaml"))
    monkeypatch.delenv("FLEET_REDIS_URL")
    with pytest.raises(SettingsError, match="FLEET_REDIS_URL is not set"):
        _configure(tmp_path, is_ours=False)
    assert configuration.samefile(package_data("deploy/fleet/dagster.yaml"))


@pytest.mark.slow
def test_a_home_is_moved_to_postgres_and_an_outage_is_one_message(tmp_path: Path) -> None:
    """The link changes and says so; one's own configuration stays, with a warning; R4: no password in any message."""
    home = tmp_path / "home"
    home.mkdir()
    configuration = home / "dagster.yaml"
    configuration.symlink_to(package_data("dagster.yaml"))
    with postgres() as server:
        moved = run(tmp_path, **server.environ)
        assert moved.exit_code == 0, moved.output
        assert "From now on Dagster keeps its runs in PostgreSQL" in moved.output
        assert configuration.samefile(package_data("deploy/dagster-postgres.yaml"))
        assert server.ask("select count(*) > 20 from pg_tables where schemaname = 'public'") == [(True,)]
        assert run(tmp_path, **server.environ).output == ""
        password = server.password
        server.passfile.write_text(server.passfile.read_text().replace(password, SECRET))
        os.environ.pop("PGPASSWORD", None)
        for expected in ("password authentication failed", "Connection refused"):
            refused = run(tmp_path, "sync", **server.environ)
            assert refused.exit_code == 1
            assert expected in refused.output
            assert "DAGSTER_POSTGRES_URL" in refused.output
            assert "Traceback" not in refused.output
            assert SECRET not in refused.output + server.log()
            server.stop()
        configuration.unlink()
        configuration.write_text("telemetry: {enabled: false}\n")
        warned = run(tmp_path, **server.environ)
        assert shlex.quote(str(configuration)) in warned.output
        assert "does not use it" in warned.output
