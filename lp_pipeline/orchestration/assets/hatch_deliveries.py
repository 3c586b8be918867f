"""Opportunities on their way to Hatch (SPEC D1 to D3). Hatch's failures leave the asset green with the outcome in its
metadata, so that what was read is published all the same; a check in `checks.py` reports them at the end."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.opportunities import opportunities
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import deliver_due


@dg.asset(
    group_name="sync",
    config_schema={},  # an unknown key is an error
    kinds={"hatch"},
    deps=[opportunities],
    description="What was inserted or updated, upserted into Hatch, each contact's current opportunity last.",
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
    return dg.MaterializeResult(
        metadata={
            "delivered": report.delivered,
            "known to Hatch already": report.known,
            "unreachable (no phone, no e-mail)": report.unreachable,
            "refused": report.refused.total(),
            **({"refused by code and field": dict(report.refused)} if report.refused else {}),
            **({"left out, or worth knowing": dict(report.omitted)} if report.omitted else {}),
            "waiting for a later sync": report.waiting,
            **({"stopped": report.stopped} if report.stopped else {}),
            **({"unavailable": report.unavailable} if report.unavailable else {}),
            **{f"{name} in the ledger": number for name, number in ledger},
            "seconds": round(time.monotonic() - began, 2),
        }
    )
