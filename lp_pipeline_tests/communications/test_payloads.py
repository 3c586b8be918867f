"""How a push is recognized in what LeadPerfection shows of its prospect (SPEC C7)."""

from pathlib import Path
from typing import Any

import pytest

from lp_pipeline.communications.open_push import Address, OpenPush
from lp_pipeline.communications.payloads import is_there, missing_settings
from lp_pipeline_tests.communications.talk import open_push
from lp_pipeline_tests.scenario import live_settings

CALL = {"calldatetime": "2026-03-02T11:50:00", "phone": "5185550101"}


def pushed(target: str) -> OpenPush:
    """A push that has been sent to a target."""
    address = Address(external_contact_id="1", phone="5185550101")
    return open_push(communication_id="c1", target=target, address=address, call_date="2026-03-02 11:50:00")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, None),
        ({}, False),  # the contract: some keys are simply missing
        ({"calls": "none"}, None),
        ({"calls": None}, False),
        ({"calls": []}, False),
        ({"Calls": [CALL]}, True),
        ({"calls": CALL}, True),  # one object instead of an array of one
        ({"calls": [{"CallDateTime": "2026-03-02T11:50:00.000", "Phone": "(518) 555-0101"}]}, True),
        ({"calls": [{"calldatetime": "2026-03-02 11:50:00", "phone": 15185550101}]}, True),
        ({"calls": [{**CALL, "phone": "5185550102"}]}, False),
        ({"calls": [{**CALL, "calldatetime": "2026-03-02T11:50:01"}]}, False),
        ({"calls": [None, "x", {}, {"calldatetime": "soon"}]}, False),
    ],
)
def test_a_call_log_is_known_by_date_and_phone(record: dict[str, Any] | None, expected: bool | None) -> None:
    """Whatever the case of keys and the form of values; what does not tell gives None."""
    assert is_there(record, pushed("call_log")) is expected


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (None, None),
        ({}, False),
        ({"notes": []}, False),
        ({"notes": [{"note": "Hatch text [hatch:c1]\nhello"}]}, True),
        ({"NOTES": [{"Note": "Hatch text [hatch:c1]"}]}, True),
        ({"notes": "Hatch text [hatch:c1]\nhello"}, True),
        ({"notes": [{"note": "Hatch text [hatch:c12]"}]}, False),
        ({"notes": [{"note": "Hatch text [hatch:c2]\n[hatch:c1]"}]}, False),
    ],
)
def test_a_note_is_known_by_its_mark(record: dict[str, Any] | None, expected: bool | None) -> None:
    """At the end of the first line alone."""
    assert is_there(record, pushed("note")) is expected


def test_the_settings_that_call_logs_need_are_named(tmp_path: Path) -> None:
    """C8: each that is missing, with the channels for which it is."""
    bare = live_settings(tmp_path)
    assert missing_settings(bare, None, {"text"}) == ["LP_EMPLOYEE_ID", "LP_CALL_TYPE", "LP_RESULT_CODE"]
    some = live_settings(tmp_path, LP_CALL_TYPE="text=T,call=C", LP_RESULT_CODE="R", LP_EMPLOYEE_ID="7")
    assert missing_settings(some, None, {"text", "call"}) == []
    assert missing_settings(some, None, {"text", "email", "message"}) == ["LP_CALL_TYPE (for email, message)"]
