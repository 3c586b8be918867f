"""The steps of a run, each a function over its connections: read a feed, deliver, read communications, push, publish.

How a step ended is kept where a later step finds it (`reports`). The rules are elsewhere.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext

from lp_pipeline.clients.leadperfection import feeds
from lp_pipeline.communications import dry_run as dry_runs
from lp_pipeline.communications.export import ExportReport, read_export
from lp_pipeline.communications.ledger import note_pushing
from lp_pipeline.communications.push import PushReport, push
from lp_pipeline.communications.targets import Overrides
from lp_pipeline.delivery import DeliveryReport, deliver
from lp_pipeline.extract.feed_reader import FeedReader, FeedReport
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.progress import Progress
from lp_pipeline.runs.reports import DeliveryOutcome, ExportOutcome, PushOutcome, keep
from lp_pipeline.storage.account import remember_from_warehouse, remember_outbox
from lp_pipeline.storage.locks import PUBLISH_TURN, Turn
from lp_pipeline.storage.public_file import standing_since
from lp_pipeline.storage.publish import Publication, publish, wait_before
from lp_pipeline.storage.warehouse import Warehouse

FEED_SECONDS = 5 * 60.0  # W2: no further piece is begun after this, so that both feeds and the merge get their share
FEED_DEADLINE = 5.5 * 60.0  # and a piece that was begun is given up after this


def read_feed(
    connections: Connections, name: str, *, warn: Callable[[str], None], info: Callable[[str], None]
) -> FeedReport:
    """Read the feed `name` (leads or prospects) from its watermark to now (SPEC W1). LeadPerfection's failures end up
    in the report and the window ledger; `SettingsError` and `WarehouseError` are raised."""
    settings = connections.settings
    feed = next((feed for feed in feeds(settings) if feed and feed.name == name), None)
    if feed is None:
        return FeedReport(name, outcomes=["off"])
    sync_id = connections.sync_id
    connections.warn_of_zones(warn)
    client = connections.leadperfection
    client.finish_by(min(connections.deadline, time.monotonic() + FEED_DEADLINE))
    with Progress(name, info, connections.tell) as progress:
        return FeedReader(
            client,
            lambda: nullcontext(connections.warehouse),
            settings,
            feed,
            sync_id,
            stop_at=time.monotonic() + FEED_SECONDS,
            warn=warn,
            on_page=progress.page,
        ).read()


def deliver_due(
    connections: Connections, on_progress: Callable[[int], None] = lambda _number: None
) -> DeliveryReport | None:
    """Send Hatch what is due (SPEC D1); None without a key."""
    if not connections.settings.delivers:
        return None
    warehouse, outbox = connections.warehouse, connections.outbox  # the turn first: waiting for it moves the deadline
    report = deliver(warehouse, outbox, connections.hatch(), connections.settings, on_progress)
    if report.delivered:
        remember_outbox(outbox, connections.settings)
    keep(outbox, DeliveryOutcome(report.stopped, report.unavailable, dict(report.refused)))
    return report


def read_communications(connections: Connections) -> ExportReport | None:
    """Ask Hatch's export for what is due (SPEC C1); None if communications don't come from there."""
    note_pushing(connections.outbox, connections.settings)
    if not connections.settings.exports:
        return None
    report = read_export(connections.outbox, connections.hatch(), connections.settings)
    keep(connections.outbox, ExportOutcome(report.stopped, report.unavailable))
    return report


def push_open(
    connections: Connections,
    overrides: Overrides,
    *,
    due_only: bool,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> PushReport:
    """Push what is open into LeadPerfection (SPEC C4 to C8)."""
    report = push(
        connections.outbox,
        lambda: connections.leadperfection_for_pushes,
        connections.load,
        overrides,
        due_only=due_only,
        on_progress=on_progress,
    )
    keep(connections.outbox, PushOutcome(list(dict.fromkeys(report.errors))))
    return report


def dry_run(connections: Connections, overrides: Overrides) -> list[dry_runs.DryRunPush]:
    """What `push_open` would write, where, word for word."""
    return dry_runs.dry_run(connections.outbox, connections.settings, overrides)


def publish_changes(connections: Connections, *, force: bool = False) -> Publication:
    """Replace the published copy if something changed or it is an hour old (SPEC Q1)."""
    settings = connections.settings
    remember_from_warehouse(connections.outbox, connections.warehouse, settings)
    return publish(
        connections.warehouse,
        outbox=connections.outbox,
        now=settings.now(),
        zone=settings.lp_timezone,
        group=settings.group,
        force=force,
        clock=settings.now,
    )


def publish_pushes(connections: Connections, *, wait: bool = True) -> Publication:
    """Publish what a push changed. One push waits for the publication's minute, the next ones leave it to that one;
    without `wait` it is left to the next sync.

    The waiting is done before the turn is taken, so that it holds up no sync.
    """
    settings = connections.settings
    with Turn(settings.data, PUBLISH_TURN).if_free() as is_ours:
        if not is_ours:
            return Publication(False, "another push is about to publish", {})
        since = standing_since(Warehouse(settings.data).published)
        seconds = 0.0 if since is None or settings.fixed_now else wait_before(time.time() - since, 0.0)
        if not wait and (seconds or settings.fixed_now):  # by a clock that doesn't move it is never a minute old
            return Publication(False, "the last publication is not a minute old; the next sync publishes", {})
        time.sleep(seconds)
        return publish_changes(connections)
