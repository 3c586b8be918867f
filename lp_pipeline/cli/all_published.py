"""`lp-pipeline sql --all`: one query on the published data of every account, its rows together (SPEC A5)."""

from collections.abc import Iterator
from contextlib import ExitStack

import click
from rich.console import Console

from lp_pipeline.cli.prompt import WRITERS
from lp_pipeline.cli.query import Result, results, show
from lp_pipeline.errors import PipelineError, SettingsError, WarehouseError
from lp_pipeline.settings import Settings, load_accounts
from lp_pipeline.storage.published import open_published, published_file


class NothingPublished(Exception):
    """An account whose published file can't be opened here, and why."""


def ask_all(text: str, console: Console, form: str) -> None:
    """Run one query on each account's published data, one after the other, and show all rows, the account's name first.

    An account that has nothing published here is named on stderr. Raises `WarehouseError` for a wrong query.
    """
    rows: list[tuple[str | None, ...]] = []
    columns: list[str] = []
    types: list[str] = []
    for name, settings in load_accounts().items():
        try:
            for result in _results(settings, text, as_json=form == "json"):
                if columns and columns != result.columns:
                    raise WarehouseError("--all takes one query, with the same columns for each account.")
                columns, types = result.columns, result.types
                rows += [(name, *row) for row in result.rows]
        except NothingPublished as error:
            click.echo(f"{name} is left out: {error}", err=True)
    if not columns:
        raise WarehouseError("No account has anything published here.")
    together = Result(["account", *columns], ["VARCHAR", *types], iter(rows))
    if form == "page":
        show(together, console)
    else:
        WRITERS[form](together, console.file)


def _results(settings: Settings | SettingsError, text: str, *, as_json: bool) -> Iterator[Result]:
    with ExitStack() as stack:
        try:
            if isinstance(settings, SettingsError):
                raise settings
            opened = open_published(published_file(settings), {"python_enable_replacements": False})
            connection = stack.enter_context(opened)
        except PipelineError as error:
            raise NothingPublished(str(error)) from None
        yield from results(connection, text, as_json=as_json)
