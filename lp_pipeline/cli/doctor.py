"""`lp-pipeline doctor`: the checks of the setup on a terminal, or as JSON. What is checked: `insight/doctor.py`."""

import json
import textwrap
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from lp_pipeline.cli.console import console
from lp_pipeline.cli.fleet import all_option, for_each_account
from lp_pipeline.cli.home import dagster_home, plain_storage_errors

if TYPE_CHECKING:
    from lp_pipeline.insight.examination import Examination, Finding

NAME_WIDTH = 16
MARKS = {"ok": ("ok", "green"), "fail": ("FAIL", "bold red"), "not checked": ("-", "dim")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The checks as a JSON object.")
@click.option("--inbox-port", default=8766, show_default=True, help="Port of the inbox on this machine.")
@all_option
def doctor(*, as_json: bool, inbox_port: int, every: bool) -> None:
    """Check the setup: settings, LeadPerfection, Hatch, the data folder, the schedule.

    Each line is good (ok), needs something (FAIL, with what to do), or can't be checked (-). Nothing is written to
    LeadPerfection or Hatch. Exit code 1 if something needs to be done.
    """

    def check() -> None:
        if show_checks(console(), as_json=as_json, inbox_port=inbox_port):
            raise click.exceptions.Exit(1)

    if every:
        for_each_account(check)
    else:
        check()


def show_checks(page: Console, *, as_json: bool = False, inbox_port: int = 8766) -> int:
    """Make all checks and show them; how many need something."""
    from lp_pipeline.insight.doctor import examine
    from lp_pipeline.insight.examination import Check, Step

    checks: list[Check] = []
    wait = page.status("Checking ...") if page.is_terminal and not as_json else nullcontext()
    with wait as status:
        update = status.update if status else lambda _text: None
        for check in examine(
            more=[Step("Schedule", _schedule)], begin=lambda name: update(f"{name} ..."), inbox_port=inbox_port
        ):
            checks.append(check)
            if not as_json:
                for line in _lines(check.name, check.state, check.found, check.advice, page.width):
                    page.print(line)
    problems = sum(check.state == "fail" for check in checks)
    if as_json:
        click.echo(json.dumps({"problems": problems, "checks": [check.as_json() for check in checks]}, indent=2))
    else:
        page.print(f"\n{_counted(problems)}", highlight=False)
    return problems


def _schedule(_examination: "Examination") -> "Finding":
    """Asked of Dagster, which need not be installed for all the other checks."""
    from lp_pipeline.insight.examination import unknown

    try:
        from lp_pipeline.orchestration.heartbeat import schedule_is_on
    except ImportError:
        return unknown("Dagster is not installed here")
    home = dagster_home()
    with plain_storage_errors(home):
        return schedule_is_on(home)


def _counted(problems: int) -> str:
    return "No problems." if not problems else f"{problems} problem{'s' if problems > 1 else ''}."


def _lines(name: str, state: str, found: str, advice: str, width: int) -> Iterable[Text]:
    mark, style = MARKS[state]
    indent = " " * (6 + NAME_WIDTH)
    for number, line in enumerate(textwrap.wrap(found, max(width - len(indent), 20)) or [""]):
        head = Text.assemble((f"{mark:<6}", style), f"{name:<{NAME_WIDTH}}") if not number else Text(indent)
        yield head.append(line)
    for line in textwrap.wrap(advice, max(width - 6, 20), break_on_hyphens=False, break_long_words=False):
        yield Text(f"      {line}", style="yellow" if state == "fail" else "")


COMMANDS = (doctor,)
