"""The two feeds, as received. A feed that fails leaves its asset green with the outcome in its metadata, so that what
was read is merged and published; `checks.py` then fails the run (SPEC W8)."""

import time
from collections import Counter
from typing import Any

import dagster as dg

from lp_pipeline.extract.feed_reader import FeedReport
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import read_feed


@dg.asset(
    group_name="sync",
    config_schema={},  # an unknown key is an error
    kinds={"duckdb"},
    description="Prospects with a changed lead, as GetLead shows them: every reading, as received, in work.duckdb.",
)
def raw_leads(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Read the lead feed from its watermark to now (SPEC W1)."""
    return _read(context, connections, "leads")


@dg.asset(
    group_name="sync",
    config_schema={},  # an unknown key is an error
    kinds={"duckdb"},
    description="Prospects that changed themselves, as GetProspectData shows them: every reading, as received.",
)
def raw_prospects(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Read the prospect feed from its watermark to now (SPEC W1)."""
    return _read(context, connections, "prospects")


def _read(context: dg.AssetExecutionContext, connections: Connections, feed: str) -> dg.MaterializeResult[Any]:
    began = time.monotonic()
    with plain_failures(context):
        report = read_feed(connections, feed, warn=context.log.warning, info=context.log.info)
    if report.error:
        context.log.warning(f"The {feed} feed was not read; the check feed_was_read says why at the end of the run.")
    return dg.MaterializeResult(metadata=_metadata(report, time.monotonic() - began))


def _metadata(report: FeedReport, seconds: float) -> dict[str, Any]:
    counts = Counter(report.outcomes)
    outcomes = ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in counts.items())
    metadata: dict[str, Any] = {
        "outcome": outcomes or "nothing to read",
        "readings": report.readings,
        "new readings": report.stored,
        "pages": report.pages,
        "pieces": report.pieces,
        "seconds": round(seconds, 2),
    }
    if report.window_from and report.window_to:
        metadata["window from"] = dg.MetadataValue.timestamp(report.window_from)
        metadata["window to"] = dg.MetadataValue.timestamp(report.window_to)
    if report.set_aside:
        metadata["rows set aside (they time out)"] = report.set_aside
    if report.unread_since:
        metadata["unread since"] = dg.MetadataValue.timestamp(report.unread_since)
    if report.error:
        metadata["error"] = report.error
    return metadata
