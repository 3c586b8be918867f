"""`lp-pipeline deliver`: send Hatch what changed since a moment, in slices (SPEC D1); `delivery` sends."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

from lp_pipeline.delivery import DeliveryReport, ask_for
from lp_pipeline.delivery.dry_run import as_pages, dry_run
from lp_pipeline.errors import SettingsError
from lp_pipeline.runs.connections import RUN_SECONDS, Connections
from lp_pipeline.runs.progress import Progress
from lp_pipeline.runs.steps import deliver_due, publish_pushes
from lp_pipeline.settings import Settings

SLICE_SECONDS = 240.0
SECONDS_BETWEEN_SLICES = 1.0  # enough for another run to take its turn


def deliver_since(settings: Settings, since: datetime, info: Callable[[str], object]) -> str:
    """Deliver to Hatch what changed since then (SPEC D1); a summary for the user. `info` gets its progress.

    In slices, between which a waiting sync gets its turn.
    """
    if not settings.delivers:
        raise SettingsError("HATCH_API_KEY is not set, so there is no Hatch to send to. Set it and HATCH_SOURCE.")
    reports: list[DeliveryReport] = []
    with Progress("deliver", info) as progress:
        while not reports or (reports[-1].waiting and reports[-1].delivered):
            time.sleep(SECONDS_BETWEEN_SLICES if reports else 0)
            with _connections(settings, seconds=SLICE_SECONDS) as connections:
                if not reports:
                    ask_for(connections.warehouse, settings, since, connections.sync_id)
                report = deliver_due(connections, partial(_show, progress, sum(each.delivered for each in reports)))
                reports.append(report or DeliveryReport())
        progress.step("Publishing")
        with _connections(settings) as connections:
            publish_pushes(connections)
    if reports[-1].stopped:
        raise SettingsError(reports[-1].stopped)
    delivered, known, refused, unreachable = (
        sum(counts)
        for counts in zip(*((r.delivered, r.known, r.refused.total(), r.unreachable) for r in reports), strict=True)
    )
    summary = f"{delivered} delivered, {known} known to Hatch already, {refused} refused, {unreachable} unreachable, "
    summary += f"{reports[-1].waiting} waiting for the next sync."
    return f"{summary} {reports[-1].unavailable or ''}".strip()


def would_deliver(settings: Settings, since: datetime) -> Iterator[str]:
    """What `deliver_since` would send, as text, page by page: the numbers first, then each body word for word.

    It needs no key, so that one can see it before there is one. Syncs go first.
    """
    if not (settings.data / "work.duckdb").exists():
        yield "Nothing has been read from LeadPerfection yet. Run `lp-pipeline sync` or `lp-pipeline backfill` first.\n"
        return
    with _connections(settings) as connections, connections.warehouse_briefly() as warehouse:
        found = dry_run(warehouse, connections.outbox, settings, since)
    host = urlsplit(settings.hatch_api_url).hostname if settings.lp_api_url else None
    yield from as_pages(found, host or "the sandbox's")


def _connections(settings: Settings, seconds: float = RUN_SECONDS) -> Connections:
    return Connections(f"deliver {uuid4()}", lambda: settings, seconds=seconds, who="`lp-pipeline deliver`", brief=True)


def _show(progress: Progress, before: int, delivered: int) -> None:
    progress.step(f"{before + delivered:,} opportunities delivered")
