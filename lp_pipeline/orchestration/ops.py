"""The ops of the push (SPEC C3 to C8), the backfill (W2) and the sweep (S1): they wire and report; the work is in
`communications/` and `runs/`.
"""

from collections import Counter
from datetime import date
from typing import Any

import dagster as dg

from lp_pipeline.communications.dry_run import as_text, dry_run_file
from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.resources import told_plainly
from lp_pipeline.runs.backfill import HistoryReport, backfill
from lp_pipeline.runs.run import Pipeline
from lp_pipeline.runs.sweep import sweep


class PushConfig(dg.Config):
    """What a person may choose in the launchpad for one run; a switch left empty is as the settings say."""

    push_communications: bool | None = None
    push_to_notes: bool | None = None
    push_to_call_logs: bool | None = None
    push_to_production_notes: bool | None = None
    dry_run: bool = False
    only_due: bool = False

    def overrides(self) -> dict[str, bool | None]:
        """The four switches."""
        return {name: getattr(self, name) for name in SWITCHES}


class PublishConfig(dg.Config):
    """Whether to wait until the last publication has stood for a minute; without, the next sync publishes."""

    wait: bool = True


SWITCHES = ("push_communications", "push_to_notes", "push_to_call_logs", "push_to_production_notes")


@dg.op(
    description="Push what has landed from Hatch into LeadPerfection: looks up what is in doubt, sends what is open."
)
def push(context: dg.OpExecutionContext, config: PushConfig, pipeline: dg.ResourceParam[Pipeline]) -> None:
    """Push, or with dry_run write down what would be pushed."""
    with told_plainly(pipeline):
        if config.dry_run:
            rehearsed = pipeline.dry_run(config.overrides())
            path = dry_run_file(pipeline.settings.data)
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
            path.write_text(as_text(rehearsed), encoding="utf-8")
            counts = Counter(each.target for each in rehearsed if each.where)
            context.add_output_metadata({**counts, "word for word in": dg.MetadataValue.path(str(path))})
            return
        report = pipeline.push(config.overrides(), due_only=config.only_due)
    counts = Counter({f"{target}: {outcome}": number for (target, outcome), number in report.counts.items()})
    context.add_output_metadata(
        {**dict(sorted(counts.items())), **{f"{t} stopped": why for t, why in report.stopped.items()}}
    )
    for why in report.stopped.values():
        context.log.warning(why)


@dg.op(ins={"pushed": dg.In(dg.Nothing)}, description="Replace the published copy, unless another push is about to.")
def publish_pushes(context: dg.OpExecutionContext, config: PublishConfig, pipeline: dg.ResourceParam[Pipeline]) -> None:
    """Publish what the push changed; then fail the run, if something stopped the push (as SPEC W8 does for feeds)."""
    if config.wait and pipeline.push_report:  # after a dry run there is nothing
        with told_plainly(pipeline):
            publication = pipeline.publish_pushes()
        context.add_output_metadata({"published": publication.published, "reason": publication.reason})
    if pipeline.push_report and pipeline.push_report.errors:
        raise dg.Failure(description=" ".join(dict.fromkeys(pipeline.push_report.errors)), allow_retries=False)


@dg.op(
    config_schema={
        "from": dg.Field(str, description="First day, YYYY-MM-DD, by LeadPerfection's calendar."),
        "to": dg.Field(str, description="Last day, YYYY-MM-DD."),
    },
    description="Read all that changed between two days. Started again, it goes on where it stopped.",
)
def read_days(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    """Read, merge and publish the past, while syncs go on and come first."""
    with told_plainly(pipeline):
        first, last = (_day(name, context.op_config[name]) for name in ("from", "to"))
        report = backfill(pipeline, first, last, warn=context.log.warning, info=context.log.info)
        publication = pipeline.publish()
    context.add_output_metadata({**_metadata(report), "published": publication.published})


@dg.op(
    config_schema={"full": dg.Field(bool, default_value=False, description="All history at once, without a budget.")},
    description="Read again what was active lately, a slice of all history, and the rejected records.",
)
def read_again(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    """Find what LeadPerfection changed without a stamp."""
    with told_plainly(pipeline):
        report = sweep(pipeline, full=context.op_config["full"], warn=context.log.warning, info=context.log.info)
        publication = pipeline.publish()
    context.add_output_metadata({**_metadata(report), "published": publication.published})


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{name} must be a day such as 2026-03-02.") from None


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
