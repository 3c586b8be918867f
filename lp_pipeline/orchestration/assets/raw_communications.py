"""Communications from Hatch, as they came in (SPEC C1, C2). Needs no lock on the warehouse; another job pushes them."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.communications.due import is_due
from lp_pipeline.orchestration.account_events import IS_DUE
from lp_pipeline.orchestration.catalog import FRESH, HATCH, PERSONAL, TABLE
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import query
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import read_communications


@dg.asset(
    group_name=HATCH,
    config_schema={},  # an unknown key is an error
    kinds={"hatch", "sqlite"},
    tags=PERSONAL,
    freshness_policy=FRESH,
    deps=["hatch"],
    metadata={TABLE: "raw.communications"},
    description="""\
The texts, emails and calls that happened in Hatch. They come from Hatch's Bulk Export, which each sync asks for \
what is due, or through the HTTP inbox (`COMMUNICATIONS_FROM`), and are kept as received. A job of its own then \
writes them into LeadPerfection (`leadperfection_notes`).

```sql
select channel, direction, count(*) as messages from communications group by all order by messages desc
```
""",
)
def raw_communications(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Ask Hatch's export for what is due; what comes in through the inbox is counted."""
    began = time.monotonic()
    with plain_failures(context):
        report = read_communications(connections)
        ((so_far, rejected),) = connections.outbox.rows("count_communications")
        due = {IS_DUE: is_due(connections.settings)} if connections.settings.name else {}
    metadata: dict[str, Any] = {}
    if report is not None:
        for problem in filter(None, (report.stopped, report.unavailable)):
            context.log.error(problem)
        metadata |= {"new": report.landed.new, "rejected": report.landed.rejected}
    metadata |= {"communications so far": so_far, "rejected so far": rejected}
    if report is not None:
        metadata |= {f"asked for {source}": days for source, days in report.asked.items()}
        metadata |= {f"not asked for {source}": why for source, why in report.why_not.items()}
        metadata |= {f"items of {source}": number for source, number in report.items.items()}
    elif connections.settings.communications_from == "export":
        metadata["not read"] = "HATCH_EXPORT_KEY is not set, so nothing comes from Hatch"
    metadata |= {
        **due,  # of many accounts, it starts the push of one that is on another host
        "come from": connections.settings.communications_from,
        "query": query("from communications limit 10"),
        "seconds": round(time.monotonic() - began, 2),
        "dagster/row_count": so_far,
    }
    return dg.MaterializeResult(metadata=metadata)
