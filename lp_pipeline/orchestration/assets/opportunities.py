"""The merge: staged opportunities reconciled with the table (SPEC M1 to M7)."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.staged_opportunities import staged_opportunities
from lp_pipeline.orchestration.catalog import FRESH, OPPORTUNITIES, PERSONAL, TABLE
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import bars, numbers, query, table
from lp_pipeline.runs.connections import Connections
from lp_pipeline.storage.warehouse import run
from lp_pipeline.transform.merge import merge, variables

OUTCOMES = (
    "triggered",
    "inserted",
    "updated",
    "unchanged",
    "stale",
    "rejected",
    "held",
    "gone",
    "returned",
    "new_calls",
)


@dg.asset(
    group_name=OPPORTUNITIES,
    config_schema={},  # an unknown key is an error
    kinds={"duckdb", "sql"},
    tags=PERSONAL,
    freshness_policy=FRESH,
    deps=[staged_opportunities],
    metadata={TABLE: "opportunities"},
    description="""\
One row per lead of each prospect, or one row for a prospect without a lead: the table that everything else is \
about. What was staged is compared with the row of the same contact, lead and entry date, and is inserted, updated, \
or left as it is. Reading the same data twice changes nothing, and nothing is deleted because LeadPerfection no \
longer shows it (`gone_since`).

The columns below name the LeadPerfection field that each one comes from. All other fields are in \
`opportunity_details`.

```sql
select status, count(*) as contacts from current_opportunities group by status order by contacts desc
```
""",
)
def opportunities(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Merge what is staged, in one transaction."""
    began = time.monotonic()
    with plain_failures(context):
        report = merge(connections.warehouse, connections.settings, connections.sync_id)
        seconds = time.monotonic() - began
        with connections.warehouse.connection(variables(connections.settings)) as connection:
            ((total, rejected),) = run(connection, "orchestration/opportunity_totals")
            days = run(connection, "orchestration/entered_by_day")
    return dg.MaterializeResult(
        metadata={
            "opportunities": total,
            **numbers({"changes": report.inserted + report.updated}, first=total == report.inserted > 0),
            "rejected records": rejected,
            "entered in LeadPerfection a day": bars([(f"{day:%b %-d}", number) for day, number in days]),
            "outcomes": table([{"outcome": name, "records": getattr(report, name)} for name in OUTCOMES]),
            **({"examples": table(report.examples)} if report.examples else {}),
            **({"rejected by missing column": table(report.rejected_columns)} if report.rejected_columns else {}),
            "query": query("from current_opportunities limit 10"),
            "seconds": round(seconds, 2),
            "dagster/row_count": total,
        }
    )
