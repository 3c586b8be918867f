"""Asset checks: about the batch before the merge, about the table and the ledger after it, and the feeds at the end.

What they look for stands in `sql/checks/`: each statement returns the offenders, none is good.
"""

from collections.abc import Iterator
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
from lp_pipeline.orchestration.resources import told_plainly
from lp_pipeline.runs.run import Pipeline
from lp_pipeline.storage.warehouse import run
from lp_pipeline.transform.merge import told_without_ids


def _offenders(pipeline: Pipeline, name: str) -> list[Any]:
    with told_plainly(pipeline):
        variables = {"now_at": pipeline.settings.now(), "zone": pipeline.settings.lp_timezone}
        with pipeline.warehouse.connection(variables) as connection:
            return run(connection, f"checks/{name}")


@dg.asset_check(asset=staged_opportunities, blocking=True, description="M1: no key is staged twice.")
def staged_keys_are_unique(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Block the merge of a batch that holds a key twice."""
    offenders = _offenders(pipeline, "staged_keys_are_unique")
    return dg.AssetCheckResult(
        passed=not offenders,
        description=f"{len(offenders)} keys are staged twice: nothing was merged, the readings are kept."
        if offenders
        else "every key is staged once",
    )


@dg.asset_check(
    asset=staged_opportunities, blocking=True, description="The batch looks like LeadPerfection's records at all."
)
def batch_has_prospect_ids(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Block a batch most of which has no prospect id: LP's format has changed, and merging would reject everything."""
    offenders = _offenders(pipeline, "batch_without_prospect_ids")
    return dg.AssetCheckResult(passed=not offenders, description=told_without_ids(*offenders[0]) if offenders else None)


@dg.asset_check(asset=opportunities, blocking=True, description="M1: the table holds each key once.")
def opportunity_keys_are_unique(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Block the publication of a table that holds a key twice."""
    offenders = _offenders(pipeline, "opportunity_keys_are_unique")
    return dg.AssetCheckResult(passed=not offenders, metadata={"keys held twice": len(offenders)})


@dg.asset_check(asset=opportunities, description="W6: the windows of each feed cover time without a gap.")
def windows_leave_no_gap(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Prove from the ledger that no instant since the first sync was left unread."""
    gaps = _offenders(pipeline, "window_gaps")
    described = "; ".join(
        f"{feed} feed, {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" for feed, begin, end in gaps
    )
    return dg.AssetCheckResult(
        passed=not gaps, description=f"Not read: {described}" if gaps else "no gap in either feed's windows"
    )


@dg.asset_check(asset=opportunities, description="J7: hardly any record is rejected for the same missing key.")
def rejections_are_few(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Warn when more than 1 % of a day's records lack the same key, and name the setting."""
    frequent = _offenders(pipeline, "frequent_rejections")
    described = ", ".join(f"{name} ({rejected} of {judged})" for name, rejected, judged in frequent)
    return dg.AssetCheckResult(
        passed=not frequent,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"More than 1 % of the last day's records were rejected for want of {described}. If this "
        "LeadPerfection never sends it, set LP_AVAILABILITY (now "
        f"{pipeline.settings.lp_availability}; identity asks for ids and dates only). See rejected_records."
        if frequent
        else "at most 1 % for any key",
    )


@dg.asset_check(asset=opportunities, description="M9: no additional opportunity is held by the identity guard.")
def no_identity_is_held(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Name the pairs of contact and lead that LeadPerfection suddenly shows under another entry date."""
    held = _offenders(pipeline, "held_identities")
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


@dg.asset_check(asset=opportunities, description="No feed has been empty for unusually long while the other is not.")
def no_feed_is_silent(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Warn when LeadPerfection shows nothing in one feed for more than a day, as it once did for four."""
    described = "; ".join(
        f"The {feed} feed has shown nothing since {since:%Y-%m-%d %H:%M} UTC, while the {other} feed brought "
        f"something to {syncs} syncs"
        for feed, other, since, syncs in _offenders(pipeline, "silent_feeds")
    )
    return dg.AssetCheckResult(
        passed=not described,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{described}. Ask LeadPerfection whether that action works, and look at LP_LEAD_OPTIONS, "
        "LP_PROSPECT_ACTION and LP_PROSPECT_OPTIONS; afterwards a backfill of these days makes sure."
        if described
        else "neither feed is silent",
    )


@dg.asset_check(asset=opportunities, description="J5: LeadPerfection's stamps agree with LP_TIMEZONE.")
def zone_is_plausible(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Warn when stamps lie in the future, or are hours old whenever something new is read."""
    signs = {
        "ahead": "{records} records of the last day are stamped up to {hours:.1f} hours after they were read",
        "behind": "in {records} syncs running, nothing that was read was changed less than {hours:.1f} hours before",
    }
    told = "; ".join(
        signs[sign].format(hours=hours, records=records)
        for sign, hours, records in _offenders(pipeline, "implausible_zone")
    )
    return dg.AssetCheckResult(
        passed=not told,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"LP_TIMEZONE ({pipeline.settings.lp_timezone}) seems to be wrong: {told}. If LeadPerfection's "
        "wall clock shows another time than that zone's, set LP_TIMEZONE and run `lp-pipeline rezone`."
        if told
        else "stamps and clock agree",
    )


def _hatch_answers(asset: dg.AssetsDefinition, name: str, report_name: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(  # type: ignore[arg-type]  # a generator may yield its result and then fail the run
        asset=asset,
        name=name,
        additional_deps=[published],
        description="D3, C1: fails the run at its end if Hatch refuses us; the rest is published by then.",
    )
    def hatch_answers(pipeline: dg.ResourceParam[Pipeline]) -> Iterator[dg.AssetCheckResult]:
        report = getattr(pipeline, report_name)
        stopped, unavailable = (report.stopped, report.unavailable) if report else (None, None)
        refused = getattr(report, "refused", None) or {}
        told = [message for message in (stopped, unavailable) if message]
        if refused:
            counts = ", ".join(f"{number} times {what}" for what, number in refused.items())
            told.append(f"Hatch refused records: {counts}. Its words are in hatch_deliveries.")
        yield dg.AssetCheckResult(
            passed=not told,
            severity=dg.AssetCheckSeverity.ERROR if stopped else dg.AssetCheckSeverity.WARN,
            description=" ".join(told) or None,
        )
        if stopped:
            raise dg.Failure(description=stopped, allow_retries=False)

    return hatch_answers


@dg.asset_check(asset=raw_communications, description="C8: pushes into LeadPerfection go through.")
def pushes_go_through(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    """Say what to set where LeadPerfection refuses a target, and how many pushes wait for a person."""
    with told_plainly(pipeline):
        stops = pipeline.outbox.rows("stops")
        held = pipeline.outbox.rows("count_held")
    told = [f"{row['target'] or 'all targets'}: {row['why']}" for row in stops]
    told += [f"{row['number']} pushes are {row['state']}: see `lp-pipeline pushes`." for row in held]
    return dg.AssetCheckResult(
        passed=not told, severity=dg.AssetCheckSeverity.WARN, description=" ".join(told) or "none waits for a person"
    )


def _feed_was_read(asset: dg.AssetsDefinition, feed: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(  # type: ignore[arg-type]  # a generator may yield its result and then fail the run
        asset=asset,
        name="feed_was_read",
        additional_deps=[published],
        description="W8: fails the run at its end if the feed could not be read; what was read is published by then.",
    )
    def feed_was_read(pipeline: dg.ResourceParam[Pipeline]) -> Iterator[dg.AssetCheckResult]:
        report = pipeline.reports.get(feed)
        if report is None or report.error is None:
            yield dg.AssetCheckResult(passed=True)
            return
        message = f"The {feed} feed was not read: {report.error}"
        yield dg.AssetCheckResult(passed=False, description=message)
        first = next(other for other in pipeline.reports.values() if other.error)
        if first is not report and first.error_kind == report.error_kind:
            message = f"The {feed} feed was not read either, for the same reason as the {first.feed} feed."
        raise dg.Failure(description=message, allow_retries=False)

    return feed_was_read


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
    _hatch_answers(hatch_deliveries, "hatch_takes_deliveries", "delivery_report"),
    _hatch_answers(raw_communications, "hatch_gives_exports", "export_report"),
    _feed_was_read(raw_leads, "leads"),
    _feed_was_read(raw_prospects, "prospects"),
]
