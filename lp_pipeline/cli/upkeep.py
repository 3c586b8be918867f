"""`lp-pipeline housekeeping`: the commands that look after a data folder. They wire only."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import click

from lp_pipeline.cli.console import account_settings
from lp_pipeline.cli.fleet import all_option, for_each_account
from lp_pipeline.cli.home import dagster_home, give_dagster_a_home
from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings, load_settings, own_settings_file

NEW = click.Path(resolve_path=True, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@all_option
def housekeeping(*, dry_run: bool, every: bool) -> None:
    """Remove what is old and make files compact, so that disk use stays flat.

    A job of this name does so every night. It removes Dagster's runs (KEEP_RUNS_DAYS, KEEP_FAILED_RUNS_DAYS),
    finished communications (KEEP_COMMUNICATIONS_DAYS) and, if KEEP_READINGS_DAYS is set, old readings. What was sent to
    whom is always kept.
    """
    if every:
        for_each_account(lambda: _tidy(dry_run=dry_run))
    else:
        _tidy(dry_run=dry_run)


def _tidy(*, dry_run: bool) -> None:
    from lp_pipeline.cli.execute import dry_run_housekeeping, run_housekeeping

    settings = account_settings()
    give_dagster_a_home()
    if dry_run:
        click.echo("Nothing was removed. Housekeeping would change:")
        for line in dry_run_housekeeping(settings):
            click.echo(f"  {line.what}: {line}")
    elif failures := run_housekeeping(click.echo):
        raise click.ClickException("\n".join(failures))


@click.command()
@click.argument("folder", type=NEW)
@click.option("--with-settings", is_flag=True, help="Copy the settings file, too: it holds passwords.")
@all_option
def backup(folder: Path, *, with_settings: bool, every: bool) -> None:
    """Copy an account's data into the new folder FOLDER, and check the copy. Syncs and pushes continue meanwhile.

    The copy is for its owner only. Settings are left out unless asked for, and so is what the next sync makes anew.
    With --all, FOLDER gets a folder for each account whose data is on this host, disabled ones included.
    """
    from lp_pipeline.storage.failures import readable_errors

    if not every:
        _back_up(folder, with_settings=with_settings)
        return
    if folder.parent.is_dir() and not folder.exists():
        with readable_errors(f"make {folder}"):
            folder.mkdir(mode=0o700)
    for_each_account(lambda: _back_up(folder / load_settings().name, with_settings=with_settings), disabled=True)


def _back_up(folder: Path, *, with_settings: bool) -> None:
    from lp_pipeline.runs.upkeep.backup import backup as make
    from lp_pipeline.runs.upkeep.tidied import size

    settings = account_settings()
    made = make(settings, folder, settings_file=own_settings_file() if with_settings else None)
    listed = ", ".join(f"{file.name} {size(file.bytes)}" for file in made.files)
    click.echo(f"{folder}: {listed}, as of {_moment(settings, made.made_at)}. The copy was read back and is whole.")


@click.command()
@click.argument("folder", type=FOLDER)
def restore(folder: Path) -> None:
    """Put the backup FOLDER back, so that nothing is pushed twice afterwards.

    Refused while anything uses the data folder. The files that are replaced are kept in a folder beside the others.
    What may have been pushed since the backup was made is looked up in LeadPerfection before it is pushed, as after
    `lp-pipeline recovered`.
    """
    from lp_pipeline.cli.services import services_of
    from lp_pipeline.runs.upkeep.restore import restore as put_back
    from lp_pipeline.storage.account import check_account

    settings = load_settings()
    with suppress(WarehouseError):  # damaged files are what backups are for
        check_account(settings)
    if services := services_of(dagster_home()):
        running = ", ".join(f"{service.what} (process {service.pid})" for service in services)
        raise click.ClickException(f"Dagster is running: {running}. Nothing was changed. End it first.")
    done = put_back(settings, folder)
    since = _moment(settings, done.manifest.made_at)
    click.echo(f"{settings.data} is as of {since} again.")
    if done.erased:
        click.echo(f"Erased again, because they had been since then: {', '.join(done.erased)}.")
    if done.aside:
        click.echo(f"The files that were replaced are in {done.aside}.")
    click.echo(
        f"Pushes that are looked up in LeadPerfection before they are sent: {done.to_look_up.total()}, and whatever "
        f"arrives again.\nThe next sync reads what changed since then. What the inbox received since then is missing: "
        "ask Hatch to resend it."
    )


def _moment(settings: Settings, instant: datetime) -> str:
    return f"{instant.astimezone(settings.zone):%Y-%m-%d %H:%M %Z}"


COMMANDS = (housekeeping, backup, restore)
