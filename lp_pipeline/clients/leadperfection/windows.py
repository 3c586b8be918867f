"""Windows of time, and how they are sent to LeadPerfection (SPEC W3): as its local wall time, to the second, widened
around clock changes, never inverted. Arithmetic on times only: no settings, no clock, no network.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

LATE = timedelta(minutes=10)  # so that a record edited while pages are read stays in the window
SECOND = timedelta(seconds=1)
REACH = timedelta(hours=1)  # a clock change moves the wall clock by no more than this


@dataclass(frozen=True)
class Window:
    """Two instants, both inclusive."""

    begin: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.begin.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window lies between two aware instants")
        if self.end < self.begin:
            raise ValueError("a window never ends before it begins")
        object.__setattr__(self, "begin", self.begin.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))


@dataclass(frozen=True)
class SentWindow:
    """A window as LeadPerfection is asked for it: its wall time, whole seconds, both ends inclusive."""

    start: datetime
    end: datetime

    def fields(self) -> dict[str, str]:
        """The request fields; both ends always carry a time, for a bare end date would invert the window."""
        return {
            "startdate": self.start.isoformat(" ", "seconds"),
            "enddate": self.end.isoformat(" ", "seconds"),
        }


def as_sent(window: Window, zone: ZoneInfo, late: timedelta = LATE, other: ZoneInfo | None = None) -> SentWindow:
    """The wall times that are sure to cover the window, with its end `late`.

    They cover it whether LeadPerfection compares wall clocks, or turns the bounds into instants and picks either
    reading of a time that occurs twice; and by the `other` reading of the zone, if databases disagree (SPEC J5).
    """
    sent = [_as_sent(window, each, late) for each in (zone, other) if each is not None]
    return SentWindow(min(each.start for each in sent), max(each.end for each in sent))


def pieces(window: Window, length: timedelta) -> list[Window]:
    """The window cut into pieces no longer than `length`, oldest first, each beginning where the last one ended."""
    if length <= timedelta():
        raise ValueError("a piece has a length")
    cut = [window.begin]
    while window.end - cut[-1] > length:
        cut.append(cut[-1] + length)
    return [Window(begin, end) for begin, end in zip(cut, [*cut[1:], window.end], strict=True)]


def halves(window: Window) -> tuple[Window, Window] | None:
    """The window cut in two at a whole second; None if it is too short for that."""
    middle = _floor(window.begin + (window.end - window.begin) / 2)
    if not window.begin < middle < window.end:
        return None
    return Window(window.begin, middle), Window(middle, window.end)


def instants(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both instants that a wall time can mean, earlier first; they are the same except around clock changes."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return min(first, second), max(first, second)


def _as_sent(window: Window, zone: ZoneInfo, late: timedelta) -> SentWindow:
    begin, end = window.begin, window.end + late
    start_wall = _wall(begin, min(_offset(begin + step, zone) for step in (-REACH, timedelta(), REACH)))
    end_wall = _wall(end, max(_offset(end + step, zone) for step in (-REACH, timedelta(), REACH)))
    start = _floor(start_wall) - _gap(_floor(start_wall), zone)
    finish = _ceiling(end_wall) + _gap(_ceiling(end_wall), zone)
    return SentWindow(start, max(start, finish))


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _wall(instant: datetime, offset: timedelta) -> datetime:
    return instant.replace(tzinfo=None) + offset


def _floor(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _ceiling(moment: datetime) -> datetime:
    return _floor(moment) + (SECOND if moment.microsecond else timedelta())


def _gap(wall: datetime, zone: ZoneInfo) -> timedelta:
    """By how much the clock jumped over this wall time; nothing if it exists."""
    before = wall.replace(tzinfo=zone, fold=0)
    after = wall.replace(tzinfo=zone, fold=1)
    if before.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return timedelta()
    return (after.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
