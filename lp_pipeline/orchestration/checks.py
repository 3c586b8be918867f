"""Asset checks about the batch before the merge, and about the table and the ledger after it.

What they look for is in `sql/checks/`: each statement returns the offenders, none is good. Checks on what
LeadPerfection and Hatch answered are in `outside_checks.py`.
"""

from typing import Any

import dagster as dg

from lp_pipeline.insight.report.write import is_current
from lp_pipeline.orchestration.assets import opportunities, report, staged_opportunities
from lp_pipeline.orchestration.failures import StepFailed, plain_failures
from lp_pipeline.orchestration.outside_checks import OUTSIDE_CHECKS, Context, Results, check
from lp_pipeline.runs.connections import Connections
from lp_pipeline.storage.warehouse import run
from lp_pipeline.transform.merge import KEY_TWICE, staged_twice_message, without_ids_message


def _offenders(context: Context, connections: Connections, name: str) -> list[Any]:
    with plain_failures(context):
        variables = {"now_at": connections.settings.now(), "zone": connections.settings.lp_timezone}
        with connections.warehouse.connection(variables) as connection:
            return run(connection, f"checks/{name}")


def _blocking(problem: str | None, found: dict[str, int]) -> Results:
    """A blocking check's result; its step fails with the problem itself, not with Dagster's error about the check."""
    yield dg.AssetCheckResult(passed=not problem, description=problem, metadata=found)
    if problem:
        raise StepFailed(problem)


@check(asset=staged_opportunities, blocking=True, description="No key is staged twice.")  # type: ignore[arg-type]
def staged_keys_are_unique(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
    """Block the merge of a batch that holds a key twice."""
    offenders = _offenders(context, connections, "staged_keys_are_unique")
    problem = staged_twice_message(len(offenders)) if offenders else None
    yield from _blocking(problem, {"keys staged twice": len(offenders)})


@check(  # type: ignore[arg-type]
    asset=staged_opportunities, blocking=True, description="The batch looks like LeadPerfection's records at all."
)
def batch_has_prospect_ids(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
    """Block a batch in which nothing has a prospect id: LP has changed its format, and all would be rejected."""
    offenders = _offenders(context, connections, "batch_without_prospect_ids")
    problem = without_ids_message(*offenders[0]) if offenders else None
    yield from _blocking(problem, {"prospects in a batch without any ID": offenders[0][1] if offenders else 0})


@check(asset=opportunities, blocking=True, description="The table holds each key once.")  # type: ignore[arg-type]
def opportunity_keys_are_unique(context: Context, connections: dg.ResourceParam[Connections]) -> Results:
    """Block the publication of a table that holds a key twice."""
    offenders = _offenders(context, connections, "opportunity_keys_are_unique")
    yield from _blocking(KEY_TWICE if offenders else None, {"keys held twice": len(offenders)})


@check(asset=opportunities, description="The windows of each feed cover time without a gap.")
def windows_leave_no_gap(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Prove from the ledger that no instant since the first sync was left unread."""
    gaps = _offenders(context, connections, "window_gaps")
    described = "; ".join(
        f"{feed} feed, {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" for feed, begin, end in gaps
    )
    return dg.AssetCheckResult(
        passed=not gaps,
        metadata={"gaps": len(gaps)},
        description=f"Not read: {described}" if gaps else "no gap in either feed's windows",
    )


@check(asset=opportunities, description="Hardly any record is rejected for the same missing key.")
def rejections_are_few(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Warn when more than 1% of a day's records lack the same key, and name the setting."""
    frequent = _offenders(context, connections, "frequent_rejections")
    described = ", ".join(f"{name} ({rejected} of {judged})" for name, rejected, judged in frequent)
    return dg.AssetCheckResult(
        passed=not frequent,
        metadata={
            "columns lacking in more than 1%": len(frequent),
            "records lacking the most frequent one": frequent[0][1] if frequent else 0,
        },
        severity=dg.AssetCheckSeverity.WARN,
        description=f"More than 1% of the last day's records were rejected for want of {described}. If this "
        "LeadPerfection never sends it, set LP_AVAILABILITY (now "
        f"{connections.settings.lp_availability}; identity asks for ids and dates only). See rejected_records."
        if frequent
        else "at most 1% for any key",
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
    silent = _offenders(context, connections, "silent_feeds")
    described = "; ".join(
        f"The {feed} feed has shown nothing since {since:%Y-%m-%d %H:%M} UTC, while the {other} feed brought "
        f"something to {syncs} syncs"
        for feed, other, since, syncs in silent
    )
    return dg.AssetCheckResult(
        passed=not silent,
        metadata={
            "silent feeds": len(silent),
            "syncs in which the other feed was not": max((syncs for *_, syncs in silent), default=0),
        },
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{described}. Ask LeadPerfection whether that action works, and look at LP_LEAD_OPTIONS, "
        "LP_PROSPECT_ACTION and LP_PROSPECT_OPTIONS; afterwards a backfill of these days makes sure."
        if silent
        else "neither feed is silent",
    )


@check(asset=opportunities, description="LeadPerfection's stamps agree with LP_TIMEZONE.")
def zone_is_plausible(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Warn when stamps lie in the future, or are hours old whenever something new is read."""
    signs = {
        "ahead": "{records} records of the last day are stamped up to {hours:.1f} hours after they were read",
        "behind": "in {records} consecutive syncs, whatever was read had changed at least {hours:.1f} hours before",
    }
    seen = _offenders(context, connections, "implausible_zone")
    found = "; ".join(signs[sign].format(hours=hours, records=records) for sign, hours, records in seen)
    return dg.AssetCheckResult(
        passed=not found,
        metadata={
            "signs of another time zone": len(seen),
            "hours off, at least": round(max((hours for _, hours, _ in seen), default=0.0), 1),
        },
        severity=dg.AssetCheckSeverity.WARN,
        description=f"LP_TIMEZONE ({connections.settings.lp_timezone}) seems to be wrong: {found}. If LeadPerfection's "
        "wall clock shows another time than that zone's, set LP_TIMEZONE and run `lp-pipeline rezone`."
        if found
        else "stamps and clock agree",
    )


@check(asset=report, description="report.html shows what is published.")
def report_is_current(context: Context, connections: dg.ResourceParam[Connections]) -> dg.AssetCheckResult:
    """Warn when the report could not be written; everything else of the sync is done."""
    with plain_failures(context):
        current = is_current(connections.settings)
    return dg.AssetCheckResult(
        passed=current,
        severity=dg.AssetCheckSeverity.WARN,
        description="it shows what is published"
        if current
        else "report.html is older than the published data. The asset's metadata says why (`problem`); to try again: "
        "`lp-pipeline report`.",
    )


CHECKS = [
    staged_keys_are_unique,
    batch_has_prospect_ids,
    opportunity_keys_are_unique,
    windows_leave_no_gap,
    rejections_are_few,
    no_identity_is_held,
    no_feed_is_silent,
    zone_is_plausible,
    report_is_current,
    *OUTSIDE_CHECKS,
]
