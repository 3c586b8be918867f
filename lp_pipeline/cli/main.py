"""`lp-pipeline`: the command line. Each command wires; what it does stands elsewhere."""

import sys

import click

from lp_pipeline.cli.communications import COMMANDS as COMMUNICATIONS
from lp_pipeline.cli.console import console, give_dagster_a_home
from lp_pipeline.cli.history import COMMANDS as HISTORY
from lp_pipeline.errors import PipelineError
from lp_pipeline.settings import load_settings, refuse_dotenv


class PlainErrors(click.Group):
    """Shows an expected error as its one message, without a stack trace."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; exit code 1 with the message on stderr for a `PipelineError`."""
        try:
            return super().invoke(ctx)
        except PipelineError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=PlainErrors, help="LeadPerfection and Hatch in step, by way of DuckDB.")
@click.version_option(package_name="lp-pipeline", message="%(package)s %(version)s")
def main() -> None:
    """The entry point."""


@main.command()
@click.pass_context
def sync(context: click.Context) -> None:
    """Run the sync job once, push what was said in Hatch, and show what happened."""
    from lp_pipeline.cli.execute import run_push, run_sync

    load_settings()  # a missing setting is told before Dagster starts up
    give_dagster_a_home()
    # the next sync publishes what is pushed: nobody waits a minute for it here
    if failures := run_sync() + run_push({}, publish=False):
        raise click.ClickException("\n".join(dict.fromkeys(failures)))
    context.invoke(status)


@main.command(hidden=True)
def home() -> None:
    """Prepare Dagster's home; `make` does this before anything else uses it."""
    refuse_dotenv()
    give_dagster_a_home()


@main.command()
def status() -> None:
    """Show how fresh the published data is, the counts and ten opportunities."""
    from lp_pipeline.cli.render import show_status

    show_status(load_settings(), console())


@main.command()
@click.argument("query", required=False)
def sql(query: str | None) -> None:
    """Ask the published data: one QUERY, or line by line until .quit."""
    from lp_pipeline.cli.render import ask, shell

    settings = load_settings()
    if query:
        ask(settings, query, console())
    elif sys.stdin.isatty():
        shell(settings, console())
    else:
        ask(settings, sys.stdin.read(), console())


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

    click.echo(recompute(load_settings()))


for command in (*COMMUNICATIONS, *HISTORY):
    main.add_command(command)
