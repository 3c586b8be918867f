"""Permanent settings of the sandbox: the behaviors that the contract marks [U] (unknown), and quirks.

Belongs here: their names, defaults and validation. Not here: their effects (leadperfection/api.py), temporary faults
(faults.py).
"""

from typing import Any

Switches = dict[str, Any]

CALL_RESULTS = [("NA", "No Answer"), ("LM", "Left Message"), ("CB", "Call Back"), ("SET", "Appointment Set")]
DEFAULTS: Switches = {
    "paging": "page",  # what StartIndex counts: pages, rows, or nothing (it is ignored)
    "empty_page_first": False,  # a page after a full one is empty on the first request and filled on the second
    "max_page_size": 0,  # the largest PageSize that is honored, 0 = any
    "order": "cst_id",
    "end_inclusive_second": False,  # whether 10:00:00.9 is inside a window that ends at 10:00:00
    "narrow_window_ignores_ids": False,  # a request by id over less than a day returns all changed prospects
    "prospect_feed_leads": True,
    "key_case": "as_is",  # camel: Cst_Id; pascal: CstId; upper: CST_ID
    "numeric_ids": False,
    "single_object": False,  # an array of one element is sent as an object
    "empty_as": "array",
    "user_data": True,  # whether sign-in lists the permitted functions
    "permissions": ["GetLead", "GetProspectData", "AddNotes", "AddInstallerJobNotes", "AddCallHistory"],
    "refuse_sign_in": False,
    "clientid": "sandbox",
    "username": "sandbox",
    "password": "sandbox",
    "appkey": "sandbox",
    "clock_skew_seconds": 0,
    "broken_record": "",  # a cst_id: every page that contains it times out
    "slow_window_hours": 0,  # longer windows time out, 0 = none
    "events": True,  # whether the data changes over time
    "note_answer": "ok",  # any other value: every note is rejected, in that format
    "note_length": 3500,  # longer notes are rejected, 0 = no limit
    "hide_notes": False,  # records show no notes
    "write_moves_lastchanged": False,  # whether a write updates the prospect's lastchanged
    "employee_ids": [64],
    "call_types": ["O", "I"],
    "result_codes": [code for code, _ in CALL_RESULTS],
    "lossy": 0,  # one in N writes, at random, gets the fault refuse, lost or late (faults.py); 0 = none
    "lossy_seed": 1,
    "lossy_late_seconds": 1,
    "hatch_api_key": "sandbox",
    "hatch_export_key": "sandbox",
    "hatch_source": "custom:leadperfection",  # the only valid source
    "hatch_refuse_email": "",  # an email address that Hatch always rejects
    "hatch_limit": 0,  # upserts per 10 seconds of this machine's clock, 0 = no limit
    "hatch_retry_after": 0,  # Retry-After seconds of a 429, 0 = none
    "export_time_column": "occurred_at",
    "export_minutes_between": 0,
    "export_per_day": 0,  # per 24 hours, 0 = no limit
    "export_max_bytes": 0,  # 0 = no limit
    "export_lag_days": 1,  # 1: exports reach to the end of yesterday
}
CHOICES = {
    "paging": ("page", "row", "nothing"),
    "order": ("cst_id", "lastchanged", "lastchanged_desc"),
    "key_case": ("as_is", "camel", "pascal", "upper"),
    "empty_as": ("array", "null", "blank"),
    "note_answer": ("ok", "text", "result", "message"),
}


def checked(values: Switches) -> Switches:
    """Validate switch values and return them. Raises ValueError naming the first invalid one."""
    for name, value in values.items():
        if name not in DEFAULTS:
            raise ValueError(f"Unknown switch {name!r}. Choose from: {', '.join(DEFAULTS)}.")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"The switch {name} must be {' or '.join(CHOICES[name])}, not {value!r}.")
        if not _fits(value, DEFAULTS[name], number_too=name == "broken_record"):
            raise ValueError(f"The switch {name} takes a {type(DEFAULTS[name]).__name__}, not {value!r}.")
    return values


def _fits(value: object, default: object, *, number_too: bool) -> bool:
    if isinstance(value, bool) or isinstance(default, bool):  # in Python, True is a number
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, int):
        return isinstance(value, int | float)
    return isinstance(value, type(default)) or (number_too and isinstance(value, int))
