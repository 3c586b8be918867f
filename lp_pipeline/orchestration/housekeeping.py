"""The op of housekeeping (SPEC K1): it wires and reports. What is done to Dagster's runs is in `run_history.py`, to the
data folder in `runs/upkeep/`.
"""

import dagster as dg

from lp_pipeline.orchestration.failures import plain_failures
from lp_pipeline.orchestration.run_history import thin_history
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.upkeep.housekeeping import tidy_data
from lp_pipeline.runs.upkeep.tidied import Tidied


def tidy(instance: dg.DagsterInstance, connections: Connections, *, dry_run: bool = False) -> list[Tidied]:
    """Do all of housekeeping, or count what it would remove; a line for each kind of thing."""
    settings = connections.settings
    runs = thin_history(
        instance,
        settings.now(),
        keep_days=settings.keep_runs_days,
        keep_failed_days=settings.keep_failed_runs_days,
        account=settings.name,
        dry_run=dry_run,
    )
    return [*runs, *tidy_data(settings, connections.outbox, connections.warehouse_briefly, dry_run=dry_run)]


@dg.op(
    config_schema={"dry_run": dg.Field(bool, default_value=False, description="Count what would go, remove nothing.")},
    description="Remove Dagster's old runs and finished communications; make files compact that have grown.",
)
def tidy_up(context: dg.OpExecutionContext, connections: dg.ResourceParam[Connections]) -> None:
    """Tidy up, and show what there was before and is after."""
    with plain_failures(context):
        lines = tidy(context.instance, connections, dry_run=context.op_config["dry_run"])
    context.add_output_metadata({line.what: str(line) for line in lines})
