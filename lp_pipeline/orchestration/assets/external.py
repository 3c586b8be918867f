"""What no asset of ours makes: the two systems at the ends, and what the push (an op) writes into LeadPerfection.

LeadPerfection is shown twice, as what is read and as what is written, so that nothing goes in a circle.
"""

import dagster as dg

from lp_pipeline.orchestration.assets.hatch_deliveries import hatch_deliveries
from lp_pipeline.orchestration.assets.raw_communications import raw_communications
from lp_pipeline.orchestration.catalog import HATCH, LEADPERFECTION, PERSONAL, TABLE

leadperfection = dg.AssetSpec(
    "leadperfection",
    group_name=LEADPERFECTION,
    kinds={"leadperfection"},
    tags=PERSONAL,
    description="""\
The CRM: prospects, their leads, appointments and jobs, as the office keeps them. The pipeline reads it and never \
changes a prospect or lead; what it adds are notes and call logs (`leadperfection_notes`).

It is outside of Dagster, so there is nothing to materialize. Its address and account are on the page of the \
resource `connections`. Whether it answers:

```sh
lp-pipeline status
```
""",
)

hatch = dg.AssetSpec(
    "hatch",
    group_name=HATCH,
    kinds={"hatch"},
    tags=PERSONAL,
    deps=[hatch_deliveries],
    description="""\
The messaging platform: it gets the opportunities, and contacts people by text, email and phone. What happens there \
comes back as `raw_communications`.

It is outside of Dagster, so there is nothing to materialize. What it has of each opportunity:

```sql
select state, count(*) as opportunities, max(delivered_at) as last_delivered from hatch_deliveries group by state
```
""",
)

leadperfection_notes = dg.AssetSpec(
    "leadperfection_notes",
    group_name=HATCH,
    kinds={"leadperfection"},
    tags=PERSONAL,
    deps=[raw_communications],
    metadata={TABLE: "communication_pushes"},
    description="""\
What happened in Hatch, written into LeadPerfection: a note on the prospect, and, if switched on, a call log and a \
note on the lead's first job. Every message is written exactly once; if an answer gets lost, the pipeline looks \
before it repeats.

The job `push_communications` makes it: its sensor starts it within seconds of something new, and you can start it \
from its Launchpad. `lp-pipeline push --dry-run` shows what it would write. What waits for a decision: `lp-pipeline \
pushes`.

```sql
select target, state, reason, count(*) as pushes from communication_pushes group by all order by pushes desc
```
""",
)

EXTERNAL_ASSETS = [leadperfection, hatch, leadperfection_notes]
