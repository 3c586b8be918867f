"""`lp-pipeline explain`: one record's story, and above it the verdict: what it is, or why it is not there (SPEC E1).

The facts are in `explain_sources` (published copy, outbox), `explain_merges` (readings) and `explain_asked`
(LeadPerfection). What is returned holds personal data: for the terminal of who asked, never a log.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from lp_pipeline.insight.explain_asked import Asked, Find, ask_leadperfection
from lp_pipeline.insight.explain_columns import SOURCES, UPDATED_FROM, Column, columns_of
from lp_pipeline.insight.explain_merges import Past, Reading, Trigger, past_of
from lp_pipeline.insight.explain_merges import whom as whom_in_work
from lp_pipeline.insight.explain_sources import (
    Push,
    Rows,
    deliveries_of,
    may_be_from,
    published_of,
    pushes_of,
    whom,
)
from lp_pipeline.insight.words import moment
from lp_pipeline.settings import Settings
from lp_pipeline.storage.forgotten import Forgotten
from lp_pipeline.storage.outbox import Outbox

State = Literal["opportunity", "gone", "held", "dropped", "rejected", "unmerged", "untriggered", "never_read", "erased"]
WAITING = ("landed", "pending", "sending")
DECIDE = ("uncertain", "unmatched", "failed")


class Story(msgspec.Struct, frozen=True):
    """What is known of a prospect or a lead. `verdict` and `advice` are for people, `state` for scripts.

    `opportunity` is the one that the rest is about: the lead's, or the prospect's current one. `triggers` are those of
    it, oldest first.
    """

    verdict: str
    state: State
    external_contact_id: str | None
    external_id: str | None
    advice: list[str] = []
    opportunity: dict[str, Any] | None = None
    others: list[dict[str, Any]] = []
    columns: list[Column] = []
    changed_at: datetime | None = None
    changed_by_sync: int | None = None
    readings: list[Reading] = []
    triggers: list[Trigger] = []
    rejected: Rows = []
    held: Rows = []
    delivery: dict[str, Any] | None = None
    delivery_due_since: datetime | None = None
    pushes: list[Push] = []
    may_be_from: list[Push] = []
    windows: Rows = []
    asked: Asked | None = None


def explain(settings: Settings, outbox: Outbox, identity: str, find: Find | None = None) -> list[Story]:
    """The stories of an id: of the prospect or of the lead that has it, or of both; one for each prospect of a lead.

    `find` asks LeadPerfection for an id that was never read. Raises `WarehouseError`, `LeadPerfectionError`.
    """
    found = whom(outbox, settings, identity) or whom_in_work(settings, identity)
    if not found:
        return [_never_read(settings, outbox, identity, find)]
    return [_story(settings, outbox, contact, lead) for contact, lead in found]


def _story(settings: Settings, outbox: Outbox, contact: str, lead: str | None) -> Story:
    people, past = published_of(outbox, settings, contact), past_of(settings, contact)
    mine = [each for each in people.opportunities if lead is None or each["external_id"] == lead]
    opportunity = mine[0] if mine else None
    about = opportunity["external_id"] if opportunity else lead
    changes = _changes_of(people.changes, opportunity)
    deliveries = deliveries_of(outbox, contact)
    story = Story(
        verdict="",
        state="untriggered",
        external_contact_id=contact,
        external_id=lead,
        opportunity=opportunity,
        others=[each for each in people.opportunities if each is not opportunity],
        columns=columns_of(opportunity, changes) if opportunity else [],
        changed_at=changes[0]["changed_at"] if changes else None,
        changed_by_sync=changes[0]["sync_id"] if changes else None,
        readings=[each for each in past.readings if lead is None or lead in each.lead_ids],
        triggers=_triggers_of(past, about),
        rejected=_of_lead(people.rejected, lead),
        held=_of_lead(people.held, lead),
        delivery=_delivery_of(deliveries, opportunity),
        delivery_due_since=past.due_since,
        pushes=pushes_of(outbox, contact),
        may_be_from=may_be_from(outbox, settings, contact),
        windows=people.windows,
    )
    state, verdict, advice = _judge(settings, story)
    subject = f"Lead {lead} of prospect {contact}" if lead else f"Prospect {contact}"
    return msgspec.structs.replace(story, state=state, verdict=f"{subject}: {verdict}", advice=advice)


def _judge(settings: Settings, story: Story) -> tuple[State, str, list[str]]:
    """The state, the verdict and what to do."""
    unmerged = [each for each in story.readings if each.is_unmerged]
    advice = ["1 message needs your decision:  lp-pipeline pushes"] if _undecided(story) == 1 else []
    if _undecided(story) > 1:
        advice = [f"{_undecided(story)} messages need your decision:  lp-pipeline pushes"]
    held = [each for each in story.held if each["state"] == "held"]
    if held:
        advice.append(f"Check both dates, then:  lp-pipeline held accept {story.external_contact_id}  (or drop)")
    if story.opportunity:
        verdict, gone = _whose_opportunity(story), story.opportunity["gone_since"]
        if gone:
            verdict += (
                f", gone since {moment(gone, settings)} (LeadPerfection no longer lists it with this creation date)"
            )
        verdict += f", {_delivered(settings, story)}"
        if held:
            verdict += f"; another one is held, {_redated(held[0])}"
        for each in story.rejected[:1]:
            own = each["external_id"] == story.opportunity["external_id"]
            what = "as it is now it is" if own else f"its lead {each['external_id']} is"
            verdict += f"; {what} rejected: {_missing(settings, each)}"
        return "gone" if gone else "opportunity", verdict, advice
    if held:
        others = held[0]["held_in_all"] - 1
        return "held", f"held, {_redated(held[0])}" + (f", like {others} others" if others else ""), advice
    if story.held:
        return "dropped", "dropped by `lp-pipeline held drop`, so it never becomes an opportunity", []
    if story.rejected:
        rejected = story.rejected[0]
        advice = ["It is checked again whenever it is read, at the latest by the daily sweep."]
        return "rejected", f"rejected: {_missing(settings, rejected)}", advice
    if unmerged:
        return (
            "unmerged",
            f"read {moment(unmerged[-1].read_at, settings)}, not merged yet",
            ["The next sync merges it:  lp-pipeline sync"],
        )
    verdict = "read, but nothing about it changed in a window read so far, so it is no opportunity"
    return (
        "untriggered",
        verdict,
        ["It becomes one with its next change in LeadPerfection, or with a backfill of its days."],
    )


def _never_read(settings: Settings, outbox: Outbox, identity: str, find: Find | None) -> Story:
    forgotten = Forgotten(settings.data)
    if forgotten.knows("prospect", identity) or forgotten.knows("lead", identity):
        verdict = f"{identity}: erased by `lp-pipeline forget`; what is read of it later is dropped before it is stored"
        return Story(verdict, "erased", None, None)
    windows = published_of(outbox, settings, identity).windows
    asked = ask_leadperfection(settings, outbox, identity, find) if find else None
    if asked:
        verdict, advice = asked.verdict(settings), asked.advice(settings)
    else:
        verdict = "never read: no prospect or lead with this ID is in anything that LeadPerfection showed so far"
        advice = [f"Ask LeadPerfection itself:  lp-pipeline explain {identity} --ask"]
    return Story(f"{identity}: {verdict}", "never_read", None, None, advice, windows=windows, asked=asked)


def _whose_opportunity(story: Story) -> str:
    opportunity = story.opportunity or {}
    lead = opportunity["external_id"]
    if story.external_id is None and story.others:
        current = f"lead {lead}" if lead else "the one without a lead"
        return f"{len(story.others) + 1} opportunities; the current one is {current}"
    if story.external_id is None:
        return f"an opportunity with lead {lead}" if lead else "an opportunity without a lead"
    return "an opportunity"


def _delivered(settings: Settings, story: Story) -> str:
    delivery = story.delivery
    state = delivery["state"] if delivery else None
    if delivery and state == "refused":
        return f"refused by Hatch: {delivery['words'] or delivery['error_code']}"
    if state == "unreachable":
        return "not sent to Hatch: it has neither a valid phone nor a valid email"
    if state == "delivered":
        return "delivered to Hatch"
    if not settings.delivers:
        return "not sent to Hatch: HATCH_API_KEY is not set"
    if story.delivery_due_since:
        return "waiting to be sent to Hatch"
    return "not sent to Hatch: it came in with history, or before HATCH_API_KEY was set"


def _missing(settings: Settings, rejected: Mapping[str, Any]) -> str:
    """What is missing in a rejected record, as LeadPerfection calls it."""
    strict = settings.lp_availability == "strict"
    without_value: list[str] = []
    without_key: list[str] = []
    for name in rejected["missing"]:
        source = SOURCES[name] or f"any of {', '.join(UPDATED_FROM)}"
        (without_value if strict or name.startswith("external_") else without_key).append(source)
    parts = [
        f"{' and '.join(without_key)} {'is' if len(without_key) == 1 else 'are'} not in the record",
        f"there is no usable value in {' and '.join(without_value)}",
    ]
    return "; ".join(part for part, names in zip(parts, (without_key, without_value), strict=True) if names)


def _redated(held: Mapping[str, Any]) -> str:
    now, before = _wall(held["external_created_local"]), _wall(held["known_created_local"])
    return f"because LeadPerfection now says that it was added {now}, not {before}"


def _undecided(story: Story) -> int:
    needing = {each.communication_id for each in story.pushes if each.state in DECIDE}
    return len(needing | {each.communication_id for each in story.may_be_from})


def _changes_of(changes: Rows, opportunity: Mapping[str, Any] | None) -> Rows:
    """The rows of the last merge that wrote this opportunity."""
    key = ("external_id", "external_created_local")
    return [each for each in changes if opportunity and all(each[name] == opportunity[name] for name in key)]


def _delivery_of(deliveries: Rows, opportunity: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if opportunity is None:
        return None
    key = (opportunity["external_id"] or "", opportunity["external_created_local"].isoformat(" "))
    return next((each for each in deliveries if (each["external_id"], each["external_created_local"]) == key), None)


def _triggers_of(past: Past, lead: str | None) -> list[Trigger]:
    """Those of the lead or of the prospect itself; another lead's only where there is no other reason (SPEC J1)."""
    own = [each for each in past.triggers if each.lead_id in (None, lead)]
    return own or past.triggers


def _of_lead(rows: Rows, lead: str | None) -> Rows:
    return [each for each in rows if lead is None or each["external_id"] == lead]


def _wall(wall: datetime) -> str:
    return f"{wall:%b} {wall.day}, {wall:%Y %H:%M:%S}"
