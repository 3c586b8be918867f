"""Single JSON values as text, the same way wherever one is read (SPEC F1, J4): LeadPerfection's and Hatch's ids, what
is compared, what goes to Hatch. Not here: which values are dates, phones or links, or what a missing one means.
"""

import math
from decimal import Decimal


def text_of(value: object) -> str | None:
    """Trimmed text of a text, number or boolean; None for blank text, null, and what has parts. Never raises.

    A number is written without exponent and without zeros at the end of a fraction: 450708.0 and 4.50708e5 are 450708.
    All its other digits are kept. A text is never taken for a number: "1e5" may be an id.
    """
    match value:
        case bool():
            return str(value).lower()
        case float():
            return _number(Decimal(repr(value))) if math.isfinite(value) else None
        case Decimal():
            return _number(value)
        case str() | int():
            return str(value).replace("\x00", "").strip() or None
    return None


def id_of(value: object) -> str | None:
    """An id as text, of a text or a number; anything else, a boolean too, is none."""
    return None if isinstance(value, bool) else text_of(value)


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
