"""What the assets are handed: the run's `Pipeline`, closed when the run ends, and errors told as one plain message."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import dagster as dg

from lp_pipeline.errors import PipelineError
from lp_pipeline.orchestration.launcher import shown_alive
from lp_pipeline.runs.run import Pipeline
from lp_pipeline.settings import Settings, load_settings


def pipeline_resource(load: Callable[[], Settings] = load_settings, *, pace: float = 1.0) -> dg.ResourceDefinition:
    """A resource that hands every step of a run the same `Pipeline` (the executor is in-process)."""

    @dg.resource(description="Settings, warehouse and LeadPerfection client of one run")
    def pipeline(context: dg.InitResourceContext) -> Iterator[Pipeline]:
        run_id = context.run.run_id if context.run else "no run"
        home = Path(context.instance.root_directory) if context.run and context.instance else None
        with shown_alive(home, run_id) if home else nullcontext(), closing(Pipeline(run_id, load, pace=pace)) as opened:
            yield opened

    return pipeline


@contextmanager
def told_plainly(pipeline: Pipeline) -> Iterator[None]:
    """One message that says what to do, said once a run; Dagster shows it before any stack trace."""
    try:
        yield
    except PipelineError as error:
        message = str(error)
        if message in pipeline.told:
            message = "Not done, for the reason told above in this run."
        pipeline.told.add(message)
        raise dg.Failure(description=message, allow_retries=False) from None
