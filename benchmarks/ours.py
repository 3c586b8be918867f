"""Our own work without Dagster, in a process of its own, each stage with its time.

`python -m benchmarks.ours sync` reads, merges and publishes once; `syncs` many times in a row, each with new changes;
`push` and `deliver` send so many. What is measured goes to standard output as JSON.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from benchmarks.account import at
from benchmarks.records import FIRST_CONTACT
from benchmarks.server import show
from lp_pipeline.clients.hatch import communication
from lp_pipeline.communications.landing import land
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import deliver_due, publish_changes, push_open, read_feed
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.transform.merge import merge, stage

FEEDS = ("leads", "prospects")
Stages = dict[str, dict[str, float]]


class NotRead(Exception):
    """A feed was not read to its end, so there is nothing to measure."""


@contextmanager
def timed(stages: Stages, name: str) -> Iterator[None]:
    """Keep the time of a stage."""
    began, cpu = time.perf_counter(), time.process_time()
    yield
    stages[name] = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}


def sync(load: Callable[[], Settings] = load_settings, *, delivers: bool = False) -> dict[str, Any]:
    """Read both feeds, stage and merge, publish. Raises `NotRead`."""
    stages: Stages = {}
    with Connections(str(uuid4()), load) as connections:
        with timed(stages, "reading"):
            for feed in FEEDS:
                report = read_feed(connections, feed, warn=_ignore, info=_ignore)
                if report.error:
                    raise NotRead(report.error)
        with timed(stages, "merging"):
            stage(connections.warehouse, connections.settings)
            merged = merge(connections.warehouse, connections.settings, connections.sync_id)
        if delivers:
            with timed(stages, "delivering"):
                delivered = deliver_due(connections)
                assert delivered
                assert delivered.delivered, "nothing was delivered"
        with timed(stages, "publishing"):
            publication = publish_changes(connections)
        counts = {"inserted": merged.inserted, "updated": merged.updated, **publication.counts}
    return {"stages": stages, **counts}


def syncs(number: int, size: int, changes: int) -> dict[str, Any]:
    """So many syncs in a row, each with `changes` of `size` records changed; how long each one took."""
    settings = load_settings()
    assert settings.lp_api_url
    seconds = []
    for each in range(1, number + 1):
        os.environ |= at(each)
        show(settings.lp_api_url, "changed", size=size, revision=each, number=changes)
        began = time.perf_counter()
        sync()
        seconds.append(time.perf_counter() - began)
    files = {path.name: path.stat().st_size for path in settings.data.glob("*.duckdb")}
    return {"each_seconds": seconds, "files": files}


def push(number: int) -> dict[str, Any]:
    """So many texts land and are pushed as notes, each to another prospect."""
    stages: Stages = {}
    with Connections(str(uuid4())) as connections:
        settings = connections.settings
        moment = (settings.now() - timedelta(hours=1)).isoformat()
        texts = [_text(each, moment) for each in range(number)]
        with timed(stages, "landing"):
            read = [communication(json.dumps(text).encode(), settings.hatch_time_columns) for text in texts]
            land(connections.outbox, settings, read, "inbox")
        with timed(stages, "pushing"):
            report = push_open(connections, {}, due_only=False)
    return {"stages": stages, "sent": report.of("sent")}


def _text(number: int, moment: str) -> dict[str, str]:
    return {
        "id": f"text-{number}",
        "external_contact_id": str(FIRST_CONTACT + number),
        "category": "sms",
        "direction": "inbound",
        "body": f"Yes, Tuesday at {number % 12 + 1} works for us. Thanks!",
        "occurred_at": moment,
    }


def _ignore(_message: str) -> None:
    """Progress and warnings: the report has what counts."""


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("sync", "syncs", "push", "deliver"))
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--size", type=int, default=1)
    parser.add_argument("--changes", type=int, default=1)
    given = parser.parse_args()
    if given.what == "syncs":
        measured = syncs(given.number, given.size, given.changes)
    elif given.what == "push":
        measured = push(given.number)
    else:
        measured = sync(delivers=given.what == "deliver")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
