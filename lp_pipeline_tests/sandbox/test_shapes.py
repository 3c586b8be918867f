"""Record formats: as added, or changed by the format switches."""

import pytest

from lp_pipeline.sandbox import Sandbox

from .lp import LEAD, LP, MORNING, Clock, prospect


def test_text_arrives_byte_for_byte(lp: LP, sandbox: Sandbox) -> None:
    """Spacing, casing, number formats, repeated keys and escapes are preserved."""
    lead = '{"dateentered":"2026-03-02T09:00:00"}'
    text = f'{{"CST_ID": 7, "x":1.10,"x":null,  "n":"\\u00e9 é 🏡","leads":[{lead}, null, 3]}}'
    sandbox.put(text)
    assert lp.post(LEAD, **MORNING).text == f"[{text}]"


@pytest.mark.parametrize("text", ["[1]", "3", "{", '"x"'])
def test_only_an_object_can_be_put(sandbox: Sandbox, text: str) -> None:
    """Anything else is a bug in the test."""
    with pytest.raises((TypeError, ValueError)):
        sandbox.put(text)


@pytest.mark.parametrize("odd", [None, "none", {}, [None, 3, "x"], 5])
def test_nested_shapes_may_be_anything(lp: LP, sandbox: Sandbox, odd: object) -> None:
    """A record with useless leads is still found by its own dates, and by what is useful in it."""
    lead = {"id": None, "appointments": odd, "jobs": odd, "notes": odd, "dateentered": "2026-03-02T09:00:00"}
    sandbox.put(prospect("1", leads=odd, notes=odd, calls=odd))
    sandbox.put(prospect("2", leads=[lead]))
    assert lp.ids("/api/customers/getprospectdata") == ["1", "2"]
    assert lp.ids() == ["2"]


def test_a_record_without_an_id_is_shown_too(lp: LP, sandbox: Sandbox) -> None:
    """Rejecting it is the pipeline's job."""
    record = prospect(None)
    sandbox.put(record)
    assert lp.read() == [record]


@pytest.mark.parametrize(("case", "key"), [("camel", "Cst_Id"), ("pascal", "CstId"), ("upper", "CST_ID")])
def test_keys_may_have_another_casing(lp: LP, sandbox: Sandbox, case: str, key: str) -> None:
    """At every depth."""
    sandbox.put(prospect("1"))
    sandbox.switch(key_case=case)
    record = lp.read()[0]
    assert record[key] == "1"
    assert {name.lower() for name in record["LEADS" if case == "upper" else "Leads"][0]} >= {"dateentered", "id"}


def test_ids_may_be_numbers(lp: LP, sandbox: Sandbox) -> None:
    """Ids and nothing else."""
    sandbox.put(prospect("1", zip="12180", brn_id="ALB  "))
    sandbox.switch(numeric_ids=True)
    record = lp.read()[0]
    assert (record["cst_id"], record["leads"][0]["id"], record["zip"], record["brn_id"]) == (1, 10, "12180", "ALB  ")


def test_one_record_may_come_as_an_object(lp: LP, sandbox: Sandbox) -> None:
    """Two are an array again."""
    sandbox.switch(single_object=True)
    sandbox.put(prospect("1"))
    assert lp.read()["cst_id"] == "1"
    sandbox.put(prospect("2"))
    assert lp.ids() == ["1", "2"]


@pytest.mark.parametrize(("shape", "text"), [("array", "[]"), ("null", "null"), ("blank", "")])
def test_nothing_may_be_said_in_three_ways(lp: LP, sandbox: Sandbox, shape: str, text: str) -> None:
    """All of them with status 200."""
    sandbox.switch(empty_as=shape)
    answer = lp.post(LEAD, **MORNING)
    assert (answer.status_code, answer.text) == (200, text)


def test_lp_clock_may_be_wrong(lp: LP, sandbox: Sandbox, clock: Clock) -> None:
    """The Date of every answer is LP's clock, and so are the stamps it makes."""
    assert lp.post(LEAD, **MORNING).headers["Date"] == "Mon, 02 Mar 2026 17:00:00 GMT"
    sandbox.switch(clock_skew_seconds=-90)
    assert lp.post("/nowhere").headers["Date"] == "Mon, 02 Mar 2026 16:58:30 GMT"
    sandbox.put(prospect("1"))
    sandbox.edit("1")
    assert sandbox.get("1")["lastchanged"] == "2026-03-02T11:58:30.000"
