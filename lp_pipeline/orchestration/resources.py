"""What the assets are handed: the run's connections, closed when the run ends."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import dagster as dg

from lp_pipeline.orchestration.launcher import shown_alive
from lp_pipeline.runs.connections import Connections
from lp_pipeline.settings import Settings, load_settings

# the jobs that have the turn only to publish, or between other work: a sync waits for them
WHO = {"push_communications": "a push", "backfill": "a backfill", "sweep": "a sweep", "housekeeping": "housekeeping"}


def run_connections(
    load: Callable[[], Settings] = load_settings, *, pace: float = 1.0, tell: Callable[[str], object] | None = None
) -> dg.ResourceDefinition:
    """A resource that hands every step of a run the same `Connections` (the executor is in-process)."""

    @dg.resource(description="Settings, data folder, LeadPerfection and Hatch of one run")
    def connections(context: dg.InitResourceContext) -> Iterator[Connections]:
        run_id = context.run.run_id if context.run else "no run"
        who = WHO.get(context.run.job_name if context.run else "", "another sync")  # or one of some assets
        brief = who in WHO.values()
        home = Path(context.instance.root_directory) if context.run and context.instance else None
        with (
            shown_alive(home, run_id) if home else nullcontext(),
            Connections(run_id, load, pace=pace, tell=tell, who=who, brief=brief) as opened,
        ):
            yield opened

    return connections
