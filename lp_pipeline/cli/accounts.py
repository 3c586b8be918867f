"""`lp-pipeline accounts`: which accounts there are, making a new one, checking their settings (SPEC A1, A3, A5)."""

import os
import re
from collections import Counter

import click
from rich.table import Table

from lp_pipeline.cli.console import console
from lp_pipeline.settings import Settings, accounts_file, base_folder, listed_accounts, load_accounts
from lp_pipeline.settings.accounts import ACCOUNTS_FILE, NAME, SHARD, env_file, folder_of, readable_values
from lp_pipeline.settings.files import write_file
from lp_pipeline.settings.package_data import package_data
from lp_pipeline.settings.sources import EXAMPLE

HEADER = "# One table an account; its settings are in accounts/<name>.env\n"
TO_SEE_THEM = "To see them: lp-pipeline accounts list"


class AccountName(click.ParamType[str]):
    """What an account may be called."""

    name = "NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if it is one."""
        if not NAME.fullmatch(value):
            self.fail(f"{value!r} is no account name. Use 1 to 40 of a-z, 0-9 and -.", param, ctx)
        return value


@click.group(name="accounts")
def accounts_group() -> None:
    """Several LeadPerfection accounts in one deployment: list, add and check them."""


@accounts_group.command("list")
def list_accounts() -> None:
    """List the accounts, and what is wrong with the settings of each, if anything is."""
    page = console()
    listed = listed_accounts()
    if not listed:
        page.print("There is one account, that of lp_pipeline.env. To add accounts:  lp-pipeline accounts init NAME")
        return
    table = Table("account", "shard", "synced", "LeadPerfection", "folder or problem")
    for name, settings in load_accounts().items():
        account, found = listed[name], isinstance(settings, Settings)
        table.add_row(
            account.name,
            account.shard,
            "yes" if account.enabled else "no",
            (settings.lp_api_url or "SANDBOX") if isinstance(settings, Settings) else "",
            str(settings.data if isinstance(settings, Settings) else settings),
            style=None if found else "yellow",
        )
    page.print(table)


@accounts_group.command()
@click.argument("names", nargs=-1, type=AccountName())
def check(names: tuple[str, ...]) -> None:
    """Check the settings and folders of the accounts NAMES, or of all. Exit code 1 if something is wrong."""
    listed = listed_accounts()
    if unknown := [name for name in names if name not in listed]:
        raise click.ClickException(f"No account is called {' or '.join(unknown)}. {TO_SEE_THEM}")
    tried = load_accounts()
    loaded = [each for each in tried.values() if isinstance(each, Settings)]
    same = Counter((each.account, each.lp_client_id) for each in loaded if each.lp_api_url)
    wrong = 0
    for name, found in tried.items():
        problem = None if isinstance(found, Settings) else str(found)
        if isinstance(found, Settings) and same[(found.account, found.lp_client_id)] > 1:
            problem = f"Account {name!r}: another one has the same LP_API_URL and LP_CLIENT_ID. Disable or remove one."
        if not names or name in names:
            wrong += bool(problem)
            click.echo(f"FAIL  {problem}" if problem else f"ok    {name}")
    if wrong:
        raise click.exceptions.Exit(1)


@accounts_group.command()
@click.argument("name", type=AccountName())
@click.option("--shard", type=AccountName(), default=SHARD, show_default=True, help="The volume that its folder is on.")
@click.option("--yes", is_flag=True, help="Make the folder of a listed account that has none here, without asking.")
def init(name: str, shard: str, *, yes: bool) -> None:
    """Add the account NAME: its line in accounts.toml, its settings file, and its data folder."""
    from lp_pipeline.storage.account import make_folder

    path = accounts_file() or base_folder() / ACCOUNTS_FILE
    listed = listed_accounts() if path.exists() else {}
    own = env_file(path, name)
    if not own.exists():
        own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(own, package_data(EXAMPLE).read_text(encoding="utf-8"))
    data = folder_of(readable_values(path, name, os.environ))
    if name in listed and not data.exists() and not yes:
        click.confirm(
            f"Account {name!r} is listed already, and its folder is not here: {data}. If its data is on another "
            "volume, attach that one: with an empty folder it starts a new history, and everything goes to Hatch "
            "again. Make an empty folder?",
            abort=True,
        )
    make_folder(data, name)
    if name not in listed:
        text = path.read_text(encoding="utf-8") if path.exists() else HEADER
        write_file(path, f'{text.rstrip()}\n\n[accounts.{name}]\nshard = "{shard}"\n')
    click.echo(f"Account {name} has its folder: {data}\nIts settings are in {own}; fill them in, then run:")
    click.echo(f"  lp-pipeline --account {name} doctor")


@accounts_group.command()
@click.argument("name", type=AccountName())
def disable(name: str) -> None:
    """Stop syncing and pushing for the account NAME; its data stays."""
    _enable(name, enabled=False)


@accounts_group.command()
@click.argument("name", type=AccountName())
def enable(name: str) -> None:
    """Sync the account NAME again; the next sync reads everything since its last one."""
    _enable(name, enabled=True)


def _enable(name: str, *, enabled: bool) -> None:
    path = accounts_file()
    if not path or name not in listed_accounts():
        raise click.ClickException(f"No account is called {name}. {TO_SEE_THEM}")
    text = path.read_text(encoding="utf-8")
    header = re.compile(rf"^\[accounts\.{re.escape(name)}\][^\n]*\n", re.MULTILINE)
    found = header.search(text)
    if not found:
        raise click.ClickException(f"{path} is not written as [accounts.{name}]. Set enabled there yourself.")
    end = text.find("\n[", found.end())
    end = len(text) if end < 0 else end + 1
    block = re.sub(r"^\s*enabled\s*=.*\n?", "", text[found.end() : end], flags=re.MULTILINE)
    line = "" if enabled else "enabled = false\n"
    write_file(path, text[: found.end()] + line + block + text[end:])
    click.echo(f"Account {name} is {'enabled' if enabled else 'disabled'}.")


COMMANDS = (accounts_group,)
