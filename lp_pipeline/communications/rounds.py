"""One round of pushing: see what has landed, then push what is open; or show what that would do, word for word."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lp_pipeline.communications.ledger import Overrides, note_pushing, open_pushes, register, targets_on
from lp_pipeline.communications.letters import Letter, call_fields
from lp_pipeline.communications.pushing import Push, PushReport
from lp_pipeline.communications.rehearsing import rehearse
from lp_pipeline.leadperfection import Client
from lp_pipeline.outbox import Outbox, Row
from lp_pipeline.settings import Settings
from lp_pipeline.warehouse.turn import Turn

PUSH_TURN = "push"


def push(
    outbox: Outbox,
    client: Callable[[], Client],
    settings: Settings,
    overrides: Overrides,
    *,
    due_only: bool,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> PushReport:
    """Push what is open to the targets that are on; waits while another push is at work on this folder."""
    with push_turn(settings):
        note_pushing(outbox, settings, overrides)
        with outbox.transaction() as connection:
            register(connection, outbox, settings, overrides)
        targets = targets_on(settings, overrides)
        return Push(outbox, client, settings, targets, due_only=due_only, on_progress=on_progress).run()


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


@contextmanager
def push_turn(settings: Settings) -> Iterator[None]:
    """One push at a time works on a data folder, and nobody else on the ledger's open rows."""
    turn = Turn(settings.data, PUSH_TURN)
    turn.take()
    try:
        yield
    finally:
        turn.give_back()


def dry_run_file(folder: Path) -> Path:
    """Where a dry run from the UI is written: it holds personal data, which no log may (SPEC R4)."""
    return folder / "dry_run.txt"
