"""What waits for people (SPEC E7): each with the command that shows or settles it. The verdict is in `health.py`."""

from collections.abc import Iterator
from dataclasses import dataclass

from lp_pipeline.insight.health import Health
from lp_pipeline.insight.words import count
from lp_pipeline.runs.journal import Kind

AGAIN: dict[Kind, str] = {"backfill": "lp-pipeline backfill", "sweep": "lp-pipeline sweep"}


@dataclass(frozen=True)
class Waiting:
    """One kind of thing that waits: how many, in words, and what to type."""

    kind: str
    number: int
    text: str
    command: str


def waiting(health: Health) -> list[Waiting]:
    """All of it, the most urgent first; empty if nothing waits."""
    return [each for each in _all(health) if each.number]


def _all(health: Health) -> Iterator[Waiting]:
    hatch, held = health.hatch, health.held
    pushes, sql = "lp-pipeline pushes", "lp-pipeline sql"
    yield Waiting(
        "uncertain", hatch.uncertain, f"{count(hatch.uncertain, 'message')} may or may not have been written", pushes
    )
    yield Waiting("failed", hatch.failed, f"{count(hatch.failed, 'message')} could not be written", pushes)
    yield Waiting(
        "unmatched",
        hatch.unmatched,
        f"{count(hatch.unmatched, 'message matches', 'messages match')} no prospect",
        pushes,
    )
    yield Waiting(
        "held",
        held,
        f"{count(held, 'opportunity is', 'opportunities are')} held: another creation date",
        "lp-pipeline held",
    )
    yield Waiting(
        "refused",
        hatch.refused,
        f"{count(hatch.refused, 'record was', 'records were')} refused by Hatch",
        f"{sql} \"from hatch_deliveries where state = 'refused'\"",
    )
    for each in health.rejections:
        yield Waiting(
            "rejected",
            each.rejected,
            f"{each.rejected:,} of {count(each.judged, 'record')} came without {each.column}",
            "lp-pipeline ask why_rejected",
        )
    for kind, command in AGAIN.items():
        runs = health.runs.get(kind)
        yield Waiting(
            kind, runs.failures if runs else 0, f"the last {kind} failed: {runs.message if runs else ''}", command
        )
