"""The assets, one module a stage: they wire and report, they don't compute."""

from lp_pipeline.orchestration.assets.external import EXTERNAL_ASSETS, leadperfection_notes
from lp_pipeline.orchestration.assets.hatch_deliveries import hatch_deliveries
from lp_pipeline.orchestration.assets.opportunities import opportunities
from lp_pipeline.orchestration.assets.published import published
from lp_pipeline.orchestration.assets.raw import raw_leads, raw_prospects
from lp_pipeline.orchestration.assets.raw_communications import raw_communications
from lp_pipeline.orchestration.assets.report import report
from lp_pipeline.orchestration.assets.staged_opportunities import staged_opportunities

SYNC_ASSETS = [
    raw_leads,
    raw_prospects,
    staged_opportunities,
    opportunities,
    hatch_deliveries,
    raw_communications,
    published,
]

__all__ = [
    "EXTERNAL_ASSETS",
    "SYNC_ASSETS",
    "hatch_deliveries",
    "leadperfection_notes",
    "opportunities",
    "published",
    "raw_communications",
    "raw_leads",
    "raw_prospects",
    "report",
    "staged_opportunities",
]
