"""Results as JSON, as Markdown tables between two marks of a page, and as charts."""

import os
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.charts import bars, lines
from benchmarks.compare import PARTS
from benchmarks.results import Result

BEGIN, END = "<!-- results: written by `make bench` -->", "<!-- end of results -->"
NAMES = {
    "fetch": "limit: fetching the bytes",
    "parse": "limit: fetching, and parsing once",
    "read": "limit: DuckDB's typed read of the lines",
    "job: start-up": "job: until Dagster starts its first step",
    "job: the run itself": "job: from first step to last",
}
TITLES = {
    "growth": "500 changes among many opportunities",
    "syncs": "Many syncs in a row",
    "sending": "Sending",
    "slow server": "A LeadPerfection that takes its time",
    "daemon": "Under the daemon",
    "processes": "The processes of `make dev`",
    "fleet": "Many accounts",
}
SCENARIOS = ["compare", *TITLES]
EVERY_SYNC = ("first load", "1 % changed", "nothing changed")


class Report(msgspec.Struct):
    """What a run of the benchmarks found, and where."""

    machine: str
    versions: dict[str, str]
    results: list[Result]


def report(results: list[Result]) -> Report:
    """With this machine and the versions in use."""
    packages = ("duckdb", "dagster", "lp-pipeline")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    machine = (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB, load {load:.1f} at the end"
    )
    versions = {"python": platform.python_version(), **{name: version(name) for name in packages}}
    return Report(machine, versions, results)


def write(found: Report, folder: Path, page: Path | None = None) -> None:
    """`results.json`, `results.md` and the charts into the folder; into a page too, between its marks.

    What an earlier run left in `results.json` stays, but for the scenarios and sizes that were measured now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _keep_others(found, folder / "results.json")
    (folder / "results.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    charts = _charts(found, folder)
    text = _markdown(found)
    (folder / "results.md").write_text(text + _links(charts, folder), encoding="utf-8")
    if page is not None:
        before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        body = text + _links(charts, page.parent)
        page.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")


def _keep_others(found: Report, path: Path) -> None:
    if not path.exists():
        return
    now = {(each.scenario, each.size) for each in found.results}
    before = msgspec.json.decode(path.read_bytes(), type=Report).results
    kept = [each for each in before if (each.scenario, each.size) not in now]
    found.results = sorted(kept + found.results, key=lambda each: (SCENARIOS.index(each.scenario), each.size))


def _markdown(found: Report) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    results = found.results
    parts = [f"{found.machine}; {versions}. Medians.\n"]
    parts += [
        _compared(size, [each for each in results if (each.scenario, each.size) == ("compare", size)])
        for size in _sizes(results, "compare")
    ]
    for scenario, title in TITLES.items():
        if rows := [each for each in results if each.scenario == scenario]:
            of = "accounts" if scenario == "fleet" else "records"
            parts.append(f"### {title}\n\n{_measured(rows)}{_plain(rows, of)}")
    return "\n".join(parts)


def _compared(size: int, results: Sequence[Result]) -> str:
    """A row for each contestant; seconds (CPU seconds) · peak memory · files, after each part."""
    by_name = {(each.what, each.part): each for each in results}
    rows = []
    for what in dict.fromkeys(each.what for each in results):
        cells = [_cell(by_name.get((what, part))) for part in EVERY_SYNC]
        rows.append([NAMES.get(what, what), *cells])
    times = max(len(each.seconds) for each in results)
    head = ["seconds (CPU seconds) · peak MB · files MB", *EVERY_SYNC]
    rounds = "once" if times == 1 else f"{times} times"
    return f"### {size:,} prospects, both feeds, {rounds}\n\n{_measured(results)}{_table(head, rows)}"


def _measured(results: Iterable[Result]) -> str:
    return f"Measured {', '.join(dict.fromkeys(each.when for each in results))}.\n\n"


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    if result.note:
        return f"failed: {result.note[:80]}"
    cpu, peak, disk = (result.median(name) for name in ("cpu_seconds", "peak_mb", "disk_mb"))
    text = f"{result.median('seconds'):.2f}"
    text += f" ({cpu:.2f})" if cpu is not None else ""
    text += f" · {peak:,.0f}" if peak is not None else ""
    return text + (f" · {disk:,.0f}" if disk else "")


def _plain(results: Iterable[Result], of: str) -> str:
    head = ["what", "", of, "seconds", "CPU seconds", "memory MB", "file MB", "times"]
    rows = []
    for each in results:
        numbers = [each.median(name) for name in ("seconds", "cpu_seconds", "peak_mb", "disk_mb")]
        shown = ["" if number is None else f"{number:,.{2 if number >= 0.1 else 4}f}" for number in numbers]
        times = max(map(len, (each.seconds, each.cpu_seconds, each.peak_mb, each.disk_mb)))
        rows.append([each.what, each.part, f"{each.size:,}", *shown, each.note[:80] or str(times)])
    return _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines_ = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines_) + "\n"


def _charts(found: Report, folder: Path) -> dict[str, Path]:
    """The charts by their titles."""
    made: dict[str, Path] = {}
    for size in _sizes(found.results, "compare"):
        for part in (PARTS["full"], PARTS["changed"]):
            values = {
                NAMES.get(each.what, each.what): each.median("seconds") or 0.0
                for each in found.results
                if (each.scenario, each.size, each.part) == ("compare", size, part) and each.seconds
            }
            title = f"{size:,} prospects, {part}: seconds"
            made[title] = folder / f"compare-{size}-{part.replace(' % ', '-percent-').replace(' ', '-')}.svg"
            bars(made[title], title, values, "s")
    growth: dict[str, list[tuple[float, float]]] = {}
    for each in found.results:
        if each.scenario == "growth" and each.part != "loading" and (seconds := each.median("seconds")):
            growth.setdefault(each.what.removeprefix("ours: "), []).append((each.size, seconds))
    if growth:
        title = "500 changes among so many opportunities: seconds"
        made[title] = folder / "growth.svg"
        lines(made[title], title, growth, "s")
    return made


def _links(charts: dict[str, Path], seen_from: Path) -> str:
    return "\n".join(f"\n![{title}]({os.path.relpath(path, seen_from)})" for title, path in charts.items()) + "\n"


def _sizes(results: Iterable[Result], scenario: str) -> list[int]:
    return list(dict.fromkeys(each.size for each in results if each.scenario == scenario))
