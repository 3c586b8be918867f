"""What is compared of two readings (SPEC F1)."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from lp_pipeline.storage.contents import SAME, compared, contents
from lp_pipeline_tests.scenario import Record

VALUES = st.sampled_from(
    [None, "", " ", "A", " A", "1", 1, 1.0, True, False, "1900-01-01T00:00:00", ["A"], [None, "A"], {"N": 1}]
)
OBJECTS = st.dictionaries(st.sampled_from(["x", "X", "city", "notes", "calls", "jobs"]), VALUES, max_size=4)
READINGS = st.builds(
    lambda own, leads: {**own, "cst_id": "1", "leads": [{**each, "id": number} for number, each in leads]},
    OBJECTS,
    st.lists(st.tuples(st.sampled_from(["10", "11", None]), OBJECTS), max_size=3),
)


@given(READINGS, READINGS)
@example({"x": "A", "leads": [{"id": "10", "X": 1}]}, {"x": " A", "leads": [{"id": "10", "x": "1"}]})
@example({"x": "A", "city": "", "leads": [{"id": "10"}]}, {"x": "B", "leads": [{"id": "10", "x": [None]}]})
def test_two_readings_differ_where_their_contents_do(now: Record, before: Record) -> None:
    """F1: whatever is the same word for word is not computed, and nothing else is taken for the same."""
    texts = [json.dumps(each).encode() for each in (now, before)]
    found = [dict(rows) for rows in compared(*texts)]
    whole = [contents(text) for text in texts]
    for rows, each in zip(found, whole, strict=True):
        assert rows.keys() == {None, *each.by_key}
    pairs: dict[str | None, tuple[Any, Any]] = {None: (whole[0].own, whole[1].own)}
    for lead in whole[0].by_key.keys() & whole[1].by_key.keys():
        pairs[lead] = (whole[0].by_key[lead].content, whole[1].by_key[lead].content)
    for key, (one, other) in pairs.items():
        fields = {name for name in {**one, **other} if one.get(name) != other.get(name)}
        expected = [{name: content[name] for name in fields & content.keys()} for content in (one, other)]
        assert [rows[key] for rows in found] == (expected if fields else [SAME, SAME])
