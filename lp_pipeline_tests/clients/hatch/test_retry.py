"""When to try again: the waits themselves, without waiting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.retry import HatchPersistence, Kind, Trouble


def waits(*troubles: Trouble) -> list[float | bool]:
    persistence = HatchPersistence(None, 1.0)
    return [persistence(trouble) for trouble in troubles]


def test_waits_grow_with_jitter_and_end_after_four_tries() -> None:
    """R3: retried with growing waits and jitter."""
    found = waits(*[Trouble("failing", "HTTP 503")] * 4)
    for wait, least in zip(found, [1, 2, 4], strict=False):
        assert least <= wait <= least + 1
    assert found[3] is False


def test_a_429_without_a_wish_is_given_hatchs_window_and_more() -> None:
    """Contract 1: 100 requests in 10 s; whoever else uses the key, it passes."""
    found = waits(*[Trouble("busy", "HTTP 429")] * 8)
    assert sum(found) >= 10
    assert found[-1] is False


@given(st.floats(0.1, 600))
def test_hatchs_own_wish_is_waited_for(wish: float) -> None:
    """R3: Retry-After."""
    (wait,) = waits(Trouble("busy", "HTTP 429", wish=wish))
    assert wish <= wait <= wish + 1


def test_a_wish_of_hours_is_not_granted() -> None:
    """R3: the next sync makes up for it."""
    assert waits(Trouble("busy", "HTTP 429", wish=1e9)) == [False]


@given(st.lists(st.sampled_from(["unreachable", "failing", "slow", "garbled", "busy"]), min_size=12, max_size=30))
def test_whatever_the_mix_of_troubles_it_ends(kinds: list[Kind]) -> None:
    """R1: nothing goes on for ever."""
    persistence = HatchPersistence(None, 0.0)
    answers = [persistence(Trouble(kind, "x")) for kind in kinds]
    assert False in answers[:11]


def test_an_error_of_another_kind_is_not_tried_again() -> None:
    """R3: only transient trouble is."""
    assert HatchPersistence(None, 1.0)(ValueError()) is False


@pytest.mark.parametrize("kind", ["unreachable", "failing", "slow", "garbled", "busy", "out_of_time"])
def test_every_kind_of_trouble_says_what_to_do_in_the_end(kind: Kind) -> None:
    """House rules: what was tried, what came back, what to do."""
    persistence = HatchPersistence(None, 0.0)
    trouble = Trouble(kind, "the upsert failed", words="private", wish=3.0)
    while persistence(trouble) is not False:
        pass
    error = persistence.give_up(trouble, "https://hatch.example.test")
    assert "the upsert failed" in str(error)
    assert str(error).endswith("at the next sync.")
    assert (error.words, error.wait) == ("private", 3.0)
    assert "private" not in str(error)
