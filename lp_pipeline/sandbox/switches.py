"""The standing ways in which this LeadPerfection may differ from another one: what the contract marks [U], and quirks.

Belongs here: their names, defaults and checks. Not here: what they do (leadperfection/api.py), or trouble that passes
(faults.py).
"""

from typing import Any

Switches = dict[str, Any]

CALL_RESULTS = [("NA", "No Answer"), ("LM", "Left Message"), ("CB", "Call Back"), ("SET", "Appointment Set")]
DEFAULTS: Switches = {
    "paging": "page",  # what StartIndex counts: pages or rows; or nothing, as it is ignored
    "empty_page_first": False,  # a page after a full one is empty when it is asked for, and there when asked for again
    "max_page_size": 0,  # the largest PageSize that is honoured, 0 = any
    "order": "cst_id",
    "end_inclusive_second": False,  # whether 10:00:00.9 is inside a window that ends 10:00:00
    "narrow_window_ignores_ids": False,  # an id asked for with less than a day returns whoever changed
    "prospect_feed_leads": True,
    "key_case": "as_is",  # camel: Cst_Id; pascal: CstId; upper: CST_ID
    "numeric_ids": False,
    "single_object": False,  # an array of one is sent as the object
    "empty_as": "array",
    "user_data": True,  # whether sign-in lists the permitted functions
    "permissions": ["GetLead", "GetProspectData", "AddNotes", "AddInstallerJobNotes", "AddCallHistory"],
    "refuse_sign_in": False,
    "clientid": "sandbox",
    "username": "sandbox",
    "password": "sandbox",
    "appkey": "sandbox",
    "clock_skew_seconds": 0,
    "broken_record": "",  # a cst_id: every page that would show it times out
    "slow_window_hours": 0,  # windows longer than that time out, 0 = none does
    "events": True,  # whether the world changes by itself
    "note_answer": "ok",  # any other: every note is refused, in that dialect
    "note_length": 3500,  # longer ones are refused, 0 = none is
    "hide_notes": False,  # no record shows any
    "write_moves_lastchanged": False,  # whether a write moves the prospect's lastchanged
    "employee_ids": [64],
    "call_types": ["O", "I"],
    "result_codes": [code for code, _ in CALL_RESULTS],
    "lossy": 0,  # one write in so many, at random, is refused, lost or late (faults.py)
    "lossy_seed": 1,
    "lossy_late_seconds": 1,
    "hatch_api_key": "sandbox",
    "hatch_export_key": "sandbox",
    "hatch_source": "custom:leadperfection",  # the one that exists
    "hatch_refuse_email": "",  # an e-mail address that Hatch never takes
    "hatch_limit": 0,  # upserts in any 10 seconds of this machine's clock, 0 = any number
    "hatch_retry_after": 0,  # what a 429 asks to wait, 0 = it does not say
    "export_time_column": "occurred_at",
    "export_minutes_between": 0,
    "export_per_day": 0,  # in any 24 hours, 0 = any number
    "export_max_bytes": 0,  # 0 = any
    "export_lag_days": 1,  # 1: up to the end of yesterday
}
CHOICES = {
    "paging": ("page", "row", "nothing"),
    "order": ("cst_id", "lastchanged", "lastchanged_desc"),
    "key_case": ("as_is", "camel", "pascal", "upper"),
    "empty_as": ("array", "null", "blank"),
    "note_answer": ("ok", "text", "result", "message"),
}


def checked(values: Switches) -> Switches:
    """The given values, if each is a switch and may have that value; else ValueError names the wrong one."""
    for name, value in values.items():
        if name not in DEFAULTS:
            raise ValueError(f"No switch is called {name!r}. There are: {', '.join(DEFAULTS)}.")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"The switch {name} may be {' or '.join(CHOICES[name])}, not {value!r}.")
        if not _fits(value, DEFAULTS[name], number_too=name == "broken_record"):
            raise ValueError(f"The switch {name} takes a {type(DEFAULTS[name]).__name__}, not {value!r}.")
    return values


def _fits(value: object, default: object, *, number_too: bool) -> bool:
    if isinstance(value, bool) or isinstance(default, bool):  # Python takes True for a number
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, int):
        return isinstance(value, int | float)
    return isinstance(value, type(default)) or (number_too and isinstance(value, int))
