"""Shows exactly what a push would write, and where. Writes nothing, neither to LeadPerfection nor to the ledger."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lp_pipeline.communications.ledger import open_pushes, register
from lp_pipeline.communications.matching import addressed
from lp_pipeline.communications.open_push import OpenPush
from lp_pipeline.communications.payloads import call_fields, obstacle, taken_dates, with_content
from lp_pipeline.communications.targets import CALL_LOG, NOTE, PRODUCTION_NOTE, TARGETS, Overrides, targets_on
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox

NOUNS = {NOTE: "notes", CALL_LOG: "call logs", PRODUCTION_NOTE: "production notes"}


@dataclass(frozen=True)
class DryRunPush:
    """One open push: where it would go and what it would write; without `where`, why it would not go now."""

    communication_id: str
    target: str
    where: str
    what: str


def dry_run(outbox: Outbox, settings: Settings, overrides: Overrides) -> list[DryRunPush]:
    """What `push` would write now, word for word. Writes nothing anywhere."""
    if not outbox.path.exists():
        return []
    with outbox.dry_run() as connection:
        register(connection, outbox, settings, overrides)
        pushes = open_pushes(outbox, settings, targets_on(settings, overrides), due_only=False)
    planned: list[DryRunPush] = []
    dates: defaultdict[str | None, set[str]] = defaultdict(set)  # given out by this dry run, by contact
    for push in addressed(outbox, settings, pushes):
        where = ""
        if push.state == "sending" or push.looks_first:
            what = "in doubt: looked up before it is sent"
        elif found := obstacle(push):
            what = f"{found[0]} ({found[1]})"
        else:
            given = dates[push.address.external_contact_id]
            ready = with_content(push, settings, taken_dates(outbox, push) | given)
            given.add(ready.call_date or "")
            where, what = _shown(ready, settings)
        planned.append(DryRunPush(push.communication_id, push.target, where, what))
    return planned


def _shown(push: OpenPush, settings: Settings) -> tuple[str, str]:
    where = f"prospect {push.address.external_contact_id}"
    if push.text is not None:
        return f"{where}, job {push.address.job_id}" if push.target == PRODUCTION_NOTE else where, push.text
    fields = call_fields(push, settings, None)
    fields["EmpID"] = fields["EmpID"] or "(from the sign-in)"
    return where, ", ".join(f"{name} {value}" for name, value in fields.items() if value)


def as_text(pushes: Sequence[DryRunPush]) -> str:
    """A dry run as text: how many would go where, then each one word for word."""
    pages = [_summary(pushes)] if pushes else []
    for each in sorted(pushes, key=lambda push: not push.where):  # first what would be written
        head = f"{each.communication_id} → {each.target}"
        pages.append(f"{head}: {each.where}\n{each.what}\n" if each.where else f"{head}: {each.what}\n")
    return "\n".join(pages) or "Nothing would be written.\n"


def _summary(pushes: Sequence[DryRunPush]) -> str:
    """How many would be written where, and how many would not, by reason."""
    lines = ["To LeadPerfection (nothing was written):"]
    for target in TARGETS:
        places = [each.where for each in pushes if each.target == target and each.where]
        if places:
            records = len(set(places))
            lines.append(f"  {NOUNS[target]:<18}{len(places):,}, on {records:,} record{'s' if records > 1 else ''}")
    reasons = Counter((each.target, each.what) for each in pushes if not each.where)
    lines += [f"  not now           {number:,}, {target}: {what}" for (target, what), number in sorted(reasons.items())]
    return "\n".join([*lines, ""])


def dry_run_file(folder: Path) -> Path:
    """Where a dry run started in the UI is written: it holds personal data, which no log may (SPEC R4)."""
    return folder / "dry_run.txt"
