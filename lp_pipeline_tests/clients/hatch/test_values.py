"""Single values in all the forms they may come in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch.values import instant, links, seconds, text_of

MOMENT = datetime(2026, 3, 2, 15, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        *("2026-03-02T15:05:00Z", "2026-03-02T15:05:00", "2026-03-02 15:05:00", "2026-03-02T10:05:00-05:00"),
        *(
            "2026-03-02 15:05:00 UTC",
            "2026-03-02 15:05:00.000 utc",
            "2026-03-02 15:05:00+00",
            "2026-03-02T10:05:00-0500",
        ),
        *("2026-03-02T15:05:00.0000000Z", " 2026-03-02T15:05Z ", "20260302T150500Z"),
        *(1772463900, 1772463900.0, "1772463900", 1772463900000, "1772463900000", 1772463900000000, 1772463900 * 10**9),
    ],
)
def test_an_instant_may_be_written_in_many_ways(value: object) -> None:
    """Contract 2: the form of times is unknown; without an offset it is UTC."""
    assert instant(value) == MOMENT


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "soon",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        0,
        7,
        -1,
        True,
        "2026-13-01",
        [1772463900],
        {},
        float("nan"),
        float("inf"),
        10**30,
        "9" * 20,
    ],
)
def test_what_is_no_instant_is_none(value: object) -> None:
    """A time is one that Hatch can have meant."""
    assert instant(value) is None


@given(st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30)))
def test_an_instant_survives_its_own_writing(moment: datetime) -> None:
    """ISO and numbers mean the same instant."""
    aware = moment.replace(tzinfo=UTC)
    assert instant(aware.isoformat()) == aware
    found = instant(round(aware.timestamp() * 1000))
    assert found is not None
    assert abs((found - aware).total_seconds()) < 0.001


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (95, 95),
        (95.4, 95),
        ("95", 95),
        ("00:01:35", 95),
        ("1:35", 95),
        ("01:00:00", 3600),
        (0, 0),
        ("0:07.6", 8),
        (-1, None),
        ("", None),
        (None, None),
        (True, None),
        ("long", None),
        (10**9, None),
        ("nan", None),
        ([1], None),
    ],
)
def test_a_duration_is_a_number_of_seconds_or_a_clocks(value: object, length: int | None) -> None:
    """Contract 2: the duration's form is unknown."""
    assert seconds(value) == length


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("https://x.example/a.mp3?b=c,d", ["https://x.example/a.mp3?b=c,d"]),
        ("https://x.example/a, https://x.example/b", ["https://x.example/a", "https://x.example/b"]),
        ("https://x.example/a,https://x.example/b", ["https://x.example/a", "https://x.example/b"]),
        ('["https://x.example/a", {"URL": "https://x.example/b"}]', ["https://x.example/a", "https://x.example/b"]),
        ([{"url": "https://x.example/a", "name": "https://x.example/n"}, None, 7], ["https://x.example/a"]),
        (["https://x.example/a", "https://x.example/a"], ["https://x.example/a"]),
        ("see https://x.example/a please", ["https://x.example/a"]),
        ("http://x.example/a", []),
        ("javascript:alert(1)", []),
        ("https://user:secret@x.example/a", []),
        ("https://localhost/a", []),
        ("https://[x.example/a", []),
        ("https://x.example/" + "a" * 2000, []),
        ("[not json", []),
        ([[[[["https://x.example/deep"]]]]], []),
    ],
)
def test_links_are_found_in_texts_lists_and_objects(value: object, found: list[str]) -> None:
    """C6: https links to recordings and attachments, each once."""
    assert list(links(value)) == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a ", "a"),
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        ("a\x00", "a"),
        (" ", None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_a_number_will_do_as_text(value: object, text: str | None) -> None:
    """Ids are compared as text, never as `7.0`."""
    assert text_of(value) == text
