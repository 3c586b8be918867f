"""`lp-pipeline sql`: one query, or a prompt that takes them line by line. How rows look: `query.py`."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import duckdb
from rich.console import Console
from rich.text import Text

from lp_pipeline.cli.query import results, show, without_end, write_csv, write_json
from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.published import open_published, published_file
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import set_variables

HELP = """\
Type a query; it may take several lines and ends with a semicolon. Each query sees the newest published data.
  .tables                 the tables and views, and what they hold
  describe opportunities; the columns of one of them
  .help                   this
  .quit                   leave (so does Ctrl-D); Ctrl-C drops what you have typed so far"""
WRITERS = {"csv": write_csv, "json": write_json}


def ask(
    settings: Settings,
    text: str,
    console: Console,
    form: str = "page",
    *,
    folded: bool = False,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run the statements of `text`, which may read the `variables` with `getvariable()`, and show each one's rows, as
    `page`, `csv` or `json`; `folded` as `show` has it. Raises `WarehouseError`."""
    with (
        open_published(published_file(settings), {"python_enable_replacements": False}) as connection,
        ThreadPoolExecutor(1) as executor,  # a busy DuckDB doesn't notice Ctrl-C; the waiting thread does
    ):
        set_variables(connection, variables or {})
        shown = executor.submit(_show, connection, text, console, form, folded=folded)
        try:
            shown.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise


def _show(connection: duckdb.DuckDBPyConnection, text: str, console: Console, form: str, *, folded: bool) -> None:
    for number, result in enumerate(results(connection, text, as_json=form == "json")):
        if number:
            console.file.write("\n")
        if form == "page":
            show(result, console, folded=folded)
        else:
            WRITERS[form](result, console.file)
    console.file.flush()


def prompt(settings: Settings, console: Console, read: Callable[[str], str] = input) -> None:
    """Ask line by line until `.quit`; `read` returns a line and raises `EOFError` at the end."""
    with suppress(ImportError):
        import readline  # noqa: F401 (arrow keys and history)
    console.print(f"{published_file(settings)}, read-only. .help says more, .quit leaves.", markup=False)
    query = ""
    while True:
        try:
            line = read("...> " if query else "sql> ")
            if (not query and line.strip().startswith(".")) or line.strip() in ("quit", "exit"):
                if not _command(settings, console, line.strip()):
                    return
                continue
            query = (query + line + "\n").lstrip()
            if without_end(query) is not None:
                text, query = query, ""
                ask(settings, text, console)
        except EOFError:
            return
        except KeyboardInterrupt:
            query = ""
            console.print()
        except UnicodeEncodeError:
            query = ""
            console.print(Text("That is not UTF-8 text.", style="red"))
        except WarehouseError as error:
            console.print(Text(str(error), style="red"))


def _command(settings: Settings, console: Console, line: str) -> bool:
    """Obey a dot command; whether to continue."""
    name = line.rstrip(";").lower()
    if name in (".quit", ".exit", "quit", "exit"):
        return False
    if name == ".tables":
        ask(settings, statement("status/tables"), console, folded=True)
    elif name == ".help":
        console.print(HELP, markup=False, highlight=False)
    else:
        console.print(Text(f"There is no {line}. .help lists what there is.", style="red"))
    return True
