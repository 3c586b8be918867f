"""Values are found and compared whatever their case and kind."""

import pytest

from lp_pipeline.clients.leadperfection.responses import identity, lookup


@pytest.mark.parametrize(
    ("record", "cst_id"),
    [
        ({"cst_id": "450708"}, "450708"),
        ({"cst_id": 450708}, "450708"),
        ({"CST_ID": 450708.0}, "450708"),
        ({"CstID": " 7 "}, "7"),
        ({"cst_id": ""}, None),
        ({"cst_id": None}, None),
        ({"cst_id": True}, None),
        ({"cst_id": []}, None),
        ({}, None),
        (None, None),
        (3, None),
    ],
)
def test_ids_compare_as_text_whatever_the_case_of_their_key(record: object, cst_id: str | None) -> None:
    """Contract 2 and 3: ids are text, sometimes numbers; key casing differs."""
    assert identity(record) == cst_id


def test_a_key_is_found_in_any_case_the_exact_one_first() -> None:
    """Contract 2: look keys up case-insensitively."""
    assert lookup({"LeadS": 1}, "leads") == 1
    assert lookup({"LEADS": 1, "leads": 2}, "leads") == 2
    assert lookup([], "leads") is None
