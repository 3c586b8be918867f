"""Communications from Hatch, as they came in (SPEC C1, C2). Needs no lock on the warehouse; another job pushes them."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import read_communications


@dg.asset(
    group_name="sync",
    config_schema={},  # an unknown key is an error
    kinds={"hatch", "sqlite"},
    description="Texts, e-mails and calls that happened in Hatch, from its Bulk Export or the inbox, in outbox.sqlite.",
)
def raw_communications(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Ask Hatch's export for what is due; what comes in through the inbox is counted."""
    began = time.monotonic()
    with plain_failures(context):
        report = read_communications(connections)
        counts = connections.outbox.rows("count_communications")
    metadata: dict[str, Any] = {"come from": connections.settings.communications_from}
    if report is not None:
        for problem in filter(None, (report.stopped, report.unavailable)):
            context.log.error(problem)
        metadata |= {f"asked for {source}": days for source, days in report.asked.items()}
        metadata |= {f"not asked for {source}": why for source, why in report.why_not.items()}
        metadata |= {f"items of {source}": number for source, number in report.items.items()}
        metadata |= {"new": report.landed.new, "rejected": report.landed.rejected}
    elif connections.settings.communications_from == "export":
        metadata["not read"] = "HATCH_EXPORT_KEY is not set, so nothing comes from Hatch"
    metadata |= {name: number for row in counts for name, number in dict(row).items()}
    return dg.MaterializeResult(metadata={**metadata, "seconds": round(time.monotonic() - began, 2)})
