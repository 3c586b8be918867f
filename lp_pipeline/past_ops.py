"""The ops that read the past again: backfill (SPEC W2) and sweep (S1). They wire and report; `history.py` works."""

from datetime import date
from typing import Any

import dagster as dg

from lp_pipeline.errors import SettingsError
from lp_pipeline.history import HistoryReport, backfill, sweep
from lp_pipeline.pipeline import Pipeline
from lp_pipeline.resources import told_plainly


@dg.op(
    name="read_past",
    config_schema={
        "from": dg.Field(str, description="First day, YYYY-MM-DD, by LeadPerfection's calendar."),
        "to": dg.Field(str, description="Last day, YYYY-MM-DD."),
    },
    description="Read all that changed between two days. Started again, it goes on where it stopped.",
)
def backfill_op(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    """Read, merge and publish the past, while syncs go on and come first."""
    with told_plainly(pipeline):
        first, last = (_day(name, context.op_config[name]) for name in ("from", "to"))
        if first > last:
            raise SettingsError(f"The backfill's days are the wrong way round: from {first} to {last}.")
        report = backfill(pipeline, first, last, warn=context.log.warning, info=context.log.info)
        publication = pipeline.publish()
    context.add_output_metadata({**_metadata(report), "published": publication.published})


@dg.op(
    name="read_again",
    config_schema={"full": dg.Field(bool, default_value=False, description="All history at once, without a budget.")},
    description="Read again what was active lately, a slice of all history, and the rejected records.",
)
def sweep_op(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
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
