"""The copy that people query (SPEC Q1)."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.hatch_deliveries import hatch_deliveries
from lp_pipeline.orchestration.assets.opportunities import opportunities
from lp_pipeline.orchestration.assets.raw_communications import raw_communications
from lp_pipeline.orchestration.resources import told_plainly
from lp_pipeline.runs.run import Pipeline


@dg.asset(
    group_name="sync",
    kinds={"duckdb"},
    deps=[opportunities, hatch_deliveries, raw_communications],
    description="published.duckdb: the read-only copy for people, replaced whole when something changed.",
)
def published(pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[Any]:
    """Replace the published copy, if something changed or it is an hour old."""
    began = time.monotonic()
    with told_plainly(pipeline):
        pipeline.sync_id  # noqa: B018 (stops the run if the folder holds another account's data)
        publication = pipeline.publish(force=any(report.error for report in pipeline.reports.values()))
    return dg.MaterializeResult(
        metadata={
            "published": publication.published,
            "reason": publication.reason,
            **{name.replace("_", " "): count for name, count in publication.counts.items()},
            "file": dg.MetadataValue.path(str(pipeline.warehouse.published)),
            "seconds": round(time.monotonic() - began, 2),
        }
    )
