"""Staging: which of the stored readings trigger what, joined to would-be opportunities (SPEC F, J)."""

from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.raw import raw_leads, raw_prospects
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import table
from lp_pipeline.runs.connections import Connections
from lp_pipeline.transform.merge import stage


@dg.asset(
    group_name="sync",
    config_schema={},  # an unknown key is an error
    kinds={"duckdb"},
    deps=[raw_leads, raw_prospects],
    description="Every stored reading that is not yet merged: what it triggers, joined, mapped and judged.",
)
def staged_opportunities(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Stage what is unmerged (SPEC W8); the checks on it run before anything is merged."""
    with plain_failures(context):
        report = stage(connections.warehouse, connections.settings)
    return dg.MaterializeResult(
        metadata={
            "readings": report.readings,
            "prospects": report.prospects,
            "triggered leads": report.triggered_leads,
            "triggered prospects": report.triggered_prospects,
            "staged opportunities": report.staged,
            **({"why triggered": table(report.reasons)} if report.reasons else {}),
        }
    )
