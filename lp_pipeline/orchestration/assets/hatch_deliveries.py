"""Opportunities on their way to Hatch (SPEC D1 to D3). Hatch's failures leave the asset green with the outcome in its
metadata, so that what was read is published all the same; a check in `checks.py` reports them at the end."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.opportunities import opportunities
from lp_pipeline.orchestration.catalog import FRESH, HATCH, PERSONAL, TABLE
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import query, table
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import deliver_due


@dg.asset(
    group_name=HATCH,
    config_schema={},  # an unknown key is an error
    kinds={"hatch", "sqlite"},
    tags=PERSONAL,
    freshness_policy=FRESH,
    deps=[opportunities],
    metadata={TABLE: "hatch_deliveries"},
    description="""\
The opportunities that were inserted or updated, on their way to Hatch: each contact's in order, the current one \
last. What is the same as before is not sent again, and history that a backfill adds is not sent at all, so that \
nobody is texted because of it. Without `HATCH_API_KEY` nothing is sent.

What Hatch refuses waits until the record changes; what it could not take is tried again by the next syncs. In both \
cases this stays green, and the check `hatch_takes_deliveries` has the reason.

```sql
select state, error_code, error_field, count(*) as opportunities from hatch_deliveries group by all
```
""",
)
def hatch_deliveries(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Deliver what is due to Hatch, if a key is set."""
    began = time.monotonic()
    with plain_failures(context):
        report = deliver_due(connections)
        ledger = connections.outbox.rows("count_deliveries")
    if report is None:
        return dg.MaterializeResult(metadata={"not sent": "HATCH_API_KEY is not set, so nothing goes to Hatch"})
    for problem in filter(None, (report.stopped, report.unavailable)):
        context.log.error(problem)
    states = [{"state": name, "opportunities": number} for name, number in ledger]
    return dg.MaterializeResult(
        metadata={
            "delivered": report.delivered,
            "refused": report.refused.total(),
            "waiting for a later sync": report.waiting,
            **({"in Hatch so far": table(states)} if states else {}),
            **({"refused by code and field": dict(report.refused)} if report.refused else {}),
            **({"left out, or worth knowing": dict(report.omitted)} if report.omitted else {}),
            **({"stopped": report.stopped} if report.stopped else {}),
            **({"unavailable": report.unavailable} if report.unavailable else {}),
            "query": query("from hatch_deliveries limit 10"),
            "known to Hatch already": report.known,
            "unreachable (no phone, no e-mail)": report.unreachable,
            "seconds": round(time.monotonic() - began, 2),
            "dagster/row_count": sum(number for _, number in ledger),
        }
    )
