"""The definitions of many accounts with another cadence, so that a drill need not last for hours. Loaded by Dagster as
`-m lp_pipeline_tests.drills.often`."""

import os

import dagster as dg

from lp_pipeline.orchestration.build import build_account_definitions

MINUTES = "FLEET_DRILL_MINUTES"


@dg.definitions
def definitions() -> dg.Definitions:
    """The project's own, each account synced every so many minutes."""
    return build_account_definitions(minutes=int(os.environ[MINUTES]))
