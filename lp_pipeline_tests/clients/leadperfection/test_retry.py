"""When to try again: the waits themselves, without waiting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.retry import PATIENCE, Kind, LeadPerfectionPersistence, Trouble


def waits(persistence: LeadPerfectionPersistence, *troubles: Trouble) -> list[float | bool]:
    return [persistence(trouble) for trouble in troubles]


def test_waits_grow_with_jitter_and_end_after_six_tries() -> None:
    """R3: retried with growing waits and jitter."""
    found = waits(LeadPerfectionPersistence(None, 1.0), *[Trouble("failing", "HTTP 503")] * 6)
    for wait, least in zip(found, [1, 2, 4, 8, 16], strict=False):
        assert least <= wait <= least + 1
    assert found[5] is False


def test_jitter_keeps_clients_apart() -> None:
    """R3: no two wait the same."""
    first = {LeadPerfectionPersistence(None, 1.0)(Trouble("failing", "HTTP 503")) for _ in range(20)}
    assert len(first) > 1


@given(st.floats(0.1, 3600))
def test_leadperfections_own_wish_is_waited_for(wish: float) -> None:
    """Contract 6: 429: wait that long, then go on."""
    wait = LeadPerfectionPersistence(None, 1.0)(Trouble("busy", "HTTP 429", wish=wish))
    assert wish <= wait <= wish + 1


def test_a_wish_of_hours_is_not_granted() -> None:
    """R3: the run fails with a message, and the next one makes up for it."""
    assert LeadPerfectionPersistence(None, 1.0)(Trouble("busy", "HTTP 429", wish=1e12)) is False


@given(st.lists(st.sampled_from(["unreachable", "failing", "slow", "garbled", "busy"]), min_size=30, max_size=60))
def test_whatever_the_mix_of_troubles_it_ends(kinds: list[Kind]) -> None:
    """R3: 6 tries in all, fewer for what is unlikely to pass; a 429 uses up none, but there are 20 at most."""
    persistence = LeadPerfectionPersistence(None, 0.0)
    tried = 0
    for kind in kinds:
        tried += 1
        if persistence(Trouble(kind, "x")) is False:
            break
    else:
        pytest.fail("it goes on for ever")
    counts = persistence.failures
    assert sum(counts.values()) == tried
    assert tried - counts["busy"] <= 6
    assert all(counts[kind] <= PATIENCE[kind] for kind in counts)


def test_pace_multiplies_every_wait() -> None:
    """Tests wait for nothing."""
    assert waits(
        LeadPerfectionPersistence(None, 0.0), Trouble("busy", "HTTP 429", wish=30.0), Trouble("failing", "x")
    ) == [0.0, 0.0]


def test_an_error_of_another_kind_is_not_tried_again() -> None:
    """R3: only transient trouble is."""
    assert LeadPerfectionPersistence(None, 1.0)(ValueError()) is False
