"""Tries the clients on the published file, and compares what came of it with docs/clients.md; `--write` rewrites that.

The clients are in `.venv-clients`, made by `make compat`; older DuckDBs are in folders of it, to be put before the new.
"""

import difflib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.compat.read_with import CLIENTS, column_types
from lp_pipeline_tests.first_sync import first_sync
from lp_pipeline_tests.scenario import prospect

PAGE = REPOSITORY / "docs" / "clients.md"
BEGIN, END = "<!-- written by `make compat-docs` -->", "<!-- end -->"
VENV = REPOSITORY / ".venv-clients"
TOO_OLD, OLD, NEW = "duckdb14", "duckdb15", ""  # which DuckDB a client gets: a folder in VENV
ONLY_OLD = "command line"  # has a DuckDB of its own, for which there is no 2.0 yet


def main() -> int:
    """0 if the page says what the clients do."""
    with tempfile.TemporaryDirectory() as folder:
        file = first_sync(Path(folder) / "data", prospect("399999", email=...))  # which is rejected
        everything = {
            name: set(columns.values()) for name, columns in column_types(file).items() if name[0] != "internal"
        }
        old = outcomes(file, OLD, list(CLIENTS))
        new = outcomes(file, NEW, [name for name in CLIENTS if name != ONLY_OLD])
        too_old = outcomes(file, TOO_OLD, ["Python"])
    tables = {".".join(name) for name in everything}
    kinds = sorted(set().union(*everything.values()))
    text = "\n".join([*readable(tables, old, new, too_old), "", *typed(kinds, old, new)])
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    written = f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"
    if "--write" in sys.argv:
        PAGE.write_text(written, encoding="utf-8")
    elif written != page:
        found = difflib.unified_diff(page.splitlines(), written.splitlines(), "docs/clients.md", "found", lineterm="")
        sys.stdout.write("\n".join([*found, "docs/clients.md is out of date: `make compat-docs` writes it anew.", ""]))
        return 1
    return 0


def outcomes(file: Path, overlay: str, clients: list[str]) -> dict[str, Any]:
    """What each client made of the file, with the DuckDB of this folder."""
    environment = {**os.environ, "PYTHONPATH": str(VENV / overlay) if overlay else "", "TZ": "UTC"}
    script = Path(__file__).with_name("read_with.py")
    command = [str(VENV / "bin" / "python"), str(script), str(file), *clients]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def readable(tables: set[str], old: dict[str, Any], new: dict[str, Any], too_old: dict[str, Any]) -> list[str]:
    """A table: which client reads the file with which DuckDB."""
    lines = [f"| client | with DuckDB {old['duckdb']} | with DuckDB {new['duckdb']} |", "|---|---|---|"]
    for client, (_, package) in CLIENTS.items():
        title = client if package in ("duckdb", client.lower()) else f"{client}, {package}"
        title += "" if package == "duckdb" else f" {old[client]['version']}"
        answers = [answer(found[client], tables) if client in found else "not released yet" for found in (old, new)]
        lines.append(f"| {title} | {' | '.join(answers)} |")
    refusal = answer(too_old["Python"], tables)
    return [*lines, "", f"DuckDB {too_old['duckdb']} and older: {refusal}"]


def answer(found: dict[str, Any], tables: set[str]) -> str:
    """Whether a client read everything, or why not."""
    if "error" in found:
        first, *_ = found["error"].splitlines()
        return f"no: `{first.split('Error: ')[-1].strip()}`"
    missing = sorted(tables - set(found["read"]))
    return f"all but {', '.join(missing)}" if missing else "yes"


def typed(kinds: list[str], *found: dict[str, Any]) -> list[str]:
    """A table: what each client makes of each of DuckDB's types, with any DuckDB."""
    clients = [name for name in CLIENTS if any(each.get(name, {}).get("types") for each in found)]
    lines = [f"| DuckDB | {' | '.join(clients)} |", "|---" * (len(clients) + 1) + "|"]
    for kind in kinds:
        cells = []
        for client in clients:
            types = {name for each in found for name in each.get(client, {}).get("types", {}).get(kind, [])}
            cells.append(", ".join(f"`{name}`" for name in sorted(types)))
        lines.append(f"| `{kind}` | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    assert duckdb.__version__ >= "2", "the file is written as in use"
    sys.exit(main())
