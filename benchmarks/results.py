"""What was measured: one form for all scenarios, which the report reads."""

import statistics
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from benchmarks.measure import Measured


class Result(msgspec.Struct):
    """Something that was measured several times: `what` in which `part` of which scenario, at which size (records).

    Each list has a value for each time; it is empty where nothing was measured. `note` says why there is no result,
    `when` tells the run of the benchmarks that measured it.
    """

    scenario: str
    size: int
    what: str
    part: str = ""
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    peak_mb: list[float] = []
    disk_mb: list[float] = []
    note: str = ""
    when: str = ""

    def median(self, name: str) -> float | None:
        """The median of one of the lists."""
        values = getattr(self, name)
        return statistics.median(values) if values else None


class Results:
    """Everything that was measured so far, by scenario, size, what and part."""

    def __init__(self) -> None:
        self._when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        self._all: dict[tuple[str, int, str, str], Result] = {}

    def add(self, scenario: str, size: int, what: str, part: str = "", **values: float) -> None:
        """Add one time's values."""
        result = self._result(scenario, size, what, part)
        for name, value in values.items():
            getattr(result, name).append(round(value, 4))
        shown = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
        print(f"{scenario} {size:,}: {what}, {part}: {shown}", file=sys.stderr, flush=True)

    def add_process(self, scenario: str, size: int, what: str, part: str, found: Measured) -> None:
        """Add a whole process."""
        names = ("seconds", "cpu_seconds", "peak_mb", "disk_mb")
        self.add(scenario, size, what, part, **{name: getattr(found, name) for name in names})

    def add_stages(self, scenario: str, size: int, part: str, found: Measured) -> None:
        """Add the stages that `benchmarks.ours` timed."""
        stages: Mapping[str, Mapping[str, float]] = found.output["stages"]
        for name, values in stages.items():
            self.add(scenario, size, f"ours: {name}", part, **values)

    def failed(self, scenario: str, size: int, what: str, part: str, why: Exception) -> None:
        """There is no result, and why."""
        self._result(scenario, size, what, part).note = str(why).strip().splitlines()[-1]
        print(f"{scenario} {size:,}: {what}, {part}: FAILED\n{why}", file=sys.stderr, flush=True)

    @property
    def all(self) -> list[Result]:
        """The results in the order in which they were first measured."""
        return list(self._all.values())

    def _result(self, scenario: str, size: int, what: str, part: str) -> Result:
        key = (scenario, size, what, part)
        return self._all.setdefault(key, Result(*key, when=self._when))
