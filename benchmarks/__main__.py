"""`make bench`, or `python -m benchmarks`: measure, and write what was found. `--help` lists what can be chosen.

The whole takes hours and should have the machine to itself; `--quick` takes two minutes and shows that all of it works.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.compare import Comparison
from benchmarks.daemon import ticks
from benchmarks.fleet import looks
from benchmarks.fleet_hour import hour
from benchmarks.growth import changes_at, many_syncs, sending, slow_server
from benchmarks.launchers import under_celery, under_default_launcher
from benchmarks.measure import ROOT
from benchmarks.report import report, write
from benchmarks.results import Results

SCENARIOS = ("compare", "growth", "syncs", "sending", "slow server", "daemon", "fleet")
OWN = ROOT / ".benchmarks"  # pages, which take minutes to make, stay here; and dlt's environment
DLT = ROOT / ".venv-dlt" / "bin" / "python"
LARGE = 1_000_000  # from here on three rounds are enough


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line chooses."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=SCENARIOS, help="these scenarios alone")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000, 1_000_000], help="to compare at")
    parser.add_argument("--grow", nargs="+", type=int, default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (3 from a million on)")
    parser.add_argument("--syncs", type=int, default=1000, help="in a row")
    parser.add_argument("--send", type=int, default=1000, help="notes and deliveries")
    parser.add_argument("--ticks", type=int, default=5, help="of the daemon, two minutes each")
    parser.add_argument("--accounts", type=int, default=500, help="to look at, and to simulate an hour of")
    parser.add_argument("--launch", type=int, default=20, help="accounts that are really synced, under each launcher")
    parser.add_argument("--minutes", type=int, default=3, help="between two syncs of each of them")
    parser.add_argument("--quick", action="store_true", help="small sizes, once, without the daemon")
    parser.add_argument("--work", type=Path, default=OWN, help="where pages and databases are made")
    parser.add_argument("--out", type=Path, default=OWN / "results", help="where the results go")
    parser.add_argument("--page", type=Path, help="a Markdown page whose results are replaced, too")
    given = parser.parse_args(arguments)
    if given.quick:
        given.sizes, given.grow, given.rounds, given.syncs, given.send = [1000], [500, 2000], 1, 10, 50
        given.only = [each for each in given.only if each != "daemon"]
        given.accounts, given.launch = 4, 0
    return given


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was chosen; the results are written after each scenario."""
    given = options(arguments)
    results, work = Results(), given.work / "work"

    def rounds(size: int) -> int:
        return min(given.rounds, 3) if size >= LARGE else int(given.rounds)

    def compare() -> None:
        for size in given.sizes:
            dlt = DLT if DLT.exists() else None
            Comparison(results, size, work, given.work / "pages", dlt).run(rounds(size))

    def grow() -> None:
        for size in given.grow:
            changes_at(results, work, size, rounds(size))

    def many() -> None:
        looks(results, work, given.accounts, given.rounds)
        seconds = 4.0
        if given.launch:
            under_default_launcher(results, work, given.launch, given.rounds, given.minutes)
            seconds = under_celery(results, work, given.launch, given.rounds, given.minutes)
        hour(results, work, given.accounts, seconds)

    scenarios: dict[str, Callable[[], None]] = {
        "compare": compare,
        "growth": grow,
        "syncs": lambda: many_syncs(results, work, size=min(10_000, *given.grow), number=given.syncs),
        "sending": lambda: sending(results, work, number=given.send, rounds=given.rounds),
        "slow server": lambda: slow_server(results, work, size=200 if given.quick else 2500),
        "daemon": lambda: ticks(results, work, size=10_000, number=given.ticks),
        "fleet": many,
    }
    for name in given.only:
        scenarios[name]()
        write(report(results.all), given.out, given.page)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # what was started here is ended
    main()
