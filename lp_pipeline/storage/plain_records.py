"""Whether SQL can read a record as LeadPerfection sent it: keys as the contract writes them, ids and dates as text,
lists where they belong. Nearly all records have few shapes and nothing but text: these are recognized by one look at
each object. Values in, yes or no out; the normal form of the others is made in `records`.
"""

from collections.abc import Collection
from functools import lru_cache
from operator import attrgetter
from typing import Any

from msgspec import UNSET

from lp_pipeline.clients.json_shapes import Fields
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


def is_plain_at_once(whole: Fields) -> bool:
    """Whether what SQL reads is text without blanks around it, and each list a list; if not, it may be plain still."""
    try:
        return _is_plain_at_once(whole)
    except (TypeError, AttributeError):  # something is no text, or no object
        return False


def _is_plain_at_once(whole: Fields) -> bool:
    look = _OF_PROSPECTS[type(whole)]
    if not look.is_bare(whole):
        return False
    for attribute in look.leads:
        leads = getattr(whole, attribute)
        if type(leads) is not list:
            return leads is UNSET
        for lead in leads:
            look_at_lead = _OF_LEADS[type(lead)]
            if not (look_at_lead.is_bare(lead) and getattr(lead, look_at_lead.id)):
                return False
    return True


class _Look:
    """How the objects of one type are looked at: the texts that SQL reads, all at once, and the lists."""

    def __init__(self, kind: type[Fields], read: frozenset[str], lists: tuple[str, ...]) -> None:
        attributes = kind.attributes
        self._may_be_odd = _is_odd(tuple(attributes))
        there = [attributes[name] for name in read & (attributes.keys() - kind.missing)]
        # the first one twice, so that it is a tuple always
        self._texts = attrgetter(*there, there[0]) if there else None
        self._texts_at_times = [attributes[name] for name in read & kind.missing]
        self._lists = [attributes[name] for name in lists if name in attributes]
        self.leads = [attributes["leads"]] if "leads" in attributes else []
        self.id = attributes.get("id", "")

    def is_bare(self, fields: Fields) -> bool:
        if self._may_be_odd and _is_odd(fields.names):
            return False
        if self._texts and tuple(map(_strip, values := self._texts(fields))) != values:
            return False
        for attribute in self._texts_at_times:
            if (text := getattr(fields, attribute)) is not UNSET and text.strip() != text:
                return False
        for attribute in self._lists:
            if items := getattr(fields, attribute):
                if type(items) is not list:
                    return False
                for item in items:
                    if not _OF_ITEMS[type(item)].is_bare(item):
                        return False
        return True


class _Looks(dict[type[Fields], _Look]):
    def __init__(self, read: Collection[str], lists: tuple[str, ...] = ()) -> None:
        self._read, self._lists = frozenset(read), lists

    def __missing__(self, kind: type[Fields]) -> _Look:
        if len(self) >= SHAPES_KEPT:
            self.clear()
        self[kind] = _Look(kind, self._read, self._lists)
        return self[kind]


_OF_PROSPECTS = _Looks(("cst_id", *PROSPECT_TEXTS), _PROSPECT_LISTS)
_OF_LEADS = _Looks(("id", "disposition", *LEAD_DATES), LISTS)
_OF_ITEMS = _Looks(READ_BY_SQL)


def is_plain(whole: dict[str, Any]) -> bool:
    """Whether SQL can read this prospect as it is."""
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
