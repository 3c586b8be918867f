"""SPEC J8: forms are computed once, when a record lands. Rows in: readings; rows out: `pipeline.contact_points`."""

from pathlib import Path

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
