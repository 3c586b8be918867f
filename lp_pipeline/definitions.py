"""What Dagster loads; `orchestration.build` makes it."""

import dagster as dg

from lp_pipeline.orchestration.build import build_definitions


@dg.definitions
def definitions() -> dg.Definitions:
    """The definitions of this deployment."""
    return build_definitions()
