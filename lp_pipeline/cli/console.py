"""What commands of the shell share: the console and the settings."""

import sys

import click
from rich.console import Console

from lp_pipeline.settings import Settings, load_settings


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
