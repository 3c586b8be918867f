"""`lp-pipeline`: the command line. Each command wires; what it does is elsewhere."""

import os
import sys
from typing import IO, Any

import click

from lp_pipeline.cli.accounts import COMMANDS as ACCOUNTS
from lp_pipeline.cli.alerts import COMMANDS as ALERTS
from lp_pipeline.cli.communications import COMMANDS as COMMUNICATIONS
from lp_pipeline.cli.connect import COMMANDS as CONNECT
from lp_pipeline.cli.console import account_settings, console, output_form, output_options
from lp_pipeline.cli.doctor import COMMANDS as DOCTOR
from lp_pipeline.cli.explain import COMMANDS as EXPLAIN
from lp_pipeline.cli.fleet import COMMANDS as FLEET
from lp_pipeline.cli.fleet import all_option, for_each_account
from lp_pipeline.cli.forget import COMMANDS as FORGET
from lp_pipeline.cli.health import COMMANDS as HEALTH
from lp_pipeline.cli.history import COMMANDS as HISTORY
from lp_pipeline.cli.home import give_dagster_a_home
from lp_pipeline.cli.report import COMMANDS as REPORT
from lp_pipeline.cli.streams import accept_any_letter
from lp_pipeline.cli.upkeep import COMMANDS as UPKEEP
from lp_pipeline.errors import QUERY_INTERRUPTED, BrokenProgram, PipelineError
from lp_pipeline.settings import load_settings, refuse_dotenv
from lp_pipeline.settings.accounts import ACCOUNT_SETTING


class PlainErrors(click.Group):
    """Shows an expected error as its one message, without a stack trace, on whatever terminal."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the program."""
        accept_any_letter()
        return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; exit code 1 with the message on stderr for a `PipelineError`, and one line for Ctrl-C."""
        try:
            return super().invoke(ctx)
        except PipelineError as error:
            raise click.ClickException(str(error)) from None
        except (ImportError, SyntaxError) as error:  # a command imports what it needs
            raise click.ClickException(str(BrokenProgram(error))) from None
        except UnicodeEncodeError:  # of bytes that Python could not decode, for every stream takes all letters
            raise click.ClickException("An argument is not valid UTF-8 text.") from None
        except RuntimeError as error:
            if QUERY_INTERRUPTED in str(error):
                raise click.Abort from None
            raise
        finally:
            if sys.stdout and not sys.stdout.closed:
                sys.stdout.flush()  # here click ends quietly if nobody reads any more; at its own end Python complains


@click.group(cls=PlainErrors, help="Keeps LeadPerfection and Hatch in sync, by way of DuckDB.")
@click.version_option(package_name="lp-pipeline", message="%(package)s %(version)s")
@click.option("--account", metavar="NAME", help="The account of accounts.toml to work with (or set LP_ACCOUNT).")
def main(account: str | None) -> None:
    """The entry point."""
    if account:
        os.environ[ACCOUNT_SETTING] = account  # for the processes that a command starts, too


@main.command()
def sync() -> None:
    """Sync once, push new Hatch communications into LeadPerfection, and show what there is now."""
    from lp_pipeline.cli.execute import run_push, run_sync
    from lp_pipeline.cli.render import show_summary

    settings = account_settings()  # a wrong setting is reported before Dagster starts up
    give_dagster_a_home()
    # the next sync publishes what is pushed: nobody waits a minute for it here
    if failures := run_sync() + run_push({}, publish=False):
        raise click.ClickException("\n".join(dict.fromkeys(failures)))
    show_summary(settings, console())


@main.command(hidden=True)
def home() -> None:
    """Prepare Dagster's home; `make` does this before anything else uses it."""
    refuse_dotenv()
    give_dagster_a_home()


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port of the UI on 127.0.0.1.")
@click.option("--replace", is_flag=True, help="End what is running on this DAGSTER_HOME first.")
def dev(port: int, *, replace: bool) -> None:
    """Serve the Dagster UI and run the schedule and the sensor, until Ctrl-C (`make dev`)."""
    from lp_pipeline.cli.dev import serve

    refuse_dotenv()
    sys.exit(serve(give_dagster_a_home(), port, replace=replace))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Everything as a JSON object.")
@all_option
def status(*, as_json: bool, every: bool) -> None:
    """Is it all right? The verdict, what to do, and what it is based on. Exit code 1 unless it is OK."""
    from lp_pipeline.cli.status import show

    page = console()
    if every:
        for_each_account(lambda: show(page, as_json=as_json))
    else:
        show(page, as_json=as_json)


@main.command(context_settings={"ignore_unknown_options": True})  # a query may begin with a comment: --
@click.argument("query", required=False)
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="Read the query from this file (- is stdin).")
@click.option("--all", "every", is_flag=True, help="Every account's data together, its name in the first column.")
@output_options
def sql(query: str | None, file: IO[str] | None, *, every: bool, as_csv: bool, as_json: bool) -> None:
    """Query the published data: one QUERY, or a prompt if there is none.

    On a terminal, rows that don't fit its width show as records, one column per line, and the first 200 rows are shown.
    Anywhere else you get all rows as CSV. Values are always exact; several statements show one result each.
    """
    from lp_pipeline.cli.prompt import ask, prompt

    if query and query.startswith("-") and len(query.split()) == 1:
        raise click.NoSuchOption(query)
    if query is not None and file:
        raise click.UsageError("Give either a query or --file.")
    page = console()
    form = output_form(page, as_csv=as_csv, as_json=as_json)
    if query is None and not file and sys.stdin.isatty():
        if every:
            raise click.UsageError("Give a query with --all.")
        prompt(account_settings(), page)
        return
    settings = None if every else account_settings()
    try:
        text = query if query is not None else (file or sys.stdin).read()
        text.encode()  # what Python could not decode may also be in it as half a surrogate pair
    except UnicodeError:
        raise click.ClickException("The query is not valid UTF-8 text. Save it as UTF-8.") from None
    if settings is None:
        from lp_pipeline.cli.all_published import ask_all

        ask_all(text, page, form)
    else:
        ask(settings, text, page, form)


@main.command()
@click.argument("name", required=False)
@click.argument("parameters", nargs=-1, metavar="[PARAMETER=VALUE]...")
@output_options
def ask(name: str | None, parameters: tuple[str, ...], *, as_csv: bool, as_json: bool) -> None:
    """Ask a ready-made question about the published data, or list the questions."""
    from lp_pipeline.cli.questions import ask_question, show_questions

    page = console()
    form, settings = output_form(page, as_csv=as_csv, as_json=as_json), account_settings()
    if name is None:
        show_questions(page, form)
    else:
        ask_question(settings, name, parameters, page, form)


@main.command()
@click.option("--port", default=8765, show_default=True, help="Port on 127.0.0.1.")
@click.option("--switch", "switches", multiple=True, metavar="NAME=VALUE", help="Set one of its switches (repeatable).")
def sandbox(port: int, switches: tuple[str, ...]) -> None:
    """Serve the sandbox's LeadPerfection by itself, until Ctrl-C."""
    from lp_pipeline.sandbox.serve import serve

    serve(load_settings(), port, switches, console())


@main.command()
def rezone() -> None:
    """Recompute all instants after LP_TIMEZONE was corrected."""
    from lp_pipeline.transform.rezone import rezone as recompute

    click.echo(recompute(account_settings()))


for commands in (
    ACCOUNTS,
    ALERTS,
    COMMUNICATIONS,
    CONNECT,
    DOCTOR,
    EXPLAIN,
    FLEET,
    FORGET,
    HEALTH,
    HISTORY,
    REPORT,
    UPKEEP,
):
    for command in commands:
        main.add_command(command)
