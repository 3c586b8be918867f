"""`lp-pipeline fleet`: a line for each account: its state, how fresh it is, what waits for people (SPEC A5).

What that is made of: `insight/fleet.py`; one account's whole page: `status.py`; a query on all: `all_published.py`.
"""

import json
import os
from collections.abc import Callable

import click
import msgspec
from rich.table import Table
from rich.text import Text

from lp_pipeline.cli.console import console
from lp_pipeline.errors import PipelineError
from lp_pipeline.settings import listed_accounts
from lp_pipeline.settings.accounts import ACCOUNT_SETTING


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Everything as a JSON array.")
def fleet(*, as_json: bool) -> None:
    """Is it all right with every account? A line for each. Exit code 1 unless all are OK."""
    from lp_pipeline.cli.status import COLORS
    from lp_pipeline.insight.fleet import all_accounts
    from lp_pipeline.insight.words import count

    lines = list(all_accounts())
    if not lines:
        raise click.ClickException(
            "There is one account, that of lp_pipeline.env:  lp-pipeline status\n"
            "To add accounts:  lp-pipeline accounts init NAME"
        )
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


def for_each_account(action: Callable[[], object]) -> None:
    """Do it with each enabled account that is here as the chosen one; at the end, exit code 1 if any ended with one."""
    failed = False
    for name, account in listed_accounts().items():
        if not account.enabled:
            continue
        click.secho(f"== {name}", bold=True)
        os.environ[ACCOUNT_SETTING] = name
        try:
            action()
        except click.exceptions.Exit as end:
            failed = failed or bool(end.exit_code)
        except PipelineError as error:
            failed = failed or not getattr(error, "is_elsewhere", False)
            click.echo(str(error))
        click.echo()
    if failed:
        raise click.exceptions.Exit(1)


COMMANDS = (fleet,)
