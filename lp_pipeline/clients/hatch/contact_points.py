"""What can be reached: phone numbers and e-mail addresses, as Hatch and LeadPerfection can use them (SPEC C5, D2).
Text in, the one usable form out, or None; what to do without one is decided by others.
"""

import re

import phonenumbers

NORTH_AMERICA = 1  # the country code
LONGEST_EMAIL = 254
LONGEST_LOCAL_PART = 64

_LOCAL_PART = re.compile(r"[^\s@,;:<>()\[\]\\\"\x00-\x20\x7f]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def ten_digits(text: str | None) -> str | None:
    """The ten digits of a North American phone number however it is written, or None unless there are exactly ten.

    A leading 1 of eleven is dropped. Whether such a number can exist is not asked.
    """
    digits = re.sub(r"[^0-9]", "", text or "")
    if len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    return digits if len(digits) == 10 else None


def valid_phone(text: str | None) -> str | None:
    """The ten digits of a valid North American number, without its extension; None if it is none (SPEC D2)."""
    try:
        number = phonenumbers.parse(text or "", "US")
    except phonenumbers.NumberParseException:
        return None
    if number.country_code != NORTH_AMERICA or not phonenumbers.is_valid_number(number):
        return None
    return f"{number.national_number:010d}"


def valid_email(text: str | None) -> str | None:
    """The trimmed address if it looks like one (one @, a dotted domain, no blanks, at most 254 characters), or None."""
    address = (text or "").strip()
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
