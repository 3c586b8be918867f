"""The ops of the push (SPEC C3 to C8), the backfill (W2) and the sweep (S1): they wire and report; the work is in
`communications/` and `runs/`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from lp_pipeline.communications.dry_run import as_text, dry_run_file
from lp_pipeline.errors import SettingsError
from lp_pipeline.insight.report.write import refresh_report
from lp_pipeline.orchestration.assets import leadperfection_notes
from lp_pipeline.orchestration.failures import StepFailed, plain_failures
from lp_pipeline.orchestration.metadata import query, table
from lp_pipeline.runs.backfill import HistoryReport, backfill
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.reports import PushOutcome, last
from lp_pipeline.runs.steps import dry_run, publish_changes, push_open
from lp_pipeline.runs.steps import publish_pushes as publish_after_push
from lp_pipeline.runs.sweep import sweep


class PushConfig(dg.Config):
    """What you may choose for one run; a switch left empty (null) is as the settings say."""

    push_communications: bool | None = Field(None, description="Push at all. Empty: as PUSH_COMMUNICATIONS says.")
    push_to_notes: bool | None = Field(None, description="Notes on the prospect. Empty: as PUSH_TO_NOTES says.")
    push_to_call_logs: bool | None = Field(None, description="Call logs. Empty: as PUSH_TO_CALL_LOGS says.")
    push_to_production_notes: bool | None = Field(
        None, description="Notes on the lead's first job. Empty: as PUSH_TO_PRODUCTION_NOTES says."
    )
    dry_run: bool = Field(False, description="Send nothing; write what would be sent, word for word, into a file.")
    only_due: bool = Field(False, description="Leave out what waits for its next try. The sensor sets this.")

    def overrides(self) -> dict[str, bool | None]:
        """The four switches."""
        return {name: getattr(self, name) for name in SWITCHES}


class PublishConfig(dg.Config):
    """When to publish what the push changed."""

    wait: bool = Field(
        True,
        description="Wait until the last publication is a minute old, then publish. If false, publish if it is that "
        "old already; otherwise the next sync does.",
    )


DAY_FORMS = "YYYY-MM-DD, today, yesterday or, for example, 7 days ago"
DAYS_AGO = re.compile(r"(?P<word>today|yesterday)|(?P<days>\d+) days? ago")
SWITCHES = ("push_communications", "push_to_notes", "push_to_call_logs", "push_to_production_notes")


@dg.op(
    out={
        "dry_run": dg.Out(dg.Nothing, is_required=False, description="After a dry run: nothing was written."),
        "pushed": dg.Out(dg.Nothing, is_required=False, description="After a push: publish what it changed."),
    },
    description="Push what has landed from Hatch into LeadPerfection: looks up pushes with an unknown outcome, then "
    "sends what is open.",
)
def push(
    context: dg.OpExecutionContext, config: PushConfig, connections: dg.ResourceParam[Connections]
) -> Iterator[dg.AssetMaterialization | dg.Output[None]]:
    """Push, or with dry_run write down what would be pushed."""
    with plain_failures(context):
        if config.dry_run:
            yield dg.Output(None, "dry_run", metadata=_dry_run(connections, config))
            return
        report = push_open(connections, config.overrides(), due_only=config.only_due)
        ledger = [dict(row) for row in connections.outbox.rows("count_pushes")]
    for why in report.stopped.values():
        context.log.warning(why)
    counts = {f"{target}: {outcome}": number for (target, outcome), number in sorted(report.counts.items())}
    stops = {f"{target} stopped": why for target, why in report.stopped.items()}
    yield dg.AssetMaterialization(
        leadperfection_notes.key,
        description="What this push wrote into LeadPerfection.",
        metadata={
            "sent": report.of("sent"),
            "refused or in doubt": sum(map(report.of, ("refused", "failed", "in doubt"))),
            "waiting": report.of("waiting"),
            **({"pushes so far": table(ledger)} if ledger else {}),
            **counts,
            **stops,
            "query": query("from communication_pushes limit 10"),
            "dagster/row_count": sum(row["number"] for row in ledger),
        },
    )
    yield dg.Output(None, "pushed", metadata={**counts, **stops})


def _dry_run(connections: Connections, config: PushConfig) -> dict[str, Any]:
    """Write what would be pushed into a file; its path, and how many there are by target."""
    pushes = dry_run(connections, config.overrides())
    path = dry_run_file(connections.settings.data)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(as_text(pushes), encoding="utf-8")
    counts = Counter(each.target for each in pushes if each.where)
    return {**counts, "word for word in": dg.MetadataValue.path(str(path))}


@dg.op(
    ins={"pushed": dg.In(dg.Nothing)},
    description="Replace the published copy, unless another push is about to; then fail if the push was stopped.",
)
def publish_pushes(
    context: dg.OpExecutionContext, config: PublishConfig, connections: dg.ResourceParam[Connections]
) -> None:
    """Publish what the push changed; then fail the run, if something stopped the push (as SPEC W8 does for feeds)."""
    with plain_failures(context):
        publication = publish_after_push(connections, wait=config.wait)
        if publication.published:
            _refresh_report(context, connections)
        context.add_output_metadata({"published": publication.published, "reason": publication.reason})
        outcome = last(connections.outbox, PushOutcome)
    if outcome is None:
        raise StepFailed("No push has been recorded yet. Run the whole job again.")
    if outcome.errors:
        raise StepFailed(" ".join(outcome.errors))


@dg.op(
    config_schema={
        "from": dg.Field(str, description=f"First day, by LeadPerfection's calendar: {DAY_FORMS}."),
        "to": dg.Field(str, default_value="today", description=f"Last day, included: {DAY_FORMS}."),
    },
    description="Read all that changed between two days. Started again, it resumes where it stopped.",
)
def read_days(context: dg.OpExecutionContext, connections: dg.ResourceParam[Connections]) -> None:
    """Read, merge and publish history; syncs come first."""
    with plain_failures(context):
        today = connections.settings.now().astimezone(connections.settings.zone).date()
        first_day, last_day = (_day(name, context.op_config[name], today) for name in ("from", "to"))
        report = backfill(connections, first_day, last_day, warn=context.log.warning, info=context.log.info)
        publication = publish_changes(connections)
        _refresh_report(context, connections)
    context.add_output_metadata({**_metadata(report), "published": publication.published})


@dg.op(
    config_schema={
        "full": dg.Field(
            bool, default_value=False, description="Read all history at once, however many calls that takes."
        )
    },
    description="Read again what was active lately, a slice of all history, and the rejected records.",
)
def read_again(context: dg.OpExecutionContext, connections: dg.ResourceParam[Connections]) -> None:
    """Find what LeadPerfection changed without a stamp."""
    with plain_failures(context):
        report = sweep(connections, full=context.op_config["full"], warn=context.log.warning, info=context.log.info)
        publication = publish_changes(connections)
        _refresh_report(context, connections)
    context.add_output_metadata({**_metadata(report), "published": publication.published})


def _refresh_report(context: dg.OpExecutionContext, connections: Connections) -> None:
    """The page for people shows what was published; if it can't be written, that is a warning (SPEC E8)."""
    _, problem = refresh_report(connections.settings)
    if problem:
        context.log.warning(problem)


def _day(name: str, text: str, today: date) -> date:
    try:
        if ago := DAYS_AGO.fullmatch(text.strip()):
            return today - timedelta(days=int(ago["days"] or ago["word"] == "yesterday"))
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise SettingsError(f"{name}: {text!r} is not a valid day; use {DAY_FORMS}.") from None


def _metadata(report: HistoryReport) -> dict[str, Any]:
    merged = report.merged
    return {
        "pieces": report.pieces,
        "calls": report.calls,
        "readings": report.readings,
        "new readings": report.stored,
        "inserted": merged.inserted,
        "updated": merged.updated,
        "unchanged": merged.unchanged,
        "stale": merged.stale,
        "rejected": merged.rejected,
        "held": merged.held,
        "new calls": merged.new_calls,
        "changes that LeadPerfection had not announced": sum(report.unannounced.values()),
        **({"of which by field": report.unannounced} if report.unannounced else {}),
        **({"notes": "; ".join(report.notes)} if report.notes else {}),
    }
