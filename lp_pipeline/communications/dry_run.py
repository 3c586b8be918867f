"""What a push would write, where, word for word. Nothing is written here, neither there nor in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lp_pipeline.communications.ledger import open_pushes, register
from lp_pipeline.communications.matching import addresses
from lp_pipeline.communications.payloads import Letter, call_fields, fixed_address, letter_for, taken_dates, unsendable
from lp_pipeline.communications.targets import Overrides, targets_on
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row


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


@dataclass(frozen=True)
class Rehearsed:
    """What would become of one open push: where it would go, and what would stand there."""

    communication_id: str
    target: str
    where: str
    what: str


def dry_run(outbox: Outbox, settings: Settings, overrides: Overrides) -> list[Rehearsed]:
    """What `push` would write now, where, word for word. Writes nothing anywhere."""
    if not outbox.path.exists():
        return []
    with outbox.rehearsal() as connection:
        register(connection, outbox, settings, overrides)
        rows = open_pushes(outbox, settings, targets_on(settings, overrides), due_only=False)
    found = rehearse(outbox, settings, rows)
    return [_rehearsed(row, letter, why, settings) for row, (letter, why) in zip(rows, found, strict=True)]


def _rehearsed(row: Row, letter: Letter | None, why: str, settings: Settings) -> Rehearsed:
    if letter is None:
        return Rehearsed(row["communication_id"], row["target"], "", why)
    if letter.text is not None:
        job = f", job {letter.job_id}" if letter.target == "production_note" else ""
        where, what = f"prospect {letter.external_contact_id}{job}", letter.text
    else:
        fields = call_fields(letter, row, settings, None)
        where = f"prospect {letter.external_contact_id}"
        fields["EmpID"] = fields["EmpID"] or "(as the sign-in says)"
        what = ", ".join(f"{name} {value}" for name, value in fields.items() if value)
    return Rehearsed(letter.communication_id, letter.target, where, what)


def as_text(rehearsed: Sequence[Rehearsed]) -> str:
    """A dry run as a page of text."""
    pages = []
    for each in rehearsed:
        head = f"{each.communication_id} → {each.target}"
        pages.append(f"{head}: {each.where}\n{each.what}\n" if each.where else f"{head}: {each.what}\n")
    return "\n".join(pages) or "Nothing would be written.\n"


def dry_run_file(folder: Path) -> Path:
    """Where a dry run from the UI is written: it holds personal data, which no log may (SPEC R4)."""
    return folder / "dry_run.txt"
