"""What is worth an alert (SPEC N1): each kind of incident, in the words that people get. No personal data: messages are
those that a run fails with, everything else is counts. Whether and where it is sent: `alerts.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lp_pipeline.insight.alert_state import IncidentKind
from lp_pipeline.insight.health import Health
from lp_pipeline.insight.words import count

OVER: dict[IncidentKind, str] = {
    "sync": "syncs work again",
    "late": "syncs end well again",
    "push": "pushes work again",
    "stopped": "pushes go through again",
    "uncertain": "no message waits for a decision",
    "held": "no opportunity is held",
    "rejected": "hardly any record is rejected",
    "refused": "Hatch has refused nothing for a day",
    "backfill": "a backfill ended well",
    "sweep": "sweeps work again",
}
# what need not be said besides: where syncs fail, none ends well; where pushes are stopped, they fail
SAID_BY: dict[IncidentKind, IncidentKind] = {"late": "sync", "push": "stopped"}


@dataclass(frozen=True)
class Incident:
    """Something that is wrong now: what it is in a few words, why, what to do, and since when, if that is known."""

    kind: IncidentKind
    title: str
    why: str
    action: str
    since: datetime | None = None
    number: int = 0  # of failed runs


def is_known(health: Health) -> bool:
    """Whether what is not among the incidents is over: not so if the settings or a file can't be read."""
    return health.verdict.about != "setup"


def incidents(health: Health) -> dict[IncidentKind, Incident]:
    """All of them."""
    return {each.kind: each for each in _all(health)}


def _all(health: Health) -> Iterator[Incident]:
    yield from _runs(health)
    if not is_known(health):
        return
    hatch = health.hatch
    if hatch.stopped:
        why = " ".join(dict.fromkeys(hatch.stopped.values()))
        yield Incident("stopped", "pushes to LeadPerfection are stopped", why, "then run `lp-pipeline push`")
    if undecided := hatch.uncertain + hatch.failed:
        why = (
            f"{count(hatch.uncertain, 'message')} may or may not have been written to LeadPerfection, "
            f"{hatch.failed:,} could not be written."
        )
        title = f"{count(undecided, 'message waits', 'messages wait')} for a decision"
        yield Incident("uncertain", title, why, "see `lp-pipeline pushes`")
    if health.held:
        title = f"{count(health.held, 'opportunity is', 'opportunities are')} held"
        why = "Known contacts and leads came with another creation date. Everything else is synced."
        yield Incident("held", title, why, "see `lp-pipeline held`, then `held accept` or `held drop`")
    if health.rejections:
        why = " ".join(
            f"{each.rejected:,} of {count(each.judged, 'record')} of the last day came without {each.column}."
            for each in health.rejections
        )
        action = "see `lp-pipeline ask why_rejected`; if this LeadPerfection never sends it, set LP_AVAILABILITY"
        yield Incident("rejected", "many records are rejected", why, action)
    if hatch.refused_lately:
        title = f"Hatch refused {count(hatch.refused_lately, 'record')}"
        why = "Each waits until it changes in LeadPerfection. Hatch's reasons are in the table hatch_deliveries."
        yield Incident("refused", title, why, "correct the records in LeadPerfection")


def _runs(health: Health) -> Iterator[Incident]:
    verdict, runs = health.verdict, health.runs
    catching_up = "see `lp-pipeline doctor`. Nothing is lost: the next good sync catches up"
    sync, push = runs.get("sync"), runs.get("push")
    if verdict.about == "setup":
        yield Incident("sync", "syncs fail", verdict.why, catching_up, verdict.since, verdict.failures)
        return
    if sync and sync.failures:
        yield Incident("sync", "syncs fail", sync.message or "", catching_up, sync.failing_since, sync.failures)
    if health.is_late and health.good_at:
        why = "None is running." if "sync" not in health.running else "One is running now."
        yield Incident("late", "no sync has ended well", why, f"start the schedule, or {catching_up}", health.good_at)
    if push and push.failures and health.hatch.pushes_waiting:
        action = "then run `lp-pipeline push`"
        yield Incident("push", "pushes fail", push.message or "", action, push.failing_since, push.failures)
    for kind, title in (("backfill", "a backfill failed"), ("sweep", "sweeps fail")):
        if (last := runs.get(kind)) and last.failures:  # type: ignore[call-overload]
            action = f"start it again (`lp-pipeline {kind}`): it resumes where it stopped"
            yield Incident(kind, title, last.message or "", action, last.failing_since, last.failures)  # type: ignore[arg-type]
