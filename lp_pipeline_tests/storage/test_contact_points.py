"""SPEC J8: forms are computed once, when a record lands. Rows in: readings; rows out: `pipeline.contact_points`."""

import random
from pathlib import Path

import duckdb

from lp_pipeline.clients.contact_points import email_address, phone_numbers
from lp_pipeline.storage.contact_points import keep_contact_points
from lp_pipeline.storage.sql import statement
from lp_pipeline_tests.scenario import Scenario, lead, prospect

FORMS = "select kind, written, place, form from pipeline.contact_points order by all nulls first"
RECORD = prospect(
    "1",
    lead("10"),
    phone1=" 518 555 0100 / 555-0199 x3 / 518 555 0102 ",
    email="Ann <A@x.com>",
    AltPhones=[{"Phone": "none"}, None, {"phone": ""}, {"phone": "(518)555-0100"}, "5185550103"],
)
EXPECTED = [
    ("email", "Ann <A@x.com>", 1, "a@x.com"),
    ("phone", "(518)555-0100", 1, "5185550100"),
    ("phone", "518 555 0100 / 555-0199 x3 / 518 555 0102", 1, "5185550100"),
    ("phone", "518 555 0100 / 555-0199 x3 / 518 555 0102", 2, "5185550102"),
    ("phone", "none", 1, None),
]


def test_each_text_has_its_forms_once_however_often_it_is_read(tmp_path: Path) -> None:
    """J8: of the first phone, the alternative ones and the e-mail; what has no form is known to have none."""
    scenario = Scenario(tmp_path)
    scenario.sync(RECORD, prospect("2", phone1=None, email=""), prospect("3", phone1=..., email=..., altphones="x"))
    scenario.sync(RECORD, prospect("4", lead("40"), phone1="(518)555-0100", email=" Ann <A@x.com>"), feed="prospects")
    assert scenario.ask(FORMS) == EXPECTED


PHONE = (
    ("", "+1", "1 ", "+1-"),
    ("(518)", "518", "(518) ", "018", "51"),
    ("", "-", ". ", "."),
    ("555", "5550"),
    ("-", ""),
)
EMAIL = (
    ("", "a", "A.b", ".c", "d..e", "o'n", "x_y-z+1", "é"),
    ("@", "", "@@"),
    ("", "x.", "-x.", "X-Y."),
    ("com", "c", "c0m"),
)
ENDS = ("", "", "", "0100", "010", " ", "\n", "x1", ".")
ODD = (
    *("a" * 64 + "@x.com", "a" * 65 + "@x.com", "a@" + "b" * 247 + ".com", "a@" + "b" * 249 + ".com", "a@x_y.com"),
    *("٥١٨٥٥٥٠١٠٠", "ａ@x.com", "a@É.com", "mailto:a@x.com", "Ann <a@x.com>", "518-555-0100 / 518-555-0102"),
)


def test_a_text_of_the_usual_look_gets_the_form_that_python_would_give_it() -> None:
    """J8: the quick way makes no difference."""
    dice = random.Random(7)
    texts = {*ODD, *("".join(map(dice.choice, (*parts, ENDS))) for parts in (PHONE, EMAIL) for _ in range(2000))}
    points = {(kind, text.strip(" ")) for kind in ("phone", "email") for text in texts}
    with duckdb.connect() as connection:
        for name in ("schema/work", "schema/macros"):
            connection.execute(statement(name))
        connection.execute(
            """create temp table typed_readings as
            select {'phone1': text, 'email': text, 'altphones': [{'phone': null::varchar}]} as prospect
            from (select unnest($texts::varchar[]) as text)""",
            {"texts": sorted(texts)},
        )
        keep_contact_points(connection)
        kept = connection.execute("select kind, written, place, form from pipeline.contact_points").fetchall()
    expected = set()
    for kind, text in points - {("phone", ""), ("email", "")}:
        forms = phone_numbers(text) or (None,) if kind == "phone" else (email_address(text),)
        expected |= {(kind, text, place, form) for place, form in enumerate(forms, 1)}
    assert len(kept) == len(expected)
    assert set(kept) == expected
