"""The merge: staged opportunities reconciled with the table (SPEC M1 to M7)."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.staged_opportunities import staged_opportunities
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import table
from lp_pipeline.runs.connections import Connections
from lp_pipeline.transform.merge import merge


@dg.asset(
    group_name="sync",
    config_schema={},  # an unknown key is an error
    kinds={"duckdb"},
    deps=[staged_opportunities],
    description="One row for each lead of each prospect, or for a prospect without one, reconciled with the table.",
)
def opportunities(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Merge what is staged, in one transaction."""
    began = time.monotonic()
    with plain_failures(context):
        report = merge(connections.warehouse, connections.settings, connections.sync_id)
    return dg.MaterializeResult(
        metadata={
            "triggered": report.triggered,
            "inserted": report.inserted,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "stale": report.stale,
            "rejected": report.rejected,
            **({"rejected by missing column": table(report.rejected_columns)} if report.rejected_columns else {}),
            **({"held": report.held} if report.held else {}),
            "gone": report.gone,
            "returned": report.returned,
            "new calls": report.new_calls,
            **({"examples": table(report.examples)} if report.examples else {}),
            "seconds": round(time.monotonic() - began, 2),
        }
    )
