"""`lp-pipeline report`: write the report now and say where it is (SPEC E8). What is in it: `insight/report/`."""

import click

from lp_pipeline.cli.console import account_settings
from lp_pipeline.cli.fleet import all_option, for_each_account


@click.command()
@click.option("--open", "shown", is_flag=True, help="Open it in the browser of this machine.")
@all_option
def report(*, shown: bool, every: bool) -> None:
    """Write report.html, the page for people without SQL, and print where it is.

    Each sync writes it, too. It holds counts only, no personal data, so it can be mailed or printed.
    """
    if every:
        for_each_account(lambda: _write(shown=shown))
    else:
        _write(shown=shown)


def _write(*, shown: bool) -> None:
    from lp_pipeline.insight.report.write import write_report

    file = write_report(account_settings()).absolute()
    click.echo(file)
    if shown:
        click.launch(file.as_uri())


COMMANDS = (report,)
