"""What grows with what there is already: 500 changes among many opportunities, a thousand syncs in a row.

And what waits for others: a thousand notes, a thousand deliveries, a slow LeadPerfection. All by the small records.
"""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.account import UNLIMITED, at, with_hatch, write_settings
from benchmarks.measure import Failed, measured, python
from benchmarks.results import Results
from benchmarks.server import server, show

CHANGES = 500
SMALL_PAGE = 48
SLICE = 500_000  # records that one sync loads; more than a real one ever reads at once
SYNC = python("benchmarks.ours", "sync")
ONE_FEED = {"LP_PROSPECT_ACTION": "off"}
INBOX = {"COMMUNICATIONS_FROM": "inbox", "INBOX_SECRET": "x" * 32, "PUSH_SINCE": "2020-01-01T00:00:00Z"}


def changes_at(results: Results, work: Path, size: int, rounds: int) -> None:
    """Load `size` opportunities, then merge and publish 500 changes, so many times."""
    shutil.rmtree(work, ignore_errors=True)
    with server() as address:
        environ = write_settings(work, address, **ONE_FEED)
        try:
            syncs = _load(results, environ, address, work, size)
            for revision in range(1, rounds + 1):
                show(address, "changed", size=size, revision=revision, number=CHANGES)
                found = measured(SYNC, work / "data", environ | at(syncs + revision))
                assert found.output["updated"] == min(size, CHANGES), found.output
                results.add_process("growth", size, "ours, without Dagster", f"{CHANGES} changes", found)
                results.add_stages("growth", size, f"{CHANGES} changes", found)
                _copy(results, size, work / "data" / "published.duckdb")
        except Failed as error:
            results.failed("growth", size, "ours, without Dagster", f"{CHANGES} changes", error)
    shutil.rmtree(work, ignore_errors=True)


def _load(results: Results, environ: dict[str, str], address: str, work: Path, size: int) -> int:
    """Load in slices; how many syncs that took."""
    seconds = cpu = peak = disk = 0.0
    slices = range(0, size, SLICE)
    for number, first in enumerate(slices):
        show(address, "range", first=first, last=min(size, first + SLICE))
        found = measured(SYNC, work / "data", environ | at(number))
        seconds, cpu = seconds + found.seconds, cpu + found.cpu_seconds
        peak, disk = max(peak, found.peak_mb), found.disk_mb
    values = {"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak, "disk_mb": disk}
    results.add("growth", size, "ours, without Dagster", "loading", **values)
    return len(slices)


def _copy(results: Results, size: int, published: Path) -> None:
    began = time.perf_counter()
    copy = shutil.copyfile(published, published.with_suffix(".copy"))
    seconds = time.perf_counter() - began
    results.add("growth", size, "copying the published file", "", seconds=seconds, disk_mb=copy.stat().st_size / 1e6)
    copy.unlink()


def many_syncs(results: Results, work: Path, *, size: int, number: int, changes: int = 20) -> None:
    """So many syncs in a row: how long the first and the last tenth took (a result for each sync), and the files."""
    shutil.rmtree(work, ignore_errors=True)
    with server() as address:
        environ = write_settings(work, address, **ONE_FEED)
        show(address, "range", first=0, last=size)
        measured(SYNC, work / "data", environ | at(0))
        command = python("benchmarks.ours", "syncs", "--number", number, "--size", size, "--changes", changes)
        found = measured(command, work / "data", environ)
    each = found.output["each_seconds"]
    share = max(1, min(50, number // 10))
    for what, some in ((f"the first {share}", each[:share]), (f"the last {share}", each[-share:])):
        for seconds in some:
            results.add("syncs", size, what, f"of {number} syncs with {changes} changes", seconds=seconds)
    for name in ("work.duckdb", "published.duckdb"):
        path = work / "data" / name
        results.add("syncs", size, name, "as it is", disk_mb=path.stat().st_size / 1e6)
        results.add("syncs", size, name, "compact", disk_mb=_compact_mb(path))
    shutil.rmtree(work, ignore_errors=True)


def _compact_mb(path: Path) -> float:
    """How large the file is when it is written anew."""
    copy = path.with_suffix(".compact")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as whole (read_only)").fetchall()
        connection.execute(f"attach '{copy}' as compact (storage_version 'v1.5.0')").fetchall()
        connection.execute("copy from database whole to compact").fetchall()
        connection.execute("checkpoint compact").fetchall()
    return copy.stat().st_size / 1e6


def sending(results: Results, work: Path, *, number: int, rounds: int) -> None:
    """Push so many notes into LeadPerfection, and deliver so many new opportunities to Hatch."""
    for _ in range(rounds):
        shutil.rmtree(work, ignore_errors=True)
        with server() as address:
            environ = write_settings(work, address, **ONE_FEED, **INBOX, **with_hatch(address))
            show(address, "range", first=0, last=number)
            found = measured(python("benchmarks.ours", "deliver"), work / "data", environ | at(0))
            results.add("sending", number, "delivering to Hatch", "", **found.output["stages"]["delivering"])
            found = measured(python("benchmarks.ours", "push", "--number", number), work / "data", environ | at(1))
            assert found.output["sent"] == number, found.output
            results.add("sending", number, "pushing notes", "", **found.output["stages"]["pushing"])
    shutil.rmtree(work, ignore_errors=True)


def slow_server(
    results: Results, work: Path, *, size: int, delay_ms: float = 200, limits: Sequence[str] = ("100", "240", UNLIMITED)
) -> None:
    """Read so many records in both feeds from a LeadPerfection that takes its time: how many calls a minute are made of
    those that the settings allow."""
    for limit in limits:
        shutil.rmtree(work, ignore_errors=True)
        with server(delay_ms=delay_ms) as address:
            environ = write_settings(work, address, LP_PAGE_SIZE=str(SMALL_PAGE), LP_RATE_PER_MINUTE=limit)
            show(address, "range", first=0, last=size)
            found = measured(SYNC, work / "data", environ | at(0))
            calls = show(address, "none")
        stage = found.output["stages"]["reading"]
        allowed = "any number" if limit == UNLIMITED else limit
        part = f"{calls} calls of {delay_ms:.0f} ms, {60 * calls / stage['seconds']:.0f} a minute; {allowed} allowed"
        results.add("slow server", size, "ours: reading", part, **stage)
    shutil.rmtree(work, ignore_errors=True)
