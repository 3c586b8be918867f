"""What commands of the shell share: the console and the settings."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from lp_pipeline.settings import (
    REPOSITORY,
    Settings,
    load_settings,
    others_can_read,
    own_settings_file,
    read_file,
    secret_names,
)
from lp_pipeline.settings.package_data import package_data

PROGRAM = ".venv/bin/lp-pipeline"  # of a checkout


def console() -> Console:
    """Standard output; lines are not folded when they go into a file or another program."""
    return Console() if sys.stdout.isatty() else Console(width=1000)


Command = TypeVar("Command", bound=Callable[..., Any])


def output_options(command: Command) -> Command:
    """The options --csv and --json of a command that lists rows, for `output_form`."""
    for name, description in (
        ("json", "All rows as a JSON array of objects."),
        ("csv", "All rows as CSV (the default into a file or another program)."),
    ):
        command = click.option(f"--{name}", f"as_{name}", is_flag=True, help=description)(command)
    return command


def output_form(page: Console, *, as_csv: bool, as_json: bool) -> str:
    """`page`, `csv` or `json`. Raises `click.UsageError`."""
    if as_csv and as_json:
        raise click.UsageError("Give either --csv or --json.")
    return "json" if as_json else "page" if page.is_terminal and not as_csv else "csv"


def account_settings() -> Settings:
    """The settings of an account whose data the folder holds: every command that touches data begins with this
    (SPEC J5). Raises `SettingsError`; says on stderr if DuckDB reads the time zone differently, or if others can read
    the settings file (SPEC R4)."""
    from lp_pipeline.storage.account import check_account
    from lp_pipeline.storage.duckdb_zones import zone_warning

    settings = load_settings()
    check_account(settings)
    for warning in filter(None, (zone_warning(settings), _exposed_secrets())):
        click.echo(f"Warning: {warning}", err=True)
    return settings


def _exposed_secrets() -> str | None:
    """A warning if other users of this machine can read passwords and keys (SPEC R4)."""
    path = own_settings_file()
    if not path.is_file() or not others_can_read(path) or not secret_names() & read_file(path).keys():
        return None
    command = shlex.join(["chmod", "600", str(path)])
    return f"Other users of this machine can read the passwords and keys in {path}. To stop that:  {command}"


def is_checkout() -> bool:
    """Whether this is the program of a checkout, or else an installed wheel."""
    return package_data("sql") == REPOSITORY / "sql"


def program_name() -> str:
    """What to type in front of a command, in this folder."""
    if not is_checkout():
        return "lp-pipeline"
    return PROGRAM if Path().samefile(REPOSITORY) else shlex.quote(str(REPOSITORY / PROGRAM))
