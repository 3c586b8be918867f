"""When to try again: the waits themselves, without waiting; of both servers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch.responses import gave_up
from lp_pipeline.clients.retry import HATCH, LEADPERFECTION, Kind, Patience, Persistence, TransientError

KINDS: list[Kind] = ["unreachable", "failing", "slow", "silent", "garbled", "busy"]
both = pytest.mark.parametrize("patience", [HATCH, LEADPERFECTION], ids=lambda patience: patience.server)


def waits(patience: Patience, *failures: TransientError) -> list[float | bool]:
    persistence = Persistence(patience, None, 1.0)
    return [persistence(failure) for failure in failures]


@pytest.mark.parametrize(("patience", "waited"), [(HATCH, [1, 2, 4]), (LEADPERFECTION, [1, 2, 4, 8, 16])])
def test_waits_grow_with_jitter_and_end(patience: Patience, waited: list[int]) -> None:
    """R3: retried with growing waits and jitter."""
    *found, last = waits(patience, *[TransientError("failing", "HTTP 503")] * (len(waited) + 1))
    for wait, least in zip(found, waited, strict=True):
        assert least <= wait <= least + 1
    assert last is False


def test_jitter_keeps_clients_apart() -> None:
    """R3: no two wait the same."""
    assert len({waits(HATCH, TransientError("failing", "HTTP 503"))[0] for _ in range(20)}) > 1


def test_a_429_without_a_wish_is_given_hatchs_window_and_more() -> None:
    """Contract 1: 100 requests in 10 s; whoever else uses the key, it passes."""
    found = waits(HATCH, *[TransientError("busy", "HTTP 429")] * 8)
    assert sum(found) >= 10
    assert found[-1] is False


@both
@given(share=st.floats(0.001, 1.0))
def test_the_servers_own_wish_is_waited_for(patience: Patience, share: float) -> None:
    """R3, contract 6: Retry-After: wait that long, then continue."""
    wish = share * patience.longest_wish
    (wait,) = waits(patience, TransientError("busy", "HTTP 429", wish=wish))
    assert wish <= wait <= wish + 1


@both
def test_a_wish_of_hours_is_not_granted(patience: Patience) -> None:
    """R3: the run fails with a message, and the next one makes up for it."""
    assert waits(patience, TransientError("busy", "HTTP 429", wish=1e12)) == [False]


@both
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=30, max_size=60))
def test_whatever_the_mix_of_troubles_it_ends(patience: Patience, kinds: list[Kind]) -> None:
    """R3: so many tries in all, fewer for what is unlikely to pass; a 429 uses up none of them."""
    persistence = Persistence(patience, None, 0.0)
    tried = 0
    for kind in kinds:
        tried += 1
        if persistence(TransientError(kind, "x")) is False:
            break
    else:
        pytest.fail("it never ends")
    counts = persistence.failures
    limits = {"busy": patience.busy_tries, **patience.fewer_tries}
    assert counts.total() == tried
    assert tried - counts["busy"] <= patience.tries
    assert all(counts[kind] <= limits.get(kind, patience.tries) for kind in counts)


def test_a_query_that_times_out_may_be_given_other_tries() -> None:
    """W4: a single row that times out is set aside after two."""
    persistence = Persistence(LEADPERFECTION, None, 0.0, slow_tries=2)
    assert [persistence(TransientError("slow", "x")) for _ in range(2)] == [0.0, False]


def test_pace_multiplies_every_wait() -> None:
    """Tests wait for nothing."""
    persistence = Persistence(LEADPERFECTION, None, 0.0)
    assert (
        persistence(TransientError("busy", "HTTP 429", wish=30.0)) == persistence(TransientError("failing", "x")) == 0.0
    )


@both
def test_what_is_no_passing_trouble_is_not_tried_again(patience: Patience) -> None:
    """R3: only transient failure is; not when the run's time is up."""
    persistence = Persistence(patience, None, 1.0)
    assert persistence(ValueError()) is False
    assert persistence(TransientError("out_of_time", "x")) is False
    assert persistence.spent == "0 tries in 0 s, and the run's time is up"


@pytest.mark.parametrize("kind", [*KINDS, "out_of_time"])
def test_every_kind_of_trouble_says_what_to_do_in_the_end(kind: Kind) -> None:
    """House rules: what was tried, what came back, what to do."""
    persistence = Persistence(HATCH, None, 0.0)
    failure = TransientError(kind, "the upsert failed", words="private", wish=3.0)
    while persistence(failure) is not False:
        pass
    error = gave_up(failure, "https://hatch.example.test", persistence.spent)
    assert "the upsert failed" in str(error)
    assert str(error).endswith("at the next sync.")
    assert (error.words, error.wait) == ("private", 3.0)
    assert "private" not in str(error)
