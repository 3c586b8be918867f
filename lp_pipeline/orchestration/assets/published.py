"""The copy that people query (SPEC Q1)."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.orchestration.assets.hatch_deliveries import hatch_deliveries
from lp_pipeline.orchestration.assets.opportunities import opportunities
from lp_pipeline.orchestration.assets.raw_communications import raw_communications
from lp_pipeline.orchestration.catalog import FRESH, PERSONAL, PUBLISHED, TABLE
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.metadata import query, table
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.reports import unread_feeds
from lp_pipeline.runs.steps import publish_changes

SPEED = (  # SPEC E6
    ("speed to lead, this sync: p50 (minutes)", "sync_p50"),
    ("speed to lead, this sync: p95 (minutes)", "sync_p95"),
    ("speed to lead, all syncs: p50 (minutes)", "p50"),
    ("speed to lead, all syncs: p95 (minutes)", "p95"),
)


@dg.asset(
    group_name=PUBLISHED,
    config_schema={},  # an unknown key is an error
    kinds={"duckdb"},
    tags=PERSONAL,
    freshness_policy=FRESH,
    deps=[opportunities, hatch_deliveries, raw_communications],
    metadata={TABLE: "published"},
    description="""\
`published.duckdb`, the file for analysts: a read-only copy of all that matters, as typed tables in which every \
table and column has a comment. A sync replaces it as a whole, once the checks have passed, if something changed; \
queries and syncs never block each other. Its table `published` says how fresh it is.

`lp-pipeline sql` opens a prompt, `lp-pipeline ask` lists ready-made questions, and `lp_pipeline.published("from \
leads")` gives a pandas DataFrame in a notebook.

```sql
select source, count(*) as leads, count(*) filter (sold) as sold from leads group by source order by leads desc
```
""",
)
def published(
    context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]
) -> dg.MaterializeResult[Any]:
    """Replace the published copy, if something changed or it is an hour old."""
    began = time.monotonic()
    with plain_failures(context):
        publication = publish_changes(connections, force=bool(unread_feeds(connections)))
    counts = {name.replace("_", " "): count for name, count in publication.counts.items()}
    return dg.MaterializeResult(
        metadata={
            **counts,
            **({"opportunities by status": table(publication.by_status)} if publication.by_status else {}),
            **{name: publication.speed[key] for name, key in SPEED if publication.speed.get(key) is not None},
            "file": dg.MetadataValue.path(str(connections.warehouse.published)),
            "query": query("from published"),
            "published": publication.published,
            "reason": publication.reason,
            "seconds": round(time.monotonic() - began, 2),
            "dagster/row_count": 1,
        }
    )
