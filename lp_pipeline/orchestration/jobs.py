"""The jobs: what runs together."""

import dagster as dg

from lp_pipeline.orchestration.assets import SYNC_ASSETS, report
from lp_pipeline.orchestration.housekeeping import tidy_up
from lp_pipeline.orchestration.ops import SWITCHES, publish_pushes, push, read_again, read_days

sync = dg.define_asset_job(
    "sync",
    selection=dg.AssetSelection.assets(*SYNC_ASSETS, report),
    description="Read what changed in LeadPerfection, reconcile it, deliver it to Hatch, read Hatch's communications, "
    "publish.",
)


LONG_JOBS = ("backfill", "sweep")
LONG = {
    "dagster/max_runtime": str(7 * 24 * 3600),  # seconds, instead of what dagster.yaml says
    "dagster/max_retries": "10",  # if its process is killed: it resumes where it stopped (SPEC R1)
    "dagster/retry_strategy": "ALL_STEPS",  # also if that was before its step began
}


# what a launchpad begins with; for the push, null is as the settings say
LAST_WEEK = {"ops": {"read_days": {"config": {"from": "7 days ago", "to": "today"}}}}
ONE_SHARE = {"ops": {"read_again": {"config": {"full": False}}}}
CHOICES = {"ops": {"push": {"config": {**dict.fromkeys(SWITCHES), "dry_run": False}}}}


@dg.job(
    tags=LONG,
    config=LAST_WEEK,
    description="Read all that changed in LeadPerfection between two days; syncs come first. Started again for the "
    "same days, it resumes where it stopped.",
)
def backfill() -> None:
    """Read the past."""
    read_days()


@dg.job(
    tags=LONG,
    config=ONE_SHARE,
    description="Read again what LeadPerfection may have changed without updating its change date, within "
    "LP_SWEEP_CALLS.",
)
def sweep() -> None:
    """Find what LeadPerfection did not announce."""
    read_again()


@dg.job(
    config={"ops": {"tidy_up": {"config": {"dry_run": False}}}},
    description="Remove old runs and finished communications, and make files compact that have grown.",
)
def housekeeping() -> None:
    """Keep disk use flat."""
    tidy_up()


@dg.job(
    config=CHOICES,
    description="Push Hatch's communications into LeadPerfection. The sensor starts it; you can, too.",
)
def push_communications() -> None:
    """Push, then publish."""
    publish_pushes(push().pushed)
