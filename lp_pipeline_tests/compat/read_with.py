"""Reads every table and view of the published file with each client, and prints what came of it as JSON.

Runs where the clients are installed, without lp_pipeline: `python read_with.py FILE CLIENT...`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

Name = tuple[str, str]  # of a table or view, with its schema
Types = dict[str, str]  # of each column, by name
BIN = Path(sys.executable).parent
COLUMNS = (
    "select schema_name, table_name, column_name, data_type from duckdb_columns() "
    "where database_name = $database and not internal order by all"
)


def python(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """DuckDB's own package."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: _of_rows(connection.execute(_all(name))) for name in names}


def python_without_pytz(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """The same as if pytz were not installed."""
    sys.modules["pytz"] = None  # type: ignore[assignment]
    try:
        return python(path, names)
    finally:
        del sys.modules["pytz"]


def pandas(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """Frames from DuckDB."""
    with duckdb.connect(str(path), read_only=True) as connection:
        frames = {name: connection.sql(_all(name)).df() for name in names}
    return {name: {column: str(each) for column, each in frame.dtypes.items()} for name, frame in frames.items()}


def polars(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """Frames from DuckDB."""
    with duckdb.connect(str(path), read_only=True) as connection:
        frames = {name: connection.sql(_all(name)).pl() for name in names}
    return {name: {column: str(each) for column, each in frame.schema.items()} for name, frame in frames.items()}


def pyarrow(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """Tables from DuckDB."""
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = {name: connection.sql(_all(name)).to_arrow_table() for name in names}
    return {name: {each.name: str(each.type) for each in table.schema} for name, table in tables.items()}


def ibis(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """Tables of a connection to the file."""
    import ibis

    connection = ibis.duckdb.connect(path, read_only=True)
    found = {}
    for schema, name in names:
        table = connection.table(name, database=schema)
        table.to_pyarrow()
        found[schema, name] = {column: str(each) for column, each in table.schema().items()}
    return found


def ibis_list(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """Tables as ibis finds them by itself."""
    import ibis

    connection = ibis.duckdb.connect(path, read_only=True)
    return {(schema, name): {} for schema in ("main", "raw") for name in connection.list_tables(database=schema)}


def sqlalchemy(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """Rows of text queries."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True})
    with engine.connect() as connection:
        return {name: _of_rows(connection.execute(sqlalchemy.text(_all(name))).cursor) for name in names}


def sqlalchemy_reflection(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """Tables as SQLAlchemy finds them by itself."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"duckdb:///{path}", connect_args={"read_only": True})
    found = {}
    for schema, name in names:
        table = sqlalchemy.Table(name, sqlalchemy.MetaData(), schema=schema, autoload_with=engine)
        found[schema, name] = {column.name: str(column.type) for column in table.columns}
    return found


def dbt(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """A project with the file attached, and a table of its own made from each of ours."""
    project = path.parent / "dbt"
    (project / "models").mkdir(parents=True)
    attached = [{"path": str(path), "alias": "lp", "read_only": True}]
    output = {"type": "duckdb", "path": "mine.duckdb", "attach": attached}
    sources = [
        {
            "name": schema,
            "database": "lp",
            "schema": schema,
            "tables": [{"name": each} for at, each in names if at == schema],
        }
        for schema in sorted({schema for schema, _ in names})
    ]
    files = {
        "dbt_project.yml": {"name": "mine", "profile": "mine", "models": {"+materialized": "table"}},
        "profiles.yml": {"mine": {"target": "dev", "outputs": {"dev": output}}},
        "models/sources.yml": {"sources": sources},
    }
    for file, content in files.items():
        (project / file).write_text(json.dumps(content))  # JSON is YAML
    for schema, name in names:
        model = f"select * from {{{{ source('{schema}', '{name}') }}}}"
        (project / "models" / f"my_{schema}_{name}.sql").write_text(model)
    command = [BIN / "dbt", "--quiet", "--no-send-anonymous-usage-stats", "run", "--profiles-dir", "."]
    _run(command, cwd=project)
    made = column_types(project / "mine.duckdb")
    return {(schema, name): made["main", f"my_{schema}_{name}"] for schema, name in names}


def command_line(path: Path, names: Iterable[Name]) -> dict[Name, Types]:
    """DuckDB's command line with `-json`."""
    found = {}
    for name in names:
        output = _run([BIN / "duckdb", "-readonly", "-json", path, "-c", _all(name)])
        rows = json.loads(output or "[]")
        found[name] = _of_values(list(rows[0]), [list(row.values()) for row in rows]) if rows else {}
    return found


CLIENTS: dict[str, tuple[Callable[[Path, Iterable[Name]], dict[Name, Types]], str]] = {
    "Python, without pytz": (python_without_pytz, "duckdb"),
    "Python": (python, "duckdb"),
    "pandas": (pandas, "pandas"),
    "Polars": (polars, "polars"),
    "PyArrow": (pyarrow, "pyarrow"),
    "ibis": (ibis, "ibis-framework"),
    "ibis, `list_tables`": (ibis_list, "ibis-framework"),
    "SQLAlchemy": (sqlalchemy, "duckdb-engine"),
    "SQLAlchemy, reflection": (sqlalchemy_reflection, "duckdb-engine"),
    "dbt": (dbt, "dbt-duckdb"),
    "command line": (command_line, "duckdb-cli"),
}


def column_types(path: Path) -> dict[Name, Types]:
    """DuckDB's own types."""
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = connection.execute(COLUMNS, {"database": path.stem}).fetchall()
    found: dict[Name, Types] = {}
    for schema, name, column, kind in rows:
        found.setdefault((schema, name), {})[column] = kind
    return found


def _all(name: Name) -> str:
    return 'select * from "{}"."{}"'.format(*name)


def _of_rows(cursor: Any) -> Types:
    names = [each[0] for each in cursor.description]
    return _of_values(names, cursor.fetchall())


def _of_values(names: list[str], rows: list[Any]) -> Types:
    values = {
        name: next((row[place] for row in rows if row[place] is not None), None) for place, name in enumerate(names)
    }
    return {name: _kind(value) for name, value in values.items() if value is not None}


def _kind(value: Any) -> str:
    aware = isinstance(value, datetime) and value.tzinfo is not None
    return type(value).__name__ + (" with zone" if aware else "")


def _run(command: list[Any], cwd: Path | None = None) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip())
    return done.stdout


def main(file: Path, clients: list[str]) -> None:
    """Print each client's version, what it read, and the types it gave for each of DuckDB's, or its error."""
    found: dict[str, Any] = {"duckdb": duckdb.__version__}
    with tempfile.TemporaryDirectory() as folder:
        for client in clients:
            read, package = CLIENTS[client]
            path = Path(folder) / str(len(found)) / "published.duckdb"
            path.parent.mkdir()
            shutil.copy(file, path)  # in one process, all connections to a file share one DuckDB
            found[client] = {"version": version(package)} | _outcome(read, path)
    sys.stdout.write(json.dumps(found))


def _outcome(read: Callable[[Path, Iterable[Name]], dict[Name, Types]], path: Path) -> dict[str, Any]:
    try:
        kinds = column_types(path)
        found = read(path, [name for name in kinds if name[0] != "internal"])
    except Exception as error:  # whatever a client raises is its answer
        return {"error": f"{type(error).__name__}: {error}"}
    types: dict[str, set[str]] = {}
    for name, columns in found.items():
        for column, kind in columns.items():
            types.setdefault(kinds[name][column], set()).add(kind)
    return {
        "read": sorted(".".join(name) for name in found),
        "types": {kind: sorted(each) for kind, each in types.items()},
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), sys.argv[2:])
