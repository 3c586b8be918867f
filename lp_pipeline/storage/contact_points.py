"""The normal forms of phone numbers and e-mail addresses (SPEC J8), kept for each text that LeadPerfection showed.

Computed in Python once, when a record is first staged; who compares numbers joins `pipeline.contact_points`.
"""

from typing import Any

from lp_pipeline.clients.contact_points import email_address, phone_numbers
from lp_pipeline.storage.sql import statement


def keep_contact_points(connection: Any) -> None:
    """Keep the forms of what `typed_readings` (of `staging/current_records`) hold for the first time."""
    points: list[tuple[str, str, int, str | None]] = []
    for kind, written in connection.execute(statement("staging/unknown_contact_points")).fetchall():
        forms = phone_numbers(written) or (None,) if kind == "phone" else (email_address(written),)
        points += [(kind, written, place, form) for place, form in enumerate(forms, 1)]
    if points:
        columns = [list(column) for column in zip(*points, strict=True)]
        names = ("kind", "written", "place", "form")
        parameters = dict(zip(names, columns, strict=True))
        connection.execute(statement("staging/keep_contact_points"), parameters).fetchall()
