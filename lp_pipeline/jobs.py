"""The jobs: which assets run together."""

import dagster as dg

from lp_pipeline.assets import SYNC_ASSETS

sync = dg.define_asset_job(
    "sync",
    selection=dg.AssetSelection.assets(*SYNC_ASSETS),
    description="Read what changed in LeadPerfection, reconcile it, publish it.",
)
