"""Asset checks about what LeadPerfection and Hatch answered: feeds, deliveries, exports, pushes. They judge by what the
outbox and the ledger remember, at the end of a run, so that everything else is published first.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import dagster as dg

from lp_pipeline.orchestration.assets import (
    hatch_deliveries,
    published,
    raw_communications,
    raw_leads,
    raw_prospects,
)
from lp_pipeline.orchestration.failures import StepFailed, plain_failures
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.reports import DeliveryOutcome, ExportOutcome, UnreadFeed, last, unread_feeds
from lp_pipeline.settings import Settings
from lp_pipeline.storage.warehouse import run

Context = dg.AssetCheckExecutionContext
check = partial(dg.asset_check, config_schema={})  # an unknown key in a run's configuration is an error
Results = Iterator[dg.AssetCheckResult]  # of a check that may yield its result and then fail the run


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
            metadata={
                "problems": len(problems),
                **({"refused": sum(outcome.refused.values())} if isinstance(outcome, DeliveryOutcome) else {}),
            },
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
        metadata={"targets stopped": len(stops), "pushes that wait for you": sum(row["number"] for row in held)},
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
            syncs = _syncs_since_read(connections, feed)
        since_read = {"syncs since it was last read": syncs}
        if feed not in unread:
            yield dg.AssetCheckResult(passed=True, metadata=since_read)
            return
        message = f"The {feed} feed was not read: {unread[feed].why}"
        yield dg.AssetCheckResult(passed=False, description=message, metadata=since_read)
        if same := _same_reason(unread[feed], list(unread.values())):
            message = f"The {feed} feed was not read either, for the same reason as the {same} feed."
        raise StepFailed(message)

    return feed_was_read


def _syncs_since_read(connections: Connections, feed: str) -> int:
    with connections.warehouse.connection({"feed": feed}) as connection:
        return int(run(connection, "checks/syncs_since_read")[0][0])


def _same_reason(unread: UnreadFeed, others: Sequence[UnreadFeed]) -> str | None:
    """The feed whose check has said already why both were not read in the same sync."""
    first = others[0]
    is_same = (first.sync_id, first.kind) == (unread.sync_id, unread.kind)
    return first.feed if first is not unread and is_same else None


OUTSIDE_CHECKS = [
    pushes_go_through,
    _hatch_answers(hatch_deliveries, "hatch_takes_deliveries", DeliveryOutcome, lambda settings: settings.delivers),
    _hatch_answers(raw_communications, "hatch_gives_exports", ExportOutcome, lambda settings: settings.exports),
    _feed_was_read(raw_leads, "leads"),
    _feed_was_read(raw_prospects, "prospects"),
]
