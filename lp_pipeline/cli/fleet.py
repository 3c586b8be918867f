"""`lp-pipeline fleet`: a line for each account: its state, how fresh it is, what waits for people (SPEC A5). Also how
other commands are done for each account (`--all`).

What a line is made of: `insight/fleet.py`; one account's whole page: `status.py`; a query on all: `all_published.py`.
"""

import json
import os
from collections.abc import Callable

import click
import msgspec
from rich.table import Table
from rich.text import Text

from lp_pipeline.cli.console import console
from lp_pipeline.errors import QUERY_INTERRUPTED, PipelineError
from lp_pipeline.settings import listed_accounts
from lp_pipeline.settings.accounts import ACCOUNT_SETTING

NO_ACCOUNTS = (
    "There is one account, that of lp_pipeline.env:  lp-pipeline status\n"
    "To add accounts:  lp-pipeline accounts init NAME"
)
all_option = click.option("--all", "every", is_flag=True, help="Each account of accounts.toml, one after the other.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Everything as a JSON array.")
def fleet(*, as_json: bool) -> None:
    """Is it all right with every account? A line for each. Exit code 1 unless all are OK."""
    from lp_pipeline.cli.status import COLORS
    from lp_pipeline.insight.fleet import all_accounts
    from lp_pipeline.insight.words import count

    lines = list(all_accounts())
    if not lines:
        raise click.ClickException(NO_ACCOUNTS)
    wrong = [line for line in lines if line.state not in ("OK", "OFF", "ELSEWHERE")]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(lines), indent=2, ensure_ascii=False))
    else:
        table = Table("account", "state", "last good sync", "published", "waits", "why")
        for line in lines:
            state = Text(line.state, COLORS.get(line.state, "dim"))
            table.add_row(line.account, state, line.synced, line.published, line.waits, Text(line.why))
        page = console()
        page.print(table)
        page.print(f"{count(len(lines), 'account')}, {len(wrong):,} to look at.", highlight=False)
    if wrong:
        raise click.exceptions.Exit(1)


def for_each_account(action: Callable[[], object], *, disabled: bool = False) -> None:
    """Do it with each enabled account whose folder is here as the chosen one, or also with disabled ones; whatever it
    raises for one stops no other. At the end, exit code 1 with the names of those that failed, if any did."""
    accounts = listed_accounts()
    if not accounts:
        raise click.ClickException(NO_ACCOUNTS)
    chosen = os.environ.get(ACCOUNT_SETTING)
    failed = [name for name, account in accounts.items() if (account.enabled or disabled) and not _do(action, name)]
    os.environ.pop(ACCOUNT_SETTING)
    if chosen is not None:
        os.environ[ACCOUNT_SETTING] = chosen
    if failed:
        click.echo(f"Failed or not OK: {', '.join(failed)}.", err=True)
        raise click.exceptions.Exit(1)


def _do(action: Callable[[], object], name: str) -> bool:
    """Whether it went well with this account; one whose folder is on another host is no failure."""
    click.secho(f"== {name}", bold=True)
    os.environ[ACCOUNT_SETTING] = name
    try:
        action()
    except click.exceptions.Exit as end:
        return not end.exit_code
    except PipelineError as error:
        click.echo(str(error))
        return bool(getattr(error, "is_elsewhere", False))
    except click.ClickException as error:
        click.echo(error.format_message())
        return False
    except click.Abort:
        raise
    except Exception as error:  # an error of ours must not cost the others their backup; its text may hold records (R4)
        if QUERY_INTERRUPTED in str(error):
            raise
        click.echo(f"An unexpected error ({type(error).__name__}). For all of it: lp-pipeline --account {name} ...")
        return False
    finally:
        click.echo()
    return True


COMMANDS = (fleet,)
