"""Paging without requests: a `Walk` against a server that is a list of rows."""

from collections.abc import Hashable

from hypothesis import example, given
from hypothesis import strategies as st

from lp_pipeline.clients.leadperfection.paginator import Walk
from lp_pipeline.errors import LeadPerfectionError

COUNTS = st.sampled_from(["page", "row"])


def answer(rows: list[int], counts: str, start_index: int, size: int) -> list[int]:
    first = start_index - 1 if counts == "row" else (start_index - 1) * size
    return rows[first : first + size]


def walk_through(walk: Walk, rows: list[int], counts: str, size: int, requests: int = 1000) -> list[Hashable]:
    read: list[Hashable] = []
    for _ in range(requests):
        if walk.done:
            return read
        page = answer(rows, counts, walk.start_index, size)
        read += page
        walk.took(page)
    raise AssertionError("the walk has no end")


@given(
    number=st.integers(0, 60), size=st.integers(1, 12), counts=COUNTS, trust=st.booleans(), set_by_user=st.booleans()
)
def test_every_row_is_read_whatever_start_index_counts(
    number: int, size: int, counts: str, trust: bool, set_by_user: bool
) -> None:
    """W4: pages are read to the feed's end, whether StartIndex counts pages or rows, set or not."""
    walk = Walk(size, counts if set_by_user else None, trust_short_page=trust)
    assert set(walk_through(walk, list(range(number)), counts, size)) == set(range(number))


@given(
    number=st.integers(0, 60), size=st.integers(1, 12), cap=st.integers(1, 12), counts=COUNTS, set_by_user=st.booleans()
)
def test_every_row_is_read_where_leadperfection_caps_the_page_size(
    number: int, size: int, cap: int, counts: str, set_by_user: bool
) -> None:
    """W4: as long as short pages are not trusted, a cap on the page size loses nothing."""
    walk = Walk(size, counts if set_by_user else None, trust_short_page=False)
    assert set(walk_through(walk, list(range(number)), counts, min(size, cap))) == set(range(number))


@given(
    number=st.integers(0, 40),
    size=st.integers(1, 8),
    counts=COUNTS,
    set_by_user=st.booleans(),
    arrivals=st.lists(st.integers(0, 3), max_size=10),
)
@example(
    number=12, size=2, counts="page", set_by_user=False, arrivals=[1, 1]
)  # looks just like a StartIndex that counts rows
def test_rows_that_arrive_in_front_while_pages_are_read_hide_none_that_was_there(
    number: int, size: int, counts: str, set_by_user: bool, arrivals: list[int]
) -> None:
    """W4: rows pushed back by new ones are read twice rather than not at all."""
    rows = list(range(number))
    walk = Walk(size, counts if set_by_user else None, trust_short_page=True)
    read: set[Hashable] = set()
    new = 1000
    for step in range(300):
        if walk.done:
            break
        page = answer(rows, counts, walk.start_index, size)
        read |= set(page)
        try:
            walk.took(page)
        except LeadPerfectionError:
            return  # whole pages came again and again: said so, not taken for the end
        for _ in range(arrivals[step] if step < len(arrivals) else 0):
            new += 1
            rows.insert(0, new)
    assert walk.done
    assert read >= set(range(number))


def test_a_row_that_arrives_while_it_is_found_out_what_start_index_counts_spoils_nothing() -> None:
    """Contract 4: detect it; in doubt, pages are asked for by number, which misses no row in either case."""
    for arrives_after in range(1, 5):
        rows = list(range(20))
        walk = Walk(4, None, trust_short_page=True)
        read: set[Hashable] = set()
        requests = 0
        while not walk.done:
            requests += 1
            page = answer(rows, "row", walk.start_index, 4)
            read |= set(page)
            walk.took(page)
            if requests == arrives_after:
                rows.insert(0, 1000)
        assert read >= set(range(20))
        assert walk.learnt == (None if arrives_after == 2 else "row")


def test_a_single_record_shown_again_is_the_end() -> None:
    """W4: one more request after a short first page; who ignores StartIndex shows the record again."""
    walk = Walk(50, None, trust_short_page=False)
    for _ in range(2):
        walk.took(["1"])
    assert walk.done
