"""Running a person's SQL, and its rows as CSV, JSON or a page: always exactly what DuckDB has, never a rounded copy.

Values come from DuckDB as its own text: Python's and pandas' types have no infinity, no nanoseconds, no 39 digits.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

import duckdb
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lp_pipeline.errors import WarehouseError

MOST_ROWS = 200  # on a terminal
ROWS_AT_ONCE = 1_000
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
AS_THEY_ARE = (*NUMBERS, "UHUGEINT", "BOOLEAN", "JSON", "FLOAT", "DOUBLE")  # their text is JSON, unless not finite

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Result:
    """What one statement brought: names, DuckDB's types, and rows of text (None is NULL), which are read once."""

    columns: list[str]
    types: list[str]
    rows: Iterator[Row]
    lines: bool = False  # a page of text, such as a plan, rather than values


Writer = Callable[[Result, IO[str]], None]


def results(connection: duckdb.DuckDBPyConnection, text: str, *, as_json: bool = False) -> Iterator[Result]:
    """Run the statements of `text` one after another; a result for each that brings rows.

    `as_json` gives lists and structs as JSON instead of DuckDB's text. Raises `WarehouseError` in DuckDB's words.
    """
    try:
        statements = connection.extract_statements(text)
        if not statements:
            raise WarehouseError('There is no query. Try lp-pipeline sql "from opportunities", or without any to type.')
        for statement in statements:
            if found := _run(connection, statement, as_json=as_json):
                yield found
    except (duckdb.Error, RuntimeError) as error:  # a RuntimeError: interrupted by Ctrl-C
        raise WarehouseError(visible(str(error), keep="\n")) from None


def write_csv(result: Result, out: IO[str]) -> None:
    """RFC 4180 with a header and \\n; NULL is nothing, an empty text is `""`."""
    out.write(",".join(map(_csv_cell, result.columns)) + "\n")
    out.writelines(",".join(map(_csv_cell, row)) + "\n" for row in result.rows)


def write_json(result: Result, out: IO[str]) -> None:
    """An array with an object for each row, a row to a line. What JSON has no form for is text, as DuckDB writes it."""
    names = [json.dumps(name, ensure_ascii=False) for name in result.columns]
    out.write("[")
    for number, row in enumerate(result.rows):
        cells = map(_json_cell, row, result.types)
        pairs = ", ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True))
        out.write(f"{',' if number else ''}\n{{{pairs}}}")
    out.write("\n]\n")


def show(
    result: Result, console: Console, *, if_none: str = "No rows.", folded: bool = False, skip_empty: bool = False
) -> None:
    """A table, or, where a row doesn't fit the width, one record below the other (or a table with `folded` cells).
    `skip_empty` leaves out a record's empty texts."""
    rows = _first(result.rows, MOST_ROWS + 1)
    shown, more = rows[:MOST_ROWS], len(rows) > MOST_ROWS
    if result.lines:
        for row in shown:
            console.print(Text(visible(row[-1] or "", keep="\n")), soft_wrap=True)
        return
    if not shown:
        console.print(if_none)
        return
    names = [visible(name) for name in result.columns]
    cells = [[Text("NULL", style="dim") if cell is None else Text(visible(cell)) for cell in row] for row in shown]
    widths = [
        max(map(cell_len, column)) for column in zip(names, *[[c.plain for c in row] for row in cells], strict=True)
    ]
    if folded or sum(widths) + 3 * len(widths) + 1 <= console.width:
        table = Table()
        for name, kind in zip(names, result.types, strict=True):
            table.add_column(Text(name), justify="right" if kind in NUMBERS else "left", overflow="fold")
        for line in cells:
            table.add_row(*line)
        console.print(table)
    else:
        margin = max(map(cell_len, names))
        for number, line in enumerate(cells, 1):
            console.print(Text(f"── record {number} ──", style="dim"))
            for name, cell in zip(names, line, strict=True):
                if cell.plain or not skip_empty:
                    console.print(Text.assemble((f"{name:>{margin}}", "bold"), "  ", cell), soft_wrap=True)
    if more:
        console.print(f"[dim]The first {MOST_ROWS} rows. To see all: --csv or --json, or send the output to a file.[/]")


def without_end(query: str) -> str | None:
    """The query without its final semicolon and the comments after it. None if it has none."""
    code = query.encode()  # DuckDB counts bytes
    tokens = [place for place, kind in duckdb.tokenize(query) if kind != duckdb.token_type.comment]
    if tokens and code[tokens[-1] :].lstrip().startswith(b";"):
        return code[: tokens[-1]].rstrip(b"; \r\n\t").decode()
    return None


def visible(text: str, keep: str = "") -> str:
    """The text with whatever would not show, or would steer a terminal, written as Python escapes it (`\\x1b`)."""
    return "".join(
        letter if letter.isprintable() or letter in keep else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _run(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, *, as_json: bool) -> Result | None:
    # execute() before asking for the type: what is no query has none, and a mistake is to show the person's own text
    if statement.type in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI):
        inner = f"(\n{without_end(statement.query) or statement.query}\n) as result"
        try:
            columns = f"select column_name, column_type from (describe from {inner})"  # noqa: S608 (what was typed)
            kinds = dict(connection.execute(columns).fetchall())
            chosen = ", ".join(_column(name, kind, as_json=as_json) for name, kind in kinds.items())
            found = connection.execute(f"select {chosen} from {inner}")  # noqa: S608 (what was typed)
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
            pass  # the statement itself says what is wrong with it, or is one that can't be a subquery
        else:
            return Result(list(kinds), list(kinds.values()), _batches(found))
    found = connection.execute(statement)
    if not (found.description and duckdb.ExpectedResultType.QUERY_RESULT in statement.expected_result_type):
        found.fetchall()
        return None
    names = [column[0] for column in found.description]
    plan = statement.type in (duckdb.StatementType.EXPLAIN, duckdb.StatementType.ANALYZE)
    return Result(names, ["VARCHAR"] * len(names), _batches(found), lines=plan)


def _column(name: str, kind: str, *, as_json: bool) -> str:
    column = '"' + name.replace('"', '""') + '"'
    return f"to_json({column})::varchar" if as_json and _is_nested(kind) else f"{column}::varchar"


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "VARIANT"))


def _batches(found: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    while batch := found.fetchmany(ROWS_AT_ONCE):
        for row in batch:
            yield tuple(None if value is None else str(value) for value in row)


def _first(rows: Iterator[Row], number: int) -> list[Row]:
    """The first rows; the rest is read and dropped, so that the connection is free for the next statement."""
    taken = [row for row, _ in zip(rows, range(number), strict=False)]
    for _ in rows:
        pass
    return taken


def _csv_cell(value: str | None) -> str:
    if value is None:
        return ""
    if value == "" or any(letter in value for letter in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _json_cell(value: str | None, kind: str) -> str:
    if value is None:
        return "null"
    if kind in AS_THEY_ARE or kind.startswith("DECIMAL") or _is_nested(kind):
        try:
            json.loads(value, parse_constant=_refuse)
        except ValueError:
            pass
        else:
            return value.replace("\r", " ").replace("\n", " ")  # between values only: inside texts they are escaped
    return json.dumps(value, ensure_ascii=False)


def _refuse(name: str) -> None:
    raise ValueError(name)
