"""Answers of every shape the contract knows, and broken ones: a page of records, or none at all."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.leadperfection.page import NotJson, elements
from lp_pipeline.errors import LeadPerfectionError, SlowQuery

from .fakes import PERSONAL

PERSON = {"firstname": PERSONAL, "lastname": "Field"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def records(body: bytes, *about: Any, **options: Any) -> list[bytes]:
    """The elements verbatim."""
    return [text for text, _ in elements(body, *about, **options)]


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


def test_elements_without_an_id_are_kept_beside_those_that_have_one() -> None:
    """W7: what is no record is for the caller to judge, not for the parser to hide; paging counts it."""
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
        [{"Result": -1, "Message": PERSONAL}],
        {"success": False},
        {"statusCode": 400, "detail": PERSONAL},
        [f"Error: {PERSONAL}"],
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


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html>\r\n<html><head><title>\n Down &amp; out </title><body>%s", "a web page titled 'Down & out'"),
        (b"<html><TITLE lang='en'>" + b"x" * 300 + b"</TITLE>%s", f"a web page titled '{'x' * 80}'"),
        (b"<HTML><body>%s", "a web page without a title"),
        (b"Sorry, %s is locked", "text beginning with a letter"),
        (b"7 %s", "text beginning with a digit"),
        (b"<?xml version='1.0'?>%s", "text beginning with a sign"),
        (b'[{"email":"%s', "broken JSON"),
        (b' {"email":"%s', "broken JSON"),
        (b'\n \xef\xbb\xbf"%s', "broken JSON"),
    ],
)
def test_what_is_no_json_is_told_by_its_kind_and_length_alone(body: bytes, kind: str) -> None:
    """R4, contract 2: its kind, its length, a web page's title; no other text of it, for that may be a person's."""
    page = body % PERSONAL.encode()
    with pytest.raises(NotJson) as caught:
        records(page, "GetLead", 200, "text/html; charset=utf-8")
    assert str(caught.value).endswith(f"not JSON (HTTP 200, text/html, {len(page)} bytes), {kind}")
    assert PERSONAL not in str(caught.value)
    assert (caught.value.words is None) == (kind == "broken JSON")


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
    ("value", "kind"),
    [
        ({"data": [{"cst_id": "1", **PERSON}], "total": 1}, "an object around something else"),
        ([{"cst": {"cst_id": "1", **PERSON}}], "an object around something else"),
        ([[{"cst_id": "1", **PERSON}]], "an array"),
        ([PERSON], "an object without cst_id"),
        ([{"cst_id": " ", **PERSON}], "an object without cst_id"),
        ([{"cst_id": True, **PERSON}], "an object without cst_id"),
        ({}, "an object without cst_id"),
        ([{"Result": 1, "Message": "Success"}], "an object without cst_id"),
        ([None], "null"),
        ([PERSON, PERSON], "2 elements (the first is an object without cst_id)"),
        ([None, {"Result": -1, "Message": PERSONAL}], "2 elements (the first is null)"),
    ],
)
def test_an_answer_in_which_nothing_has_an_id_is_no_page(value: object, kind: str) -> None:
    """W5, R4: the message says what kind of thing came; neither it nor the ledger gets a person's record."""
    with pytest.raises(LeadPerfectionError) as caught:
        records(json.dumps(value).encode(), "GetLead", 200, "application/json")
    assert f"answered GetLead with {kind} instead of prospects (HTTP 200, application/json, " in str(caught.value)
    assert PERSONAL not in str(caught.value)
    assert caught.value.words is None


def test_only_a_prospect_may_lack_its_id_on_a_page_of_its_own_after_records() -> None:
    """W5, J7: the last page may hold one record that will be rejected; an error is never a page."""
    assert len(records(json.dumps([PERSON]).encode(), "GetLead", follows_records=True)) == 1
    others: list[object] = [[{"Result": -1}], [PERSON, None], {"data": []}]
    for value in others:
        with pytest.raises(LeadPerfectionError):
            records(json.dumps(value).encode(), "GetLead", follows_records=True)


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ("9" * 400, "9" * 400),
        ("9" * 5000, "null"),
        ("1e400", "null"),
        ("1e-9999999", "1e-9999999"),
        ("NaN", "null"),
        (r'"\ud83d"', r'"\ufffd"'),
        ('"tab\x01"', r'"tab\u0001"'),
        (r'"\u0000"', r'"\u0000"'),
        ('{"a":1,"a":2}', '{"a":1,"a":2}'),
        ("[" * 900 + "]" * 900, None),
        ('{"x":[' * 5000 + "]}" * 5000, None),
    ],
)
def test_one_odd_value_changes_no_other_record(odd: str, kept: str | None) -> None:
    """J7, W7: it costs itself at most; the record beside it comes verbatim, with the digits it had."""
    body = f'[{{"cst_id":"1","odd":{odd},"amount":1.10}}, {{ "cst_id":"2","amount":1.10}}]'.encode()
    first, second = records(body, "GetLead")
    assert second.replace(b" ", b"") == b'{"cst_id":"2","amount":1.10}'
    if kept is not None:
        assert first == f'{{"cst_id":"1","odd":{kept},"amount":1.10}}'.encode()
    assert first.endswith(b',"amount":1.10}')
    msgspec.json.decode(first)


def test_many_odd_values_on_one_page_cost_themselves_only() -> None:
    """J7: what mends one does not stand in the way of what mends another."""
    odd = ["[" * 5000 + "]" * 5000, '"tab\x01"', r'"\ud83d"', "NaN", "9" * 5000, "1e400"]
    elements = [f'{{"cst_id":"{number}","odd":{value}}}' for number, value in enumerate(odd)]
    found = records(f"[{','.join(elements)}]".encode(), "GetLead")
    assert [msgspec.json.decode(each)["cst_id"] for each in found] == [str(number) for number in range(len(odd))]


@given(levels=st.integers(1, 3000), brackets=st.sampled_from(["[]", '{"a":@}', '[{"]":@}]']), quoted=st.booleans())
def test_no_record_is_nested_deeper_than_what_reads_it_can_go(levels: int, brackets: str, quoted: bool) -> None:
    """J7: what is deeper becomes the text that it is, so that nothing is lost; brackets in texts do not count."""
    opening, closing = (brackets[:1], brackets[1:]) if "@" not in brackets else brackets.split("@")
    inner = json.dumps("]}{[" * 80) if quoted else "1"
    deep = opening * levels + inner + closing * levels
    (record,) = records(f'[{{"cst_id":"1","deep":{deep}}}]'.encode(), "GetLead")
    text = deep
    found = msgspec.json.decode(record)["deep"]
    while not isinstance(found, str | int):
        found = next(iter(found.values())) if isinstance(found, dict) else found[0] if found else ""
    assert len(record) < 3 * len(text) + 200
    if levels < 30:
        assert found == json.loads(inner) or not found
    if levels > 100 and brackets != "[]":
        assert str(found) in text
        json.loads(str(found)) if levels < 300 else None
