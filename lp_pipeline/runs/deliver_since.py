"""`lp-pipeline deliver`: send Hatch what changed since a moment, in slices (SPEC D1); `delivery` sends."""

import time
from contextlib import closing
from datetime import datetime
from uuid import uuid4

from rich.console import Console
from rich.progress import Progress

from lp_pipeline.delivery import DeliveryReport, ask_for
from lp_pipeline.errors import SettingsError
from lp_pipeline.runs.run import Pipeline
from lp_pipeline.settings import Settings

SLICE_SECONDS = 240.0


SECONDS_BETWEEN_SLICES = 1.0  # enough for another run to take its turn


def deliver_since(settings: Settings, since: datetime, console: Console) -> str:
    """Deliver to Hatch what changed since then (SPEC D1), on a person's word; what was done, for the user.

    In slices, between which a sync that waits gets its turn.
    """
    if not settings.delivers:
        raise SettingsError("HATCH_API_KEY is not set, so there is no Hatch to send to. Set it and HATCH_SOURCE.")
    reports: list[DeliveryReport] = []
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Delivering", total=None)
        while not reports or (reports[-1].waiting and reports[-1].delivered):
            time.sleep(SECONDS_BETWEEN_SLICES if reports else 0)
            with closing(Pipeline(f"deliver {uuid4()}", lambda: settings, seconds=SLICE_SECONDS)) as pipeline:
                if not reports:
                    ask_for(pipeline.warehouse, settings, since, pipeline.sync_id)
                reports.append(pipeline.deliver(lambda _number: bar.advance(task)) or DeliveryReport())
        bar.update(task, description="Publishing")
        with closing(Pipeline(f"deliver {uuid4()}", lambda: settings)) as pipeline:
            pipeline.publish_pushes()
    if reports[-1].stopped:
        raise SettingsError(reports[-1].stopped)
    delivered, known, refused, unreachable = (
        sum(counts)
        for counts in zip(*((r.delivered, r.known, r.refused.total(), r.unreachable) for r in reports), strict=True)
    )
    told = f"{delivered} delivered, {known} known to Hatch already, {refused} refused, {unreachable} unreachable, "
    told += f"{reports[-1].waiting} waiting for the next sync."
    return f"{told} {reports[-1].unavailable or ''}".strip()
