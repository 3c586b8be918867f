"""Answers of every shape the contract knows, and broken ones."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.leadperfection.responses import NotJson, identity, lookup, records
from lp_pipeline.errors import LeadPerfectionError, SlowQuery

from .fakes import PERSONAL

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(elements=st.lists(st.dictionaries(st.text(), json_values), max_size=5), indent=st.sampled_from([None, 2]))
def test_the_elements_of_an_array_come_verbatim(elements: list[dict[str, Any]], indent: int | None) -> None:
    """W7: readings are stored as received."""
    elements = [{"cst_id": "1", **each} for each in elements]
    parts = [json.dumps(each, indent=indent, ensure_ascii=False) for each in elements]
    body = ("[ " + " ,\n".join(parts) + " ]").encode()
    assert records(body, "GetLead") == [part.encode() for part in parts]


@pytest.mark.parametrize("body", [b"", b"  \r\n", b"null", b'""', b'"  "', b"[]", b"\xef\xbb\xbf[]", b"\xef\xbb\xbf"])
def test_every_way_of_saying_nothing_is_no_record(body: bytes) -> None:
    """Contract 2: an empty array, null, an empty text and an empty body all occur."""
    assert records(body, "GetLead") == []


def test_one_object_is_an_array_of_one() -> None:
    """Contract 2: one object instead of an array of one."""
    assert records(b' {"cst_id": 7, "message": "hi"}', "GetLead") == [b'{"cst_id": 7, "message": "hi"}']


def test_elements_that_are_no_objects_are_kept() -> None:
    """W7: what is no record is for the caller to reject, not for the client to hide."""
    assert records(b'[null, 3, {"cst_id":"1"}]', "GetLead") == [b"null", b"3", b'{"cst_id":"1"}']


@pytest.mark.parametrize(
    "value",
    [
        [{"Result": 0, "Message": f"Error: {PERSONAL} does not exist."}],
        [{"result": "0", "message": PERSONAL}],
        [{"RESULT": False, "Message": PERSONAL}],
        {"Result": 0, "Message": PERSONAL},
        {"message": PERSONAL, "status": "x", "error": "y"},
        {"Error": PERSONAL},
        f"Error: {PERSONAL}",
        17,
        True,
    ],
)
def test_a_business_error_keeps_leadperfections_words_out_of_its_message(value: object) -> None:
    """R4, contract 6: three dialects of an error with HTTP 200; the words go to the table, the message says where."""
    body = json.dumps(value).encode()
    with pytest.raises(LeadPerfectionError) as caught:
        records(body, "GetLead")
    assert PERSONAL not in str(caught.value)
    assert PERSONAL not in repr(caught.value)
    assert "GetLead" in str(caught.value)
    assert "sync_runs.error" in str(caught.value)
    assert caught.value.words == body.decode()


@pytest.mark.parametrize(
    "value",
    [
        [{"cst_id": "1", "Result": 0}],
        [{"CstID": "1", "result": 0}],
        [{"Result": 1, "Message": "Success"}],
        [{"Result": 0}, {"cst_id": "1"}],
        {"cst_id": "1", "error": "x"},
    ],
)
def test_a_record_is_no_business_error(value: object) -> None:
    """Contract 6: what carries a prospect's id is a record, whatever else it carries."""
    assert records(json.dumps(value).encode(), "GetLead")


def test_a_timeout_told_with_http_200_is_a_slow_query() -> None:
    """Contract 6: on 'Execution Timeout Expired' the window is halved."""
    with pytest.raises(SlowQuery):
        records(b'[{"Result":0,"Message":"Execution Timeout Expired."}]', "GetLead")


def test_an_html_page_is_told_by_its_beginning() -> None:
    """Contract 2: an answer that is not JSON is an error with the first bytes in its message."""
    page = b"<!DOCTYPE html>\r\n\x07<html><body>" + b"x" * 1000
    with pytest.raises(NotJson) as caught:
        records(page, "GetLead", 200, "text/html; charset=utf-8")
    assert f"(HTTP 200, text/html, {len(page)} bytes), beginning '<!DOCTYPE html>   <html><body>xxx" in str(
        caught.value
    )
    assert str(caught.value).endswith("…'")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("opening", ["[", "{", '"', "\n \ufeff[", " {"])
def test_broken_json_is_told_by_its_length_alone(opening: str) -> None:
    """R4: half a record is personal data too."""
    body = f'{opening}"email":"{PERSONAL}'.encode()
    with pytest.raises(NotJson) as caught:
        records(body, "GetLead")
    assert "beginning" not in str(caught.value)
    assert PERSONAL not in str(caught.value)
    assert f"{len(body)} bytes" in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "repaired"),
    [
        (b"J\xf6rg", "J\ufffdrg"),
        (rb"\ud83d", "\ufffd"),
        (rb"\udc4d\ud83d", "\ufffd\ufffd"),
        (rb"\ud83d\udc4d", "\U0001f44d"),
        (rb"\\ud83d", "\\ud83d"),
        (rb"\\\ud83d", "\\\ufffd"),
        (b"tab\there\x01", "tab\there\x01"),
    ],
)
def test_one_bad_character_never_blocks_a_feed(bad: bytes, repaired: str) -> None:
    """W8: it becomes U+FFFD; its record and all others come through."""
    body = b'\xef\xbb\xbf[{"cst_id":"1","amount":1.10},{"cst_id":"2","city":"' + bad + b'"}]'
    first, second = records(body, "GetLead")
    assert msgspec.json.decode(first) == {"cst_id": "1", "amount": 1.1}
    assert msgspec.json.decode(second) == {"cst_id": "2", "city": repaired}


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_number_that_json_does_not_know_becomes_null(number: bytes) -> None:
    """W8: one bad value never blocks a feed."""
    (record,) = records(b'[{"cst_id":"1","amount":' + number + b"}]", "GetLead")
    assert msgspec.json.decode(record) == {"cst_id": "1", "amount": None}


@given(st.binary(max_size=60) | st.binary(max_size=20).map(lambda noise: b'[{"cst_id":"' + noise + b'"}]'))
def test_whatever_the_bytes_the_outcome_is_records_or_an_error_of_ours(body: bytes) -> None:
    """W8: records that are valid UTF-8 JSON, or a LeadPerfectionError."""
    try:
        found = records(body, "GetLead")
    except LeadPerfectionError:
        return
    for record in found:
        msgspec.json.decode(record)
        record.decode()


def test_json_nested_without_end_is_an_error_of_ours() -> None:
    """W8: not a crash."""
    with pytest.raises(NotJson):
        records(b"[" * 100_000, "GetLead")


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
