"""The one form of a phone number and of an e-mail address (SPEC J8), by which all who compare or send them go.

Pure functions, text in, form out; when a form is computed and where it is kept is decided in storage.
"""

import re
import unicodedata

import phonenumbers

NORTH_AMERICA = 1  # the country code
DIGITS = 10  # of a North American number
LONGEST_FIELD = 250  # characters; what comes later in a field is no number that a person would call
LONGEST_EMAIL = 254
LONGEST_LOCAL_PART = 64

# What nearly all numbers look like; phonenumbers reads them the same way and takes a hundred times as long.
_PLAIN = re.compile(r"(?:\+?1[-. ]?)?(?:\(([2-9]\d\d)\) ?|([2-9]\d\d)[-. ]?)(\d{3})[-. ]?(\d{4})", re.ASCII)
_INVISIBLE = ("Cf", "Mn", "Me")  # direction marks, zero-width characters, what makes a keycap of a digit
_DISPLAY_NAME = re.compile(r"[^<>]*<([^<>]*)>")
_LOCAL_PART = re.compile(r"[^\s@,;:<>()\[\]\\\"\x00-\x20\x7f]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def phone_numbers(text: str | None) -> tuple[str, ...]:
    """The North American numbers in a field, ten digits each, in order, without extensions; usually one, often none.

    Labels, blanks, direction marks, a leading 1 and the script of the digits make no difference. Numbers with less or
    more digits and those of other countries are left out; whether a number can exist is asked by `is_valid_phone`.
    """
    text = (text or "").strip()
    if plain := _PLAIN.fullmatch(text):
        return ((plain[1] or plain[2]) + plain[3] + plain[4],)
    return phone_numbers_in_prose(text)


def phone_numbers_in_prose(text: str) -> tuple[str, ...]:
    """The same for a text of any look, as `phonenumbers` finds numbers."""
    folded = _visible(unicodedata.normalize("NFKC", text[:LONGEST_FIELD])).replace("_", " ")
    found: dict[str, None] = {}
    for match in phonenumbers.PhoneNumberMatcher(folded, "US", leniency=phonenumbers.Leniency.POSSIBLE):
        number = phonenumbers.national_significant_number(match.number)
        if match.number.country_code == NORTH_AMERICA and len(number) == DIGITS:
            found.setdefault(number)
    return tuple(found)


def first_phone(text: str | None) -> str | None:
    """The first number in a field, ten digits; None if there is none."""
    return next(iter(phone_numbers(text)), None)


def same_line(one: str | None, other: str | None) -> bool:
    """Whether two fields have a number in common, extensions aside."""
    return not set(phone_numbers(one)).isdisjoint(phone_numbers(other))


def is_valid_phone(number: str) -> bool:
    """Whether a number of ten digits can exist in North America (SPEC D2)."""
    return phonenumbers.is_valid_number(phonenumbers.parse(number, "US"))


def email_address(text: str | None) -> str | None:
    """The bare address in lower case, `Ann <A@x.com>` is `a@x.com`; None if it is none.

    An address has one @, a dotted domain, no blanks and at most 254 characters.
    """
    address = _visible(text or "").strip()
    if named := _DISPLAY_NAME.fullmatch(address):
        address = named[1].strip()
    address = address.lower().removeprefix("mailto:")
    local, at, domain = address.partition("@")
    if not at or len(address) > LONGEST_EMAIL or len(local) > LONGEST_LOCAL_PART:
        return None
    if not _LOCAL_PART.fullmatch(local) or ".." in local or local.startswith(".") or local.endswith("."):
        return None
    labels = domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    top = labels[-1]
    return address if len(top) > 1 and not top.isdigit() else None


def _visible(text: str) -> str:
    if text.isascii():
        return text
    return "".join(letter for letter in text if unicodedata.category(letter) not in _INVISIBLE)
