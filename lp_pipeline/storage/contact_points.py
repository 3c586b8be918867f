"""The normal forms of phone numbers and e-mail addresses (SPEC J8), kept for each text that LeadPerfection showed.

Computed once, when a record is first staged: by SQL for a text of the usual look, here for any other. Who compares
numbers joins `pipeline.contact_points`.
"""

from typing import Any

from lp_pipeline.clients.contact_points import email_address, phone_numbers
from lp_pipeline.storage.sql import statement

AT_ONCE = 20_000  # texts


def keep_contact_points(connection: Any) -> None:
    """Keep the forms of what `typed_readings` (of `staging/current_records`) hold for the first time."""
    ((number,),) = connection.execute(statement("staging/unknown_contact_points")).fetchall()
    for first in range(0, number, AT_ONCE):
        values = {"first": first, "most": AT_ONCE}
        points: list[tuple[str, str, int, str | None]] = []
        for kind, written in connection.execute(statement("staging/unusual_contact_points"), values).fetchall():
            forms = phone_numbers(written) or (None,) if kind == "phone" else (email_address(written),)
            points += [(kind, written, place, form) for place, form in enumerate(forms, 1)]
        columns = [list(column) for column in zip(*points, strict=True)]
        parameters = dict(zip(("kind", "written", "place", "form"), columns, strict=True))
        connection.execute(statement("staging/keep_contact_points"), parameters).fetchall()
