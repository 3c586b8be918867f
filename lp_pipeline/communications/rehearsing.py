"""What a push would write, where, word for word. Nothing is written here, neither there nor in the ledger."""

from collections.abc import Sequence

from lp_pipeline.communications.addressing import addresses
from lp_pipeline.communications.letters import Letter, fixed_address, letter_for, taken_dates, unsendable
from lp_pipeline.outbox import Outbox, Row
from lp_pipeline.settings import Settings


def rehearse(outbox: Outbox, settings: Settings, rows: Sequence[Row]) -> list[tuple[Letter | None, str]]:
    """For each row the letter that would go out, or why there is none."""
    found = addresses(outbox, settings, [row for row in rows if row["pushed_contact_id"] is None])
    rehearsed: list[tuple[Letter | None, str]] = []
    dates: dict[str | None, set[str]] = {}  # that this rehearsal has given away, by contact
    for row in rows:
        address = fixed_address(row) or found[row["communication_id"]]
        if row["state"] == "sending" or row["looks_first"]:
            rehearsed.append((None, "in doubt: to be looked up first"))
        elif address.unmatched:
            rehearsed.append((None, f"unmatched ({address.unmatched})"))
        elif why := unsendable(row["target"], address, row["phone"]):
            rehearsed.append((None, f"skipped ({why})"))
        else:
            given = dates.setdefault(address.external_contact_id, set())
            letter = letter_for(row, address, settings, taken_dates(outbox, row, address) | given)
            if letter.call_date:
                given.add(letter.call_date)
            rehearsed.append((letter, ""))
    return rehearsed
