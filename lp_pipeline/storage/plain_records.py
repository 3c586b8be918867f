"""Whether SQL can read a record as LeadPerfection sent it: keys as the contract writes them, ids and dates as text,
lists where they belong. Nearly all records have few shapes and nothing but text: these are recognized by one look at
each object. Values in, yes or no out; the normal form of the others is made in `records`.
"""

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any

from lp_pipeline.storage.contents import LISTS, OWN_KEY, lower_name

TRIMMED_BY_SQL = ("email", "firstname", "lastname", "phone1")
PROSPECT_DATES = ("dateadded", "lastchanged")
PROSPECT_TEXTS = (*TRIMMED_BY_SQL, *PROSPECT_DATES)
LEAD_DATES = ("dateentered", "lastchangedon")
READ_BY_SQL = frozenset(
    {
        *("cst_id", "cstid", "leads", "calls", "altphones", *PROSPECT_TEXTS),
        *("id", "disposition", *LEAD_DATES, *LISTS, "contractdate"),
        *("phone", "calldatetime", "resultcode", "resultdescr", "calltype"),
    }
)

_PROSPECT_LISTS = ("calls", "altphones")
SHAPES_KEPT = 10_000
_strip = str.strip


def is_plain(whole: dict[str, Any]) -> bool:
    """Whether SQL can read this prospect as it is."""
    try:
        return _is_plain_at_once(whole) or _looks_plain(whole)
    except (TypeError, KeyError):  # something is no text, or no object
        return _looks_plain(whole)


def _is_plain_at_once(whole: dict[str, Any]) -> bool:
    """Whether what SQL reads is text without blanks around it, and each list a list; if not, it may be plain still."""
    if not (_are_bare(whole, _OF_PROSPECTS) and whole["cst_id"]):
        return False
    leads = whole.get("leads", ())
    if type(leads) is not list and leads != ():
        return False
    for lead in leads:
        if type(lead) is not dict or not (_are_bare(lead, _OF_LEADS) and lead["id"] and _lists_are_bare(lead, LISTS)):
            return False
    return _lists_are_bare(whole, _PROSPECT_LISTS)


def _lists_are_bare(fields: dict[str, Any], names: tuple[str, ...]) -> bool:
    for name in names:
        if items := fields.get(name):
            if type(items) is not list:
                return False
            for item in items:
                if type(item) is not dict or not _are_bare(item, _OF_ITEMS):
                    return False
    return True


class _Getters(dict[tuple[str, ...], Callable[[dict[str, Any]], tuple[Any, ...]] | None]):
    """By the keys of an object, what gives the values that SQL reads; None if the keys are odd."""

    def __init__(self, *read: str) -> None:
        self._read = frozenset(read)

    def __missing__(self, names: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]] | None:
        if len(self) >= SHAPES_KEPT:
            self.clear()
        found = [name for name in names if name in self._read] or [*names[:1]]
        # the first one twice, so that it is a tuple always
        self[names] = None if _is_odd(names) or not found else itemgetter(*found, found[0])
        return self[names]


_OF_PROSPECTS = _Getters("cst_id", *PROSPECT_TEXTS)
_OF_LEADS = _Getters("id", "disposition", *LEAD_DATES)
_OF_ITEMS = _Getters(*READ_BY_SQL)


def _are_bare(fields: dict[str, Any], getters: _Getters) -> bool:
    getter = getters[tuple(fields)]
    if getter is None:
        return False
    values = getter(fields)
    return tuple(map(_strip, values)) == values


def _looks_plain(whole: dict[str, Any]) -> bool:
    """The same, looked at value by value."""
    if _is_odd(tuple(whole)):
        return False
    if not _is_plain_id(whole.get("cst_id")):
        return False
    for name in TRIMMED_BY_SQL:
        if name in whole and not _is_plain_text(whole[name]):
            return False
    for name in PROSPECT_DATES:
        if name in whole and not _is_bare_text(whole[name]):
            return False
    for name in _PROSPECT_LISTS:
        items = whole.get(name)
        if items and (type(items) is not list or not _are_plain(items)):
            return False
    leads = whole.get("leads", ())
    if leads is None:
        return True
    if type(leads) is not list and leads != ():
        return False
    return all(map(_is_plain_lead, leads))


def _is_plain_lead(lead: Any) -> bool:
    if type(lead) is not dict or _is_odd(tuple(lead)):
        return False
    if not _is_plain_id(lead.get("id")):
        return False
    if "disposition" in lead and not _is_plain_text(lead["disposition"]):
        return False
    for name in LEAD_DATES:
        text = lead.get(name)
        if text is not None and not _is_bare_text(text):
            return False
    for name in LISTS:
        items = lead.get(name)
        if items and (type(items) is not list or not _are_plain(items)):
            return False
    return True


def _are_plain(items: list[Any]) -> bool:
    """Whether SQL can read these jobs, appointments, calls or phones."""
    for item in items:
        if type(item) is not dict or _is_odd(tuple(item)):
            return False
        for name in item.keys() & READ_BY_SQL:
            value = item[name]
            if value is not None and not _is_bare_text(value):
                return False
    return True


def _is_plain_id(value: Any) -> bool:
    return type(value) is int or (type(value) is str and bool(value) and value.strip() == value)


def _is_bare_text(value: Any) -> bool:
    return type(value) is int or (type(value) is str and value.strip() == value)


def _is_plain_text(value: Any) -> bool:
    """Text that SQL trims as Python does, or a whole number."""
    return type(value) is int or (type(value) is str and value.strip(" ") == value.strip())


@lru_cache(SHAPES_KEPT)
def _is_odd(names: tuple[str, ...]) -> bool:
    """Whether keys that SQL reads are there in another spelling, or two keys differ in case only."""
    lowered = [lower_name(name) for name in names]
    return (
        len(set(lowered)) < len(names)
        or OWN_KEY in names
        or "cstid" in lowered
        or any(name in READ_BY_SQL and name != written for name, written in zip(lowered, names, strict=True))
    )
