"""Staging: which of the stored readings trigger what, joined to would-be opportunities (SPEC F, J)."""

from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.raw import raw_leads, raw_prospects
from lp_pipeline.orchestration.catalog import FRESH, OPPORTUNITIES, PERSONAL
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import table
from lp_pipeline.runs.connections import Connections
from lp_pipeline.transform.merge import stage


@dg.asset(
    group_name=OPPORTUNITIES,
    config_schema={},  # an unknown key is an error
    kinds={"duckdb", "sql"},
    tags=PERSONAL,
    freshness_policy=FRESH,
    deps=[raw_leads, raw_prospects],
    description="""\
What the new readings trigger: leads that are new or changed, or else the prospect itself, joined and mapped to the \
columns of an opportunity. A record that lacks a required field is rejected here, and is judged again whenever it is \
read.

It is a step on the way and is kept only until the merge. To see what was turned away, and why:

```sql
select missing, count(*) as records, max(last_rejected_at) as last_seen from rejected_records group by all
```
""",
)
def staged_opportunities(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Stage what is unmerged (SPEC W8); the checks on it run before anything is merged."""
    with plain_failures(context):
        report = stage(connections.warehouse, connections.settings)
    return dg.MaterializeResult(
        metadata={
            "staged opportunities": report.staged,
            "triggered leads": report.triggered_leads,
            "triggered prospects": report.triggered_prospects,
            **({"why triggered": table(report.reasons)} if report.reasons else {}),
            "readings": report.readings,
            "prospects": report.prospects,
            "dagster/row_count": report.staged,
        }
    )
