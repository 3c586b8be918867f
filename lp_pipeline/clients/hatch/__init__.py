"""The Hatch client: upserts, exports, and what their records say. It knows no Dagster, no DuckDB, no file of ours."""

from lp_pipeline.clients.hatch.client import HatchClient
from lp_pipeline.clients.hatch.export_zip import LONGEST_RANGE, DataSource
from lp_pipeline.clients.hatch.records import Communication, ContactHistory, Malformed, communication, contact_history
from lp_pipeline.clients.hatch.upsert import Opportunity, Upsert, upsert_body
from lp_pipeline.clients.rate_limit import Limiter, SlidingWindow

__all__ = [
    "LONGEST_RANGE",
    "Communication",
    "ContactHistory",
    "DataSource",
    "HatchClient",
    "Limiter",
    "Malformed",
    "Opportunity",
    "SlidingWindow",
    "Upsert",
    "communication",
    "contact_history",
    "upsert_body",
]
