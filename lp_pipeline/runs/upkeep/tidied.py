"""One line of what housekeeping did, for whoever reports it. What is removed, and when, is decided elsewhere."""

from dataclasses import dataclass

UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Tidied:
    """`what` there was before and is after; sizes are in bytes (`is_size`), anything else is a number of things."""

    what: str
    before: int
    after: int
    is_size: bool = False

    def __str__(self) -> str:
        before, after = (size(each) if self.is_size else f"{each:,}" for each in (self.before, self.after))
        return f"{before}, unchanged" if before == after else f"{before} → {after}"


def size(number: float) -> str:
    """Bytes as people read them: 31.4 MB."""
    for unit in UNITS[:-1]:
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == UNITS[0] or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} {UNITS[-1]}"
