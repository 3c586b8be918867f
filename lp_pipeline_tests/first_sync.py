"""What tests share: the published file as somebody has it who has run `lp-pipeline sync` once, on the sandbox."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import deliver_due, publish_changes, push_open, read_communications, read_feed
from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.transform.merge import merge, stage
from lp_pipeline_tests.account import PACE
from lp_pipeline_tests.scenario import NOON, Record

SOME = 200  # of the sandbox's 2,400 people: the first ones, with the same ids


def small_sandbox(data: Path) -> None:
    """Make the sandbox of a data folder with fewer people than it would have; whatever runs there next finds it."""
    data.mkdir(parents=True, exist_ok=True)
    with Sandbox(data, clock=lambda: datetime.now(UTC), population=SOME).open():
        pass


def first_sync(folder: Path, *others: Record, **values: str) -> Path:
    """Sync the sandbox of a data folder, and these prospects, in both directions and publish; the published file.
    `values` are settings."""

    def load() -> Settings:
        return load_settings({"LP_PIPELINE_NOW": NOON.isoformat(), **values, "LP_PIPELINE_DATA": str(folder)})

    folder.mkdir(exist_ok=True)
    sandbox = Sandbox(folder, clock=lambda: NOON, population=SOME)
    with sandbox.open():
        for record in others:
            sandbox.put(record)
    with Connections(str(uuid4()), load, pace=PACE) as connections:
        for feed in ("leads", "prospects"):
            read_feed(connections, feed, warn=print, info=lambda _: None)
        stage(connections.warehouse, connections.settings)
        merge(connections.warehouse, connections.settings, connections.sync_id)
        deliver_due(connections)
        publish_changes(connections)
        read_communications(connections)
        push_open(connections, {}, due_only=False)
        connections.warehouse.published.unlink()  # or it would be left for a minute
        publish_changes(connections)
        return connections.warehouse.published
