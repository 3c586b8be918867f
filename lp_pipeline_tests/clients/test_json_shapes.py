"""Objects that are decoded by their shape: the same values, or none."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.json_repair import exact
from lp_pipeline.clients.json_shapes import CHANGES, FIRST, MOST, Fields, Shape

RECORD = {"id": "7", "name": "Ann", "none": None, "leads": [{"id": "1", "jobs": []}], "home": {"city": "Troy"}}
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from([1.5, "7"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
_sorted = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


def has_a_name(fields: Fields) -> bool:
    return "name" in fields.names


def text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def knowing(*records: object) -> Shape:
    shape = Shape("id", has_a_name)
    for record in [*records] * FIRST:
        shape.learn(record)
    return shape


def test_nothing_is_decoded_by_a_shape_until_some_objects_were_seen() -> None:
    """A window with a few records does not pay for one."""
    shape = Shape("id", has_a_name)
    for _ in range(FIRST):
        assert shape.decode(text(RECORD)) is None
        shape.learn(RECORD)
    shaped = shape.decode(text(RECORD))
    assert shaped is not None
    assert shaped.key == "7"
    assert sorted(shaped.names) == sorted(RECORD)
    assert shaped.sorted_json == _sorted(RECORD)


@pytest.mark.parametrize(
    "other",
    [
        {**RECORD, "more": 1},
        {**RECORD, "name": 1.5},
        {**RECORD, "name": ["Ann"]},
        {**RECORD, "id": 7},
        {**RECORD, "id": "a b"},
        {**RECORD, "leads": [{"id": "1"}]},
        {key: value for key, value in RECORD.items() if key != "name"},
        [RECORD],
        "7",
        None,
    ],
)
def test_an_object_of_another_shape_is_none(other: object) -> None:
    """It is decoded the other way."""
    assert knowing(RECORD).decode(text(other)) is None


def test_broken_json_is_none() -> None:
    """As is a number or character that has to be repaired."""
    shape = knowing(RECORD)
    for broken in (b"", b'{"id":"7"', text(RECORD).replace(b"Ann", b"\xff"), text(RECORD).replace(b"Ann", rb"\ud800")):
        assert shape.decode(broken) is None


def test_a_key_that_is_missing_at_times_is_learned() -> None:
    """LeadPerfection leaves keys out (contract 3)."""
    without = {key: value for key, value in RECORD.items() if key != "name"}
    shape = knowing(RECORD)
    shape.learn(without)
    for record in (RECORD, without):
        shaped = shape.decode(text(record))
        assert shaped is not None
        assert sorted(shaped.names) == sorted(record)
        assert shaped.sorted_json == _sorted(record)
        assert shaped.looks == ("name" in record)


def test_a_shape_that_hardly_anything_has_is_given_up() -> None:
    """Trying it would only cost time."""
    shape = knowing(RECORD)
    for number in range(MOST + 1):
        shape.learn({"id": "7", "name": number / 3})
    assert shape.decode(text(RECORD)) is None


def test_a_shape_changes_so_many_times_only() -> None:
    """Each change takes time, the more keys there are the more."""
    shape = knowing(RECORD)
    for number in range(CHANGES):
        shape.learn({**RECORD, f"key {number}": "x"})
    assert shape.decode(text({**RECORD, "key 0": "x"})) is not None
    assert shape.decode(text({**RECORD, f"key {CHANGES - 1}": "x"})) is None
    assert shape.decode(text(RECORD)) is not None


@given(
    st.lists(st.dictionaries(st.sampled_from(["id", "a", 'q"', "é", ""]), values, max_size=3), min_size=1, max_size=4)
)
def test_what_is_decoded_has_the_same_json(records: list[dict[str, Any]]) -> None:
    """Whatever was learned, and in whatever order."""
    shape = knowing(*records)
    for record in records:
        shaped = shape.decode(text(record))
        if shaped is not None:
            assert shaped.sorted_json == _sorted(exact(text(record)))
            assert sorted(shaped.names) == sorted(record)
