"""The two feeds, as received. A feed that fails leaves its asset green with the outcome in its metadata, so that what
was read is merged and published; `checks.py` then fails the run (SPEC W8)."""

import time
from collections import Counter
from typing import Any

import dagster as dg

from lp_pipeline.extract.feed_reader import FeedReport
from lp_pipeline.orchestration.catalog import FRESH, LEADPERFECTION, PERSONAL, TABLE
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import bars, numbers, query
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import read_feed
from lp_pipeline.storage.warehouse import run


@dg.asset(
    group_name=LEADPERFECTION,
    config_schema={},  # an unknown key is an error
    kinds={"leadperfection", "duckdb"},
    tags=PERSONAL,
    freshness_policy=FRESH,
    deps=["leadperfection"],
    metadata={TABLE: "raw.leads"},
    description="""\
Every prospect with a new or changed lead, as LeadPerfection's lead feed (GetLead) shows it. Each sync reads from \
where the last complete one ended up to now, so an outage loses nothing. What arrives is kept as received; a record \
that is the same as before is only counted.

If the feed can't be read, this stays green, the rest continues, and the check `feed_was_read` fails the run with the \
reason.

```sql
select record ->> 'source' as source, count(*) as leads from raw.leads group by all order by leads desc
```
""",
)
def raw_leads(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Read the lead feed from its watermark to now (SPEC W1)."""
    return _read(context, connections, "leads")


@dg.asset(
    group_name=LEADPERFECTION,
    config_schema={},  # an unknown key is an error
    kinds={"leadperfection", "duckdb"},
    tags=PERSONAL,
    freshness_policy=FRESH,
    deps=["leadperfection"],
    metadata={TABLE: "raw.prospects"},
    description="""\
Every prospect that changed itself, as LeadPerfection's prospect feed (GetProspectData) shows it. It is read like \
`raw_leads`, with a window of its own, and the two never hold each other up.

`LP_PROSPECT_ACTION=off` switches this feed off, if your LeadPerfection does not have it.

```sql
select record ->> 'city' as city, count(*) as prospects from raw.prospects group by all order by prospects desc limit 10
```
""",
)
def raw_prospects(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Read the prospect feed from its watermark to now (SPEC W1)."""
    return _read(context, connections, "prospects")


def _read(context: dg.AssetExecutionContext, connections: Connections, feed: str) -> dg.MaterializeResult[Any]:
    began = time.monotonic()
    with plain_failures(context):
        report = read_feed(connections, feed, warn=context.log.warning, info=context.log.info)
        seconds = time.monotonic() - began
        with connections.warehouse.connection({"feed": feed}) as connection:
            ((known, is_first),) = run(connection, "orchestration/feed_totals")
            history = run(connection, "orchestration/feed_history")
    if report.error:
        context.log.warning(f"The {feed} feed was not read; the check feed_was_read says why at the end of the run.")
    zone = connections.settings.zone
    bars_of = [(f"{ended_at.astimezone(zone):%b %-d %-I:%M %p}", number) for ended_at, number in reversed(history)]
    return dg.MaterializeResult(
        metadata={
            **numbers({"readings": report.readings, "new readings": report.stored}, first=is_first),
            "pages": report.pages,
            "readings of the last syncs": bars(bars_of),
            **_details(report),
            "query": query(f"from raw.{feed} limit 10"),
            "seconds": round(seconds, 2),
            "dagster/row_count": known,
        }
    )


def _details(report: FeedReport) -> dict[str, Any]:
    counts = Counter(report.outcomes)
    outcomes = ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in counts.items())
    metadata: dict[str, Any] = {"outcome": outcomes or "nothing to read", "pieces": report.pieces}
    if report.window_from and report.window_to:
        metadata["window from"] = dg.MetadataValue.timestamp(report.window_from)
        metadata["window to"] = dg.MetadataValue.timestamp(report.window_to)
    if report.set_aside:
        metadata["rows set aside (they time out)"] = report.set_aside
    if report.unread_since:
        metadata["unread since"] = dg.MetadataValue.timestamp(report.unread_since)
    if report.error:
        metadata["error"] = report.error
    return metadata
