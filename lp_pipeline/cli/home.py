"""Dagster's home, where its runs are kept: which folder that is, our `dagster.yaml` in it, and what to do about a
damaged file in it. What Dagster runs there is elsewhere.
"""

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click
from filelock import FileLock

from lp_pipeline.cli.postgres import VARIABLE, dagsters_variable, is_postgres_chosen, unusable_postgres
from lp_pipeline.errors import PipelineError, SettingsError, WarehouseError
from lp_pipeline.settings import base_folder
from lp_pipeline.settings.package_data import package_data

NAME, CONFIGURATION, ON_POSTGRES = "DAGSTER_HOME", "dagster.yaml", "deploy/dagster-postgres.yaml"
OF_FLEET, FLEET = "deploy/fleet/dagster.yaml", "FLEET_REDIS_URL"  # runs of many accounts on workers of several hosts
FILES = ("history/runs/*.db", "history/*.db", "schedules/*.db")  # SQLite's, of Dagster's storage
STORAGE = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
BESIDE = ("-wal", "-shm", "-journal")


def give_dagster_a_home() -> Path:
    """The folder of Dagster's runs: DAGSTER_HOME, or one beside the settings file. If new, it gets our configuration.

    Raises `SettingsError` for a DAGSTER_HOME that can't be one, and `WarehouseError` if a file in it is damaged.
    """
    own = base_folder() / ".dagster"
    home = dagster_home()
    is_ours = home.resolve() == own.resolve()
    os.environ[NAME] = str(home)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(home / "home.lock"):
            _configure(home, is_ours=is_ours)
    except FileExistsError:
        raise SettingsError(f"{NAME} is {home}, which is a file. Set it to a folder, or unset it.") from None
    except OSError as error:
        raise SettingsError(f"{NAME} is {home}, which can't be used: {error.strerror}.") from None
    prepare_home(home)
    return home


def dagster_home() -> Path:
    """Where Dagster's runs are kept, whether or not it exists. Raises `SettingsError` as `give_dagster_a_home`."""
    return _given() or base_folder() / ".dagster"


def prepare_home(home: Path) -> None:
    """Let Dagster make its files in a new home, by one process alone: two at once fail with an error of its own."""
    with FileLock(home / "home.lock"), plain_storage_errors(home):
        if all((home / each).exists() for each in STORAGE):
            return
        import dagster as dg

        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.get_runs(limit=1)
            instance.all_instigator_state()


@contextmanager
def plain_storage_errors(home: Path) -> Iterator[None]:
    """Raise an error that comes from Dagster's storage, a damaged file or a PostgreSQL that can't be used, as
    `WarehouseError`, with what to do."""
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:
        check_storage(home)
        if message := unusable_postgres(error):
            raise WarehouseError(message) from None
        raise


def check_storage(home: Path) -> None:
    """Raise `WarehouseError` if a file of Dagster's storage is damaged; reads all of them."""
    for pattern in FILES:
        for path in sorted(home.glob(pattern)):
            if _is_damaged(path):
                raise WarehouseError(_advice(home, path))


def _given() -> Path | None:
    """What DAGSTER_HOME names, in the order in which Dagster asks: a `.env` here first, then the environment."""
    text, in_file = dagsters_variable(NAME)
    if not text:
        return None
    try:
        home = Path(text).expanduser()
    except RuntimeError:
        raise SettingsError(f"{NAME} starts with ~, but that user has no home folder.") from None
    if not home.is_absolute():
        raise SettingsError(
            f"{NAME} is {text}, which is not an absolute path. Use one, for example:  export {NAME}={Path.cwd() / home}"
        )
    if in_file and text != str(home):  # Dagster takes the file's text as it is
        raise SettingsError(f"{NAME} in {Path.cwd() / '.env'} starts with ~. Write the whole path there: {home}")
    return home


def _configure(home: Path, *, is_ours: bool) -> None:
    """Put our configuration into a home that is new or ours; warn of another one that has none."""
    postgres, fleet, path = is_postgres_chosen(), bool(os.environ.get(FLEET)), home / CONFIGURATION
    source = package_data(OF_FLEET if fleet else ON_POSTGRES if postgres else CONFIGURATION)
    if path.exists() and not _is_to_change(path, postgres=postgres, fleet=fleet):
        return
    if is_ours:
        home.chmod(0o700)  # run logs name the data folder and its records' ids (SPEC R4)
    if is_ours or path.is_symlink() or not any(each.name != "home.lock" for each in home.iterdir()):
        path.unlink(missing_ok=True)  # its target is gone: another Python, or the checkout was moved
        path.symlink_to(os.path.relpath(source, home) if is_ours else source)
        return
    command = shlex.join(["ln", "-s", str(source), str(path)])
    click.echo(
        f"Warning: {home} has no {CONFIGURATION}. Without it Dagster sends telemetry, and a run that was killed is "
        f"never marked as failed. To use ours:  {command}",
        err=True,
    )


def _is_to_change(path: Path, *, postgres: bool, fleet: bool = False) -> bool:
    """Whether the configuration that is there is another one of ours, and PostgreSQL, or the fleet's workers, are to be
    used from now on."""
    if fleet:
        return path.resolve() in [package_data(each).resolve() for each in (CONFIGURATION, ON_POSTGRES)]
    if path.resolve() == package_data(OF_FLEET).resolve():
        raise SettingsError(
            f"Dagster sends the runs of {path.parent} to the workers of a fleet, but {FLEET} is not set. Set it as it "
            "is where Dagster runs (docs/many-accounts.md)."
        )
    if not postgres and path.resolve() == package_data(ON_POSTGRES).resolve():
        back = shlex.join(["ln", "-sf", str(package_data(CONFIGURATION)), str(path)])
        raise SettingsError(
            f"Dagster keeps the runs of {path.parent} in PostgreSQL, but {VARIABLE} is not set. Set it as it is where "
            f"Dagster runs. To return to files, without the history of runs:  {back}"
        )
    if postgres and path.resolve() == package_data(CONFIGURATION).resolve():
        click.echo(
            f"From now on Dagster keeps its runs in PostgreSQL ({VARIABLE}). The earlier ones stay in "
            f"{path.parent / 'history'} and are no longer shown.",
            err=True,
        )
        return True
    if postgres and VARIABLE not in path.read_text(encoding="utf-8"):
        ours = package_data(ON_POSTGRES)
        click.echo(f"Warning: {VARIABLE} is set, but {path} does not use it. Compare it with {ours}.", err=True)
    return False


def _is_damaged(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=5)) as connection:
            connection.execute("select count(*) from sqlite_schema").fetchall()
            return bool(connection.execute("pragma quick_check(1)").fetchone() != ("ok",))
    except sqlite3.OperationalError as error:
        return "locked" not in str(error) and "busy" not in str(error)
    except sqlite3.DatabaseError:
        return True


def _advice(home: Path, path: Path) -> str:
    aside = home / "damaged"
    moved = [path, *(other for suffix in BESIDE if (other := path.with_name(path.name + suffix)).exists())]
    command = f"{shlex.join(['mkdir', '-p', str(aside)])} && {shlex.join(['mv', *map(str, moved), str(aside)])}"
    return (
        f"{path}, a file of Dagster's, is damaged or can't be opened. It holds the history of runs, and nothing of "
        "LeadPerfection's or Hatch's: no data is lost. End `make dev` if it is running, move the file aside, and start "
        f"again:\n  {command}"
    )
