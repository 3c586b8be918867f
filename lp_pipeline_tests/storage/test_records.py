"""How a record is stored: as received, with a normal form only where SQL could not read it (SPEC J4, W7)."""

import json
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.json_repair import exact, number
from lp_pipeline.clients.json_shapes import FIRST, Shape
from lp_pipeline.clients.json_values import text_of
from lp_pipeline.storage.contents import content_of
from lp_pipeline.storage.plain_records import PROSPECT_TEXTS, READ_BY_SQL, is_plain_at_once
from lp_pipeline.storage.records import land, land_value
from lp_pipeline_tests.scenario import Record, lead, prospect

READ = """
    select from_json($stored::json, '{"email": "VARCHAR", "firstname": "VARCHAR", "lastname": "VARCHAR",
        "phone1": "VARCHAR", "dateadded": "VARCHAR", "lastchanged": "VARCHAR",
        "leads": [{"id": "VARCHAR", "?key": "VARCHAR", "disposition": "VARCHAR"}]}')
"""
PLAIN = [
    prospect("1", lead("10", GrossSaleAmount="5.00", brn_id="ALB  ")),
    prospect(1, lead(10), phone1=5185550123, email="  padded "),
    prospect("1", leads=...),
    prospect("1", leads=None, city="Troy", spouse=None, **{'q"uote': [1.5]}),
    prospect("1", lead("10", jobs=None, appointments="", disposition=...)),
]
ODD: dict[str, Record] = {
    "another spelling of a key": {**prospect("1"), "FirstName": "Ann"},
    "another name of the id": {"CstID": "1"},
    "two keys that differ in case": prospect("1", city="Troy", City="Troy"),
    "a number with a fraction as an id": prospect(1.0),
    "no id": prospect(None),
    "an id in blanks": prospect(" 1 "),
    "a null where presence counts": prospect("1", email=None),
    "white space that SQL does not trim": prospect("1", firstname="\tAnn"),
    "an object instead of a list": prospect("1", lead("10", jobs={"id": "7"})),
    "one lead instead of a list": {**prospect("1"), "leads": lead("10")},
    "an element that is no lead": prospect("1", None, lead("10")),
    "a lead without an id": prospect("1", lead(None)),
    "a lead's status as a number": prospect("1", lead("10", disposition=1.5)),
    "a job's date in blanks": prospect("1", lead("10", jobs=[{"contractdate": " 2026-03-01"}])),
    "our own key": prospect("1", lead("10", **{"?key": "x"})),
    "a NUL": prospect("1", firstname="A\x00nn"),
}


@pytest.mark.parametrize("record", PLAIN)
def test_most_records_are_stored_as_they_are(record: Record) -> None:
    """W7: nothing is computed beside a record that SQL can read, whatever fields it has besides."""
    assert land(json.dumps(record).encode()).normal is None


@pytest.mark.parametrize("record", ODD.values(), ids=ODD)
def test_a_record_that_sql_would_misread_has_a_normal_form(record: Record) -> None:
    """J4: keys in any case, ids as text, lists where they belong."""
    assert land(json.dumps(record).encode()).normal is not None


@pytest.mark.parametrize("indent", [None, 1])
def test_a_key_that_occurs_twice_is_noticed(indent: int | None) -> None:
    """J4: JSON readers disagree which one counts; here the last one does, everywhere."""
    text = json.dumps(prospect("1", lead("10")), indent=indent).replace(
        '"firstname"', '"lastname": "First",\n"firstname"'
    )
    stored = land(text.encode()).normal
    assert stored is not None
    assert json.loads(stored)["lastname"] == "Field"


def test_the_digest_does_not_depend_on_how_json_is_written() -> None:
    """W7: the same JSON with its keys in another order, or with blanks, is the same reading."""
    record = prospect("1", lead("10"), note="é")
    other = dict(reversed(record.items()))
    digests = {
        land(json.dumps(each, indent=indent, ensure_ascii=ascii_only).encode()).digest
        for each in (record, other)
        for indent in (None, 2)
        for ascii_only in (True, False)
    }
    assert len(digests) == 1
    assert land(json.dumps({**record, "note": "e"}).encode()).digest not in digests


scalars = st.none() | st.booleans() | st.integers(-5, 10**30) | st.sampled_from([1.5, 2.0, 1e22]) | st.text(max_size=4)
texts = scalars | st.sampled_from([" a ", "", "\xa0b", "c\x00", "1900-01-01"])
fields = st.dictionaries(st.sampled_from([*PROSPECT_TEXTS, "FirstName", "EMAIL", "city"]), texts, max_size=5)
leads = st.lists(
    st.fixed_dictionaries({"id": scalars}, optional={"disposition": texts, "Disposition": texts}) | scalars, max_size=3
)


@given(fields=fields, leads=leads, cst_id=scalars)
def test_sql_reads_of_any_record_what_is_in_it(fields: Record, leads: list[Any], cst_id: object) -> None:
    """J3, J4, J6: the same texts and the same missing keys, whether or not there is a normal form."""
    text = json.dumps({**fields, "leads": leads, "cst_id": cst_id}).encode()
    stored = (land(text).normal or text).decode()
    (found,) = duckdb.execute(READ, {"stored": stored}).fetchall()[0]
    received = _decode(text)
    assert [_trimmed(found[name]) for name in PROSPECT_TEXTS] == [_expected(received, name) for name in PROSPECT_TEXTS]
    shown = [_trimmed(each["disposition"]) for each in found["leads"]]
    assert shown == [_expected(each, "disposition") for each in received["leads"] if isinstance(each, dict)]


_decode = msgspec.json.Decoder(float_hook=number).decode


def _expected(record: Record, name: str) -> str | None:
    """The text of a field, "" if its key has no value; None without the key. Of two keys, the one with a value."""
    values = [value for key, value in record.items() if key.lower() == name]
    found = next((each for each in values if content_of(each) is not None), values[-1] if values else None)
    return (text_of(found) or "") if values else None


def _trimmed(text: str | None) -> str | None:
    return None if text is None else text.strip()


SHAPES = st.recursive(
    texts,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*sorted(READ_BY_SQL), "Phone", "?key"]), inner, max_size=4)
    ),
    max_leaves=12,
)


def shape_of(*records: Record) -> Shape:
    """A shape that knows these records."""
    shape = Shape("cst_id", is_plain_at_once)
    for record in (*[prospect("1")] * FIRST, *records):
        shape.learn(record)
    return shape


@given(SHAPES, SHAPES, st.booleans())
def test_a_record_of_a_known_shape_is_stored_like_any_other(one: Any, other: Any, compact: bool) -> None:
    """W7, J4: the quick way to decode a record, and to see that SQL can read it, makes no difference."""
    fields = one if isinstance(one, dict) else {"leads": [lead("10", jobs=one, appointments=[other])]}
    record = {**prospect("1", lead("10"), calls=other), **fields}
    text = json.dumps(record, ensure_ascii=not compact, separators=(",", ":") if compact else None).encode()
    shaped = shape_of(prospect("1", lead("10")), record).decode(text)
    if shaped is not None:
        quick, exactly = land_value(text, shaped), land(text)
        assert (quick.key, quick.id, quick.digest, quick.normal) == (
            exactly.key,
            exactly.id,
            exactly.digest,
            exactly.normal,
        )
        assert sorted(quick.names) == sorted(exactly.names)


@pytest.mark.parametrize("record", [PLAIN[0], *ODD.values()], ids=["plain", *ODD])
def test_an_odd_record_is_odd_in_a_known_shape_too(record: Record) -> None:
    """J4: whatever was learned before."""
    text = json.dumps(record, separators=(",", ":")).encode()
    for learned in ([PLAIN[0], record], [PLAIN[0], record, *ODD.values()]):
        shaped = shape_of(*learned).decode(text)
        assert land_value(text, exact(text) if shaped is None else shaped).normal == land(text).normal


def test_a_key_that_occurs_twice_is_noticed_in_a_known_shape() -> None:
    """J4: where the last one counts."""
    text = json.dumps(prospect("1", lead("10")), separators=(",", ":")).encode()
    twice = text.replace(b'"firstname"', b'"lastname":"First","firstname"')
    shaped = shape_of(prospect("1", lead("10"))).decode(twice)
    assert shaped is not None
    assert land_value(twice, shaped) == land(twice)
    assert land(twice).normal is not None


@pytest.mark.parametrize("oddity", [{}, {"FirstName": "Ann"}], ids=["as received", "normal form"])
def test_leads_that_are_null_say_nothing_in_either_form(oddity: Record) -> None:
    """M6: only an empty list says that a prospect has no leads."""
    given: tuple[list[Record] | None, ...] = (None, [])
    for leads in given:
        landed = land(json.dumps({**prospect("1", leads=leads), **oddity}).encode())
        stored = json.loads(landed.normal or json.dumps(prospect("1", leads=leads)))
        assert stored["leads"] == leads
