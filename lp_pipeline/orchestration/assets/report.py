"""The page for people without SQL (SPEC E8). It comes last and holds up nothing: what keeps it from being written is a
warning of its check, and the report there stays as it is."""

import time
from typing import Any

import dagster as dg

from lp_pipeline.insight.report.write import refresh_report, report_file
from lp_pipeline.orchestration.assets.published import published
from lp_pipeline.orchestration.catalog import FRESH, PUBLISHED
from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.runs.connections import Connections


@dg.asset(
    group_name=PUBLISHED,
    config_schema={},  # an unknown key is an error
    kinds={"html"},
    tags={"personal-data": "no"},
    freshness_policy=FRESH,
    deps=[published],
    description="""\
`report.html`, for people without SQL: new leads, where they come from, speed to lead, messages, and what waits for \
somebody, as one page to look at on a phone or to print. It lies beside `published.duckdb`, holds counts only, \
nobody's name or number, and asks no server for anything. It is written anew by each run that publishes something.

To write it now, see where it is, and look at it:

```sh
lp-pipeline report --open
```
""",
)
def report(context: dg.AssetExecutionContext, connections: dg.ResourceParam[Connections]) -> dg.MaterializeResult[Any]:
    """Write the report, unless it is newer than the published data."""
    began = time.monotonic()
    with plain_failures(context):
        settings = connections.settings
        written, problem = refresh_report(settings)
    file = report_file(settings)
    return dg.MaterializeResult(
        metadata={
            "written": written,
            "file": dg.MetadataValue.path(str(file)),
            **({"open": dg.MetadataValue.url(file.absolute().as_uri())} if file.exists() else {}),
            **({"problem": problem} if problem else {}),
            "seconds": round(time.monotonic() - began, 2),
        },
    )
