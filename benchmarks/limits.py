"""The limits, which nobody can beat: `python -m benchmarks.limits fetch|parse|read ADDRESS FOLDER`.

`fetch` receives the bytes and throws them away. `parse` also decodes each page once. `read` lets DuckDB read the
records with types from a file of lines; its own time is in the output, without fetching.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
import msgspec

from benchmarks.pages import FEEDS, Reader

COLUMNS = {
    **dict.fromkeys(("cst_id", "email", "firstname", "lastname", "phone1", "dateadded", "lastchanged"), "varchar"),
    "leads": "struct(id varchar, disposition varchar, lastchangedon varchar, dateentered varchar, "
    "jobs struct(contractdate varchar)[], appointments struct(lastchangedon varchar)[])[]",
}


def fetch(address: str, _folder: Path) -> dict[str, float]:
    """Receive all pages of both feeds."""
    reader = Reader(address)
    return {"bytes": sum(len(page) for feed in FEEDS for page in reader.pages(feed))}


def parse(address: str, _folder: Path) -> dict[str, float]:
    """Receive and decode them."""
    reader = Reader(address)
    return {"records": sum(len(msgspec.json.decode(page)) for feed in FEEDS for page in reader.pages(feed))}


def read(address: str, folder: Path) -> dict[str, float]:
    """Write the records into files, a line each, then measure DuckDB reading the two."""
    folder.mkdir(parents=True, exist_ok=True)
    spool(address, folder)
    began, cpu = time.perf_counter(), time.process_time()
    with duckdb.connect() as connection:
        for feed in FEEDS:
            connection.execute(
                f"create table {feed} as from read_json($path, format = 'newline_delimited', columns = $columns)",
                {"path": str(folder / f"{feed}.lines"), "columns": COLUMNS},
            ).fetchall()
    return {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}


def spool(address: str, folder: Path) -> int:
    """Both feeds as files of lines; how many records."""
    reader, decoder, records = Reader(address), msgspec.json.Decoder(list[msgspec.Raw]), 0
    for feed in FEEDS:
        with (folder / f"{feed}.lines").open("wb") as file:
            for page in reader.pages(feed):
                rows = decoder.decode(page)
                file.write(b"\n".join(rows) + b"\n")
                records += len(rows)
    return records


if __name__ == "__main__":
    limit = {"fetch": fetch, "parse": parse, "read": read}[sys.argv[1]]
    print(json.dumps(limit(sys.argv[2], Path(sys.argv[3]))))
