"""Asset checks: about the batch before the merge, about the table and the ledger after it, and the feeds at the end.

What they look for is in `sql/checks/`: each statement returns the offenders, none is good.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets import (
    hatch_deliveries,
    opportunities,
    published,
    raw_communications,
    raw_leads,
    raw_prospects,
    staged_opportunities,
)
from lp_pipeline.orchestration.failures import StepFailed, plain_failures
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.reports import DeliveryOutcome, ExportOutcome, UnreadFeed, last, unread_feeds
from lp_pipeline.settings import Settings
from lp_pipeline.storage.warehouse import run
from lp_pipeline.transform.merge import KEY_TWICE, staged_twice_message, without_ids_message

Context = dg.AssetCheckExecutionContext
check = partial(dg.asset_check, config_schema={})  # an unknown key in a run's configuration is an error
Results = Iterator[dg.AssetCheckResult]  # of a check that may yield its result and then fail the run


def _offenders(context: Context, connections: Connections, name: str) -> list[Any]:
    with plain_failures(context):
        variables = {"now_at": connections.settings.now(), "zone": connections.settings.lp_timezone}
        with connections.warehouse.connection(variables) as connection:
            return run(connection, f"checks/{name}")


def _blocking(problem: str | None) -> Results:
    """A blocking check's result; its step fails with the problem itself, not with Dagster's error about the check."""
    yield dg.AssetCheckResult(passed=not problem, description=problem)
    if problem:
        raise StepFailed(problem)


@check(asset=staged_opportunities, blocking=True, description="No key is staged twice.")  # type: ignore[arg-type]
def staged_keys_are_unique(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
    """Block the merge of a batch that holds a key twice."""
    offenders = _offenders(context, connections, "staged_keys_are_unique")
    yield from _blocking(staged_twice_message(len(offenders)) if offenders else None)


@check(  # type: ignore[arg-type]
    asset=staged_opportunities, blocking=True, description="The batch looks like LeadPerfection's records at all."
)
def batch_has_prospect_ids(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
    """Block a batch in which nothing has a prospect id: LP has changed its format, and all would be rejected."""
    offenders = _offenders(context, connections, "batch_without_prospect_ids")
    yield from _blocking(without_ids_message(*offenders[0]) if offenders else None)


@check(asset=opportunities, blocking=True, description="The table holds each key once.")  # type: ignore[arg-type]
def opportunity_keys_are_unique(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
    """Block the publication of a table that holds a key twice."""
    offenders = _offenders(context, connections, "opportunity_keys_are_unique")
    yield from _blocking(KEY_TWICE if offenders else None)


@check(asset=opportunities, description="The windows of each feed cover time without a gap.")
def windows_leave_no_gap(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Prove from the ledger that no instant since the first sync was left unread."""
    gaps = _offenders(context, connections, "window_gaps")
    described = "; ".join(
        f"{feed} feed, {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" for feed, begin, end in gaps
    )
    return dg.AssetCheckResult(
        passed=not gaps, description=f"Not read: {described}" if gaps else "no gap in either feed's windows"
    )


@check(asset=opportunities, description="Hardly any record is rejected for the same missing key.")
def rejections_are_few(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Warn when more than 1 % of a day's records lack the same key, and name the setting."""
    frequent = _offenders(context, connections, "frequent_rejections")
    described = ", ".join(f"{name} ({rejected} of {judged})" for name, rejected, judged in frequent)
    return dg.AssetCheckResult(
        passed=not frequent,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"More than 1 % of the last day's records were rejected for want of {described}. If this "
        "LeadPerfection never sends it, set LP_AVAILABILITY (now "
        f"{connections.settings.lp_availability}; identity asks for ids and dates only). See rejected_records."
        if frequent
        else "at most 1 % for any key",
    )


@check(asset=opportunities, description="No additional opportunity is held by the identity guard.")
def no_identity_is_held(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Name the pairs of contact and lead that LeadPerfection suddenly shows under another entry date."""
    held = _offenders(context, connections, "held_identities")
    pairs = ", ".join(
        f"{contact}/{lead or 'no lead'} ({known:%Y-%m-%d %H:%M:%S}, now {shown:%Y-%m-%d %H:%M:%S})"
        for contact, lead, shown, known in held[:10]
    )
    return dg.AssetCheckResult(
        passed=not held,
        metadata={"held": len(held)},
        description=f"{len(held)} opportunities are held: their contact and lead are known under another entry date, "
        f"as after a change of zone or a re-import. {pairs}{' …' if len(held) > 10 else ''}. Settle them: "
        "`lp-pipeline held accept` or `lp-pipeline held drop`."
        if held
        else "none is held",
    )


@check(asset=opportunities, description="No feed has been empty for unusually long while the other is not.")
def no_feed_is_silent(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Warn when LeadPerfection shows nothing in one feed for more than a day, as it once did for four."""
    described = "; ".join(
        f"The {feed} feed has shown nothing since {since:%Y-%m-%d %H:%M} UTC, while the {other} feed brought "
        f"something to {syncs} syncs"
        for feed, other, since, syncs in _offenders(context, connections, "silent_feeds")
    )
    return dg.AssetCheckResult(
        passed=not described,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{described}. Ask LeadPerfection whether that action works, and look at LP_LEAD_OPTIONS, "
        "LP_PROSPECT_ACTION and LP_PROSPECT_OPTIONS; afterwards a backfill of these days makes sure."
        if described
        else "neither feed is silent",
    )


@check(asset=opportunities, description="LeadPerfection's stamps agree with LP_TIMEZONE.")
def zone_is_plausible(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Warn when stamps lie in the future, or are hours old whenever something new is read."""
    signs = {
        "ahead": "{records} records of the last day are stamped up to {hours:.1f} hours after they were read",
        "behind": "in {records} consecutive syncs, whatever was read had changed at least {hours:.1f} hours before",
    }
    found = "; ".join(
        signs[sign].format(hours=hours, records=records)
        for sign, hours, records in _offenders(context, connections, "implausible_zone")
    )
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"LP_TIMEZONE ({connections.settings.lp_timezone}) seems to be wrong: {found}. If LeadPerfection's "
        "wall clock shows another time than that zone's, set LP_TIMEZONE and run `lp-pipeline rezone`."
        if found
        else "stamps and clock agree",
    )


def _hatch_answers(
    asset: dg.AssetsDefinition,
    name: str,
    kind: type[DeliveryOutcome] | type[ExportOutcome],
    is_on: Callable[[Settings], bool],
) -> dg.AssetChecksDefinition:
    @check(  # type: ignore[arg-type]  # a generator may yield its result and then fail the run
        asset=asset,
        name=name,
        additional_deps=[published],
        description="Fails the run at its end if Hatch refuses us; everything else is published by then.",
    )
    def hatch_answers(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
        with plain_failures(context):
            outcome = last(connections.outbox, kind) if is_on(connections.settings) else kind()
        problems = _problems(outcome)
        stopped = outcome.stopped if outcome else None
        yield dg.AssetCheckResult(
            passed=not problems,
            severity=dg.AssetCheckSeverity.ERROR if stopped else dg.AssetCheckSeverity.WARN,
            description=" ".join(problems) or None,
        )
        if stopped:
            raise StepFailed(stopped)

    return hatch_answers


def _problems(outcome: DeliveryOutcome | ExportOutcome | None) -> list[str]:
    """What is wrong by the outbox's note of the last delivery, or of the last reading of the export."""
    if outcome is None:
        return ["The outbox has no note of it yet. Run a sync."]
    problems = [message for message in (outcome.stopped, outcome.unavailable) if message]
    if isinstance(outcome, DeliveryOutcome) and outcome.refused:
        counts = ", ".join(f"{number} times {what}" for what, number in outcome.refused.items())
        problems.append(f"Hatch refused records: {counts}. Its words are in hatch_deliveries.")
    return problems


@check(asset=raw_communications, description="Pushes into LeadPerfection go through.")
def pushes_go_through(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Say what to set where LeadPerfection refuses a target, and how many pushes need a decision."""
    with plain_failures(context):
        stops = connections.outbox.rows("stops")
        held = connections.outbox.rows("count_held")
    waiting = [f"{row['target'] or 'all targets'}: {row['why']}" for row in stops]
    waiting += [f"{row['number']} pushes are {row['state']}: see `lp-pipeline pushes`." for row in held]
    return dg.AssetCheckResult(
        passed=not waiting,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(waiting) or "no push waits for you",
    )


def _feed_was_read(asset: dg.AssetsDefinition, feed: str) -> dg.AssetChecksDefinition:
    @check(  # type: ignore[arg-type]  # a generator may yield its result and then fail the run
        asset=asset,
        name="feed_was_read",
        additional_deps=[published],
        description="Fails the run at its end if the last sync could not read the feed; what was read is published.",
    )
    def feed_was_read(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
        with plain_failures(context):
            unread = {each.feed: each for each in unread_feeds(connections)}
        if feed not in unread:
            yield dg.AssetCheckResult(passed=True)
            return
        message = f"The {feed} feed was not read: {unread[feed].why}"
        yield dg.AssetCheckResult(passed=False, description=message)
        if same := _same_reason(unread[feed], list(unread.values())):
            message = f"The {feed} feed was not read either, for the same reason as the {same} feed."
        raise StepFailed(message)

    return feed_was_read


def _same_reason(unread: UnreadFeed, others: Sequence[UnreadFeed]) -> str | None:
    """The feed whose check has said already why both were not read in the same sync."""
    first = others[0]
    is_same = (first.sync_id, first.kind) == (unread.sync_id, unread.kind)
    return first.feed if first is not unread and is_same else None


CHECKS = [
    staged_keys_are_unique,
    batch_has_prospect_ids,
    opportunity_keys_are_unique,
    windows_leave_no_gap,
    rejections_are_few,
    no_identity_is_held,
    no_feed_is_silent,
    zone_is_plausible,
    pushes_go_through,
    _hatch_answers(hatch_deliveries, "hatch_takes_deliveries", DeliveryOutcome, lambda settings: settings.delivers),
    _hatch_answers(raw_communications, "hatch_gives_exports", ExportOutcome, lambda settings: settings.exports),
    _feed_was_read(raw_leads, "leads"),
    _feed_was_read(raw_prospects, "prospects"),
]
