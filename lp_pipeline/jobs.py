"""The jobs: what runs together."""

import dagster as dg

from lp_pipeline.assets import SYNC_ASSETS
from lp_pipeline.ops import publish_pushes, push

sync = dg.define_asset_job(
    "sync",
    selection=dg.AssetSelection.assets(*SYNC_ASSETS),
    description="Read what changed in LeadPerfection, reconcile it, tell Hatch, read what was said there, publish it.",
)


@dg.job(description="Push what was said in Hatch into LeadPerfection. The sensor starts it; so may a person.")
def push_communications() -> None:
    """Push, then publish."""
    publish_pushes(push())
