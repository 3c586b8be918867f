"""What commands of the shell share: the console, and a home for Dagster's history."""

import os
import sys
from pathlib import Path

import click
from filelock import FileLock
from rich.console import Console

from lp_pipeline.package_data import package_data
from lp_pipeline.settings import Settings, base_folder, load_settings


def console() -> Console:
    """Standard output; lines are not folded when they go into a file or another program."""
    return Console() if sys.stdout.isatty() else Console(width=1000)


def account_settings() -> Settings:
    """The settings of an account whose data the folder holds: every command that touches data begins with this
    (SPEC J5). Raises `SettingsError`; says on stderr if DuckDB reads the time zone differently."""
    from lp_pipeline.storage.account import check_account
    from lp_pipeline.storage.duckdb_zones import zone_warning

    settings = load_settings()
    check_account(settings)
    if warning := zone_warning(settings):
        click.echo(f"Warning: {warning}", err=True)
    return settings


def give_dagster_a_home() -> None:
    """So that runs from the shell show in the UI: an instance beside the settings file, unless another one is set."""
    own = base_folder() / ".dagster"
    if not os.environ.get("DAGSTER_HOME"):
        os.environ["DAGSTER_HOME"] = str(own)
    home = Path(os.environ["DAGSTER_HOME"])
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if home == own and not (home / "dagster.yaml").exists():
        _link_configuration(home)
        home.chmod(0o700)  # run logs name the data folder and its records' ids (SPEC R4)
    prepare_home(home)


def _link_configuration(home: Path) -> None:
    link = home / "dagster.yaml"
    with FileLock(home / "home.lock"):
        if not link.exists():
            link.unlink(missing_ok=True)  # its target is gone: another Python, or the checkout was moved
            link.symlink_to(os.path.relpath(package_data("dagster.yaml"), home))


def prepare_home(home: Path) -> None:
    """Let Dagster make its files in a new home, by one process alone: two at once fail with an error of its own."""
    with FileLock(home / "home.lock"):
        if (home / "history" / "runs" / "index.db").exists() and (home / "schedules" / "schedules.db").exists():
            return
        import dagster as dg

        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.get_runs(limit=1)
            instance.all_instigator_state()
