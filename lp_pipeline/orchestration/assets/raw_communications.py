"""What was said in Hatch, as it came in (SPEC C1, C2). Needs no lock on the warehouse; pushing it is another job."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.resources import told_plainly
from lp_pipeline.runs.run import Pipeline


@dg.asset(
    group_name="sync",
    kinds={"hatch", "sqlite"},
    description="Texts, e-mails and calls that happened in Hatch, from its Bulk Export or the inbox, in outbox.sqlite.",
)
def raw_communications(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.MaterializeResult[Any]:
    """Ask Hatch's export for what is due; what comes in through the inbox is counted."""
    began = time.monotonic()
    with told_plainly(pipeline):
        report = pipeline.read_communications()
        counts = pipeline.outbox.rows("count_communications")
    metadata: dict[str, Any] = {"come from": pipeline.settings.communications_from}
    if report is not None:
        for trouble in filter(None, (report.stopped, report.unavailable)):
            context.log.error(trouble)
        metadata |= {f"asked for {source}": days for source, days in report.asked.items()}
        metadata |= {f"not asked for {source}": why for source, why in report.why_not.items()}
        metadata |= {f"items of {source}": number for source, number in report.items.items()}
        metadata |= {"new": report.landed.new, "rejected": report.landed.rejected}
    elif pipeline.settings.communications_from == "export":
        metadata["not read"] = "HATCH_EXPORT_KEY is not set, so nothing comes from Hatch"
    metadata |= {name: number for row in counts for name, number in dict(row).items()}
    return dg.MaterializeResult(metadata={**metadata, "seconds": round(time.monotonic() - began, 2)})
