"""Windows as they are sent, around every kind of clock change."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.leadperfection.windows import LATE, Window, as_sent, halves, pieces

ZONES = ("America/New_York", "America/Denver", "America/Phoenix", "Pacific/Honolulu", "America/Adak", "UTC")
CHANGES = tuple(
    change
    for hour in (6, 7, 8, 9, 11, 12)  # UTC hours at which these zones change their clocks
    for change in (datetime(2026, 3, 8, hour, tzinfo=UTC), datetime(2026, 11, 1, hour, tzinfo=UTC))
)
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
begins = st.builds(
    lambda change, seconds, fraction: change + timedelta(seconds=seconds, microseconds=fraction),
    st.sampled_from(CHANGES),
    st.integers(-4 * 3600, 4 * 3600),
    st.sampled_from([0, 1, 500_000, 999_999]),
)
lengths = st.timedeltas(timedelta(), timedelta(hours=5))
NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def exists(moment: datetime, zone: ZoneInfo) -> bool:
    return wall(moment.replace(tzinfo=zone).astimezone(UTC), zone) == moment


def readings(moment: datetime, zone: ZoneInfo) -> set[datetime]:
    return {moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}


@given(zone=zones, begin=begins, length=lengths, share=st.floats(0, 1))
def test_the_wall_time_of_every_instant_meant_lies_inside(
    zone: ZoneInfo, begin: datetime, length: timedelta, share: float
) -> None:
    """W3: around clock changes windows widen until they are sure to cover the instants meant, the late end included."""
    sent = as_sent(Window(begin, begin + length), zone)
    assert sent.start <= wall(begin + (length + LATE) * share, zone) <= sent.end


@given(zone=zones, begin=begins, length=lengths)
def test_the_instants_lie_inside_whichever_reading_of_its_bounds_leadperfection_picks(
    zone: ZoneInfo, begin: datetime, length: timedelta
) -> None:
    """W3: mind the hour that a clock change repeats."""
    sent = as_sent(Window(begin, begin + length), zone)
    assert max(readings(sent.start, zone)) <= begin
    assert min(readings(sent.end, zone)) >= begin + length + LATE


@given(zone=zones, begin=begins, length=lengths, late=st.sampled_from([timedelta(), LATE]))
def test_a_window_is_never_inverted_and_its_bounds_are_times_that_exist(
    zone: ZoneInfo, begin: datetime, length: timedelta, late: timedelta
) -> None:
    """W3: never inverted, to the second, also in the hour that a clock change repeats or skips."""
    sent = as_sent(Window(begin, begin + length), zone, late)
    assert sent.start <= sent.end
    for bound in (sent.start, sent.end):
        assert bound.microsecond == 0
        assert bound.tzinfo is None
        assert exists(bound, zone)


@given(zone=zones, other=zones, begin=begins, length=lengths)
def test_where_databases_disagree_a_window_covers_both_readings(
    zone: ZoneInfo, other: ZoneInfo, begin: datetime, length: timedelta
) -> None:
    """J5: the other reading of the zone may be the right one; no window is wider than it must be."""
    window = Window(begin, begin + length)
    sent, alone, others = as_sent(window, zone, LATE, other), as_sent(window, zone), as_sent(window, other)
    assert (sent.start, sent.end) == (min(alone.start, others.start), max(alone.end, others.end))


@given(zone=zones, begin=st.datetimes(datetime(2026, 5, 1), datetime(2026, 9, 30)), length=lengths)
def test_away_from_clock_changes_a_window_is_just_converted(zone: ZoneInfo, begin: datetime, length: timedelta) -> None:
    """W3: start rounded down, end rounded up, and nothing else."""
    window = Window(begin.replace(tzinfo=UTC), begin.replace(tzinfo=UTC) + length)
    sent = as_sent(window, zone)
    assert timedelta() <= wall(window.begin, zone) - sent.start < timedelta(seconds=1)
    assert timedelta() <= sent.end - wall(window.end + LATE, zone) < timedelta(seconds=1)


@given(zone=st.sampled_from([ZoneInfo("America/Phoenix"), ZoneInfo("Pacific/Honolulu")]), begin=begins, length=lengths)
def test_zones_without_clock_changes_are_never_widened(zone: ZoneInfo, begin: datetime, length: timedelta) -> None:
    """W3: Phoenix and Honolulu keep their clocks, whatever the others do."""
    sent = as_sent(Window(begin, begin + length), zone)
    assert timedelta() <= wall(begin, zone) - sent.start < timedelta(seconds=1)
    assert timedelta() <= sent.end - wall(begin + length + LATE, zone) < timedelta(seconds=1)


def test_both_ends_are_sent_with_a_time_and_the_end_is_late() -> None:
    """W3: start rounded down, end up and ten minutes late; contract: both ends with a time."""
    window = Window(at("2026-03-02T14:00:00.7+00:00"), at("2026-03-02T15:00:00.2+00:00"))
    assert as_sent(window, NEW_YORK).fields() == {
        "startdate": "2026-03-02 09:00:00",
        "enddate": "2026-03-02 10:10:01",
    }
    assert as_sent(window, NEW_YORK, late=timedelta()).fields()["enddate"] == "2026-03-02 10:00:01"


@pytest.mark.parametrize(
    ("begin", "end", "start_sent", "end_sent"),
    [
        # the clock goes back at 06:00 UTC: 01:00 to 02:00 comes twice
        ("2026-11-01T05:30:00+00:00", "2026-11-01T05:40:00+00:00", "00:30:00", "01:50:00"),
        ("2026-11-01T06:10:00+00:00", "2026-11-01T06:20:00+00:00", "01:10:00", "02:30:00"),
        # it goes forward at 07:00 UTC: 02:00 to 03:00 does not exist
        ("2026-03-08T07:10:00+00:00", "2026-03-08T07:20:00+00:00", "01:10:00", "03:30:00"),
        ("2026-03-08T06:30:00+00:00", "2026-03-08T06:45:00+00:00", "01:30:00", "03:55:00"),
    ],
)
def test_the_hours_of_a_clock_change_widen_the_window(begin: str, end: str, start_sent: str, end_sent: str) -> None:
    """W3: in the hour that a clock change repeats or skips, the window widens."""
    sent = as_sent(Window(at(begin), at(end)), NEW_YORK)
    assert (sent.start.time().isoformat(), sent.end.time().isoformat()) == (start_sent, end_sent)


@given(begin=begins, length=st.timedeltas(timedelta(), timedelta(days=40)), piece=st.timedeltas(timedelta(hours=6)))
def test_pieces_cover_the_window_without_gap_or_overlap_oldest_first(
    begin: datetime, length: timedelta, piece: timedelta
) -> None:
    """W2: a long window is read in pieces, oldest first."""
    cut = pieces(Window(begin, begin + length), piece)
    assert (cut[0].begin, cut[-1].end) == (begin, begin + length)
    assert all(earlier.end == later.begin for earlier, later in pairwise(cut))
    assert all(each.end - each.begin <= piece for each in cut)
    assert len(cut) == max(1, -(-length // piece))


@given(begin=begins, length=st.timedeltas(timedelta(), timedelta(days=2)))
def test_halves_meet_at_a_whole_second_and_are_both_shorter(begin: datetime, length: timedelta) -> None:
    """W4: a window that keeps shifting is read in halves; one too short for that says so."""
    window = Window(begin, begin + length)
    cut = halves(window)
    if cut is None:
        assert length < timedelta(seconds=3)
        return
    earlier, later = cut
    assert (earlier.begin, earlier.end, later.end) == (begin, later.begin, begin + length)
    assert later.begin.microsecond == 0
    assert begin < later.begin < begin + length


def test_a_window_of_a_second_has_no_halves() -> None:
    """W4: halving ends."""
    assert halves(Window(at("2026-03-02T14:00:00Z"), at("2026-03-02T14:00:01Z"))) is None


def test_a_window_lies_between_two_aware_instants_in_order() -> None:
    """W3: never inverted."""
    with pytest.raises(ValueError, match="never ends before"):
        Window(at("2026-03-02T14:00:01Z"), at("2026-03-02T14:00:00Z"))
    with pytest.raises(ValueError, match="aware"):
        Window(datetime(2026, 3, 2), at("2026-03-02T14:00:00Z"))
    assert Window(at("2026-03-02T09:00:00-05:00"), at("2026-03-02T14:00:00Z")).begin.tzinfo is UTC
    with pytest.raises(ValueError, match="length"):
        pieces(Window(at("2026-03-02T14:00:00Z"), at("2026-03-02T14:00:00Z")), timedelta())
