"""One run's hold on everything it works with: settings, the turn, the warehouse, LeadPerfection.

Opened at first need, closed at the end of the run, so that loading the definitions touches nothing. Knows no Dagster.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property

from lp_pipeline.clients.hatch import HatchClient
from lp_pipeline.clients.leadperfection import Client, RateLimiter, feeds
from lp_pipeline.communications.dry_run import Rehearsed, dry_run
from lp_pipeline.communications.export import ExportReport, read_export
from lp_pipeline.communications.ledger import note_pushing
from lp_pipeline.communications.push import PushReport, push
from lp_pipeline.communications.targets import Overrides
from lp_pipeline.delivery import DeliveryReport, deliver
from lp_pipeline.extract.feed_reader import FeedReader, FeedReport
from lp_pipeline.runs.progress import Progress
from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.failures import plainly
from lp_pipeline.storage.locks import NEXT, PATIENCE_SECONDS, Turn, briefly
from lp_pipeline.storage.outbox import Outbox, recognise, remember_account
from lp_pipeline.storage.public_file import standing_since
from lp_pipeline.storage.publish import Publication, publish, wait_before
from lp_pipeline.storage.sync_log import begin_sync
from lp_pipeline.storage.warehouse import Warehouse

ROOM = 5  # one call in so many is left to syncs
RUN_SECONDS = 12 * 60.0  # R3: nothing is retried after this
FEED_SECONDS = 5 * 60.0  # W2: no further piece is begun after this, so that both feeds and the merge get their share
FEED_DEADLINE = 5.5 * 60.0  # and no piece that was begun goes on after this


class Pipeline:
    """What the assets of one run share. `close()` gives everything back. `pace` multiplies the waits between tries;
    `seconds` is how long the run may work."""

    def __init__(
        self,
        run_id: str,
        load: Callable[[], Settings] = load_settings,
        *,
        pace: float = 1.0,
        seconds: float = RUN_SECONDS,
    ) -> None:
        self.run_id = run_id
        self.reports: dict[str, FeedReport] = {}
        self.delivery_report: DeliveryReport | None = None
        self.export_report: ExportReport | None = None
        self.push_report: PushReport | None = None
        self.told: set[str] = set()
        self._load = load
        self._pace = pace
        self._stack = ExitStack()
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises `SettingsError`."""
        return self._load()

    @cached_property
    def _warehouse(self) -> Warehouse:
        return Warehouse(self.settings.data)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The warehouse, once it is this run's turn; raises `WarehouseError` if that takes too long."""
        self._stack.enter_context(self._turn())
        self._deadline = time.monotonic() + self._seconds  # waiting is not working
        return self._warehouse

    @contextmanager
    def briefly(self) -> Iterator[Warehouse]:
        """The warehouse for a moment, for work that lets syncs go first, however long they take (SPEC W2)."""
        os.umask(0o077)
        with briefly(self.settings.data):
            yield self._warehouse

    @contextmanager
    def _turn(self) -> Iterator[None]:
        os.umask(0o077)  # R4: whatever this run writes is its owner's
        began = time.monotonic()
        waiting = Turn(self.settings.data, NEXT)
        waiting.take()
        turn = Turn(self.settings.data, patience_seconds=max(0.0, PATIENCE_SECONDS - (time.monotonic() - began)))
        try:
            turn.take()
        finally:
            waiting.give_back()
        try:
            yield
        finally:
            turn.give_back()

    @cached_property
    def sync_id(self) -> int:
        """The number of this run's sync."""
        return begin_sync(self.warehouse, self.settings, self.run_id)

    @cached_property
    def outbox(self) -> Outbox:
        """What came in from Hatch, and what went out."""
        os.umask(0o077)
        outbox = self._stack.enter_context(Outbox(self.settings.data))
        recognise(outbox, self.settings)
        return outbox

    @cached_property
    def client(self) -> Client:
        """LeadPerfection, or the sandbox's if no address is set."""
        return self._client(leave=0, deadline=self._deadline)

    @cached_property
    def pushing_client(self) -> Client:
        """LeadPerfection for pushes, which leave a part of the rate to syncs (SPEC R3)."""
        deadline = time.monotonic() + self._seconds  # waiting for other pushes is not working
        return self._client(leave=self.settings.lp_rate_per_minute // ROOM, deadline=deadline)

    @cached_property
    def history_client(self) -> Client:
        """LeadPerfection for backfills and sweeps, which leave room too, and take the time that they take."""
        return self._client(leave=self.settings.lp_rate_per_minute // ROOM, deadline=None)

    def hatch(self) -> HatchClient:
        """Hatch, or the sandbox's; a client of its own each time, for waiting for the turn moves the deadline."""
        address = self._sandbox
        client = HatchClient(
            self.settings, address=address, export_address=address, deadline=self._deadline, pace=self._pace
        )
        return self._stack.enter_context(client)

    @cached_property
    def _sandbox(self) -> str | None:
        """The address of the sandbox's LeadPerfection and Hatch; None if a real one is set."""
        if self.settings.lp_api_url:
            return None
        sandbox = Sandbox(self.settings.data, clock=self.settings.now, zone=self.settings.lp_timezone)
        told = "Delete it: the next sync makes a new world (and move work.duckdb aside, which knows the old one)."
        with plainly(f"start the sandbox of {sandbox.path}", if_damaged=told):
            self.settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._stack.enter_context(sandbox.serve())

    def _client(self, *, leave: int, deadline: float | None) -> Client:
        limiter = RateLimiter(self.settings.data, self.settings.lp_rate_per_minute, leave=leave)
        self._stack.callback(limiter.close)
        client = Client(self.settings, address=self._sandbox, limiter=limiter, deadline=deadline, pace=self._pace)
        return self._stack.enter_context(client)

    def deliver(self, on_progress: Callable[[int], None] = lambda _number: None) -> DeliveryReport | None:
        """Tell Hatch what is due (SPEC D1); None without a key."""
        if not self.settings.delivers:
            return None
        self.sync_id  # noqa: B018 (stops the run if the folder holds another account's data)
        self.delivery_report = report = deliver(self.warehouse, self.outbox, self.hatch(), self.settings, on_progress)
        if report.delivered:
            remember_account(self.outbox, self.settings)
        return report

    def read_communications(self) -> ExportReport | None:
        """Ask Hatch's export for what is due (SPEC C1); None if communications don't come from there."""
        note_pushing(self.outbox, self.settings)
        if not self.settings.exports:
            return None
        self.export_report = report = read_export(self.outbox, self.hatch(), self.settings)
        return report

    def push(
        self,
        overrides: Overrides,
        *,
        due_only: bool,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> PushReport:
        """Push what is open into LeadPerfection (SPEC C4 to C8)."""
        self.push_report = report = push(
            self.outbox,
            lambda: self.pushing_client,
            self._load,
            overrides,
            due_only=due_only,
            on_progress=on_progress,
        )
        return report

    def dry_run(self, overrides: Overrides) -> list[Rehearsed]:
        """What `push` would write, where, word for word."""
        return dry_run(self.outbox, self.settings, overrides)

    def publish_pushes(self) -> Publication:
        """Publish what a push changed. One push waits for the publication's minute, the next ones leave it to that one.

        The waiting is done before the turn is taken, so that it holds up no sync.
        """
        waiting = Turn(self.settings.data, "publish")
        if waiting.is_taken():
            return Publication(False, "another push is about to publish", {})
        waiting.take()
        try:
            since = standing_since(Warehouse(self.settings.data).published)
            if since is not None and not self.settings.fixed_now:
                time.sleep(wait_before(time.time() - since, 0.0))
            return self.publish()
        finally:
            waiting.give_back()

    def publish(self, *, force: bool = False) -> Publication:
        """Replace the published copy if something changed or it is an hour old (SPEC Q1)."""
        return publish(
            self.warehouse,
            outbox=self.outbox,
            now=self.settings.now(),
            zone=self.settings.lp_timezone,
            group=self.settings.group,
            force=force,
        )

    def read(self, name: str, *, warn: Callable[[str], None], info: Callable[[str], None]) -> FeedReport:
        """Read the feed `name` (leads or prospects) from its watermark to now (SPEC W1)."""
        feed = next((feed for feed in feeds(self.settings) if feed and feed.name == name), None)
        if feed is None:
            return self.reports.setdefault(name, FeedReport(name, outcomes=["off"]))
        sync_id = self.sync_id
        self.client.finish_by(min(self._deadline, time.monotonic() + FEED_DEADLINE))
        with Progress(name, info) as progress:
            reader = FeedReader(
                self.client,
                lambda: nullcontext(self.warehouse),
                self.settings,
                feed,
                sync_id,
                stop_at=time.monotonic() + FEED_SECONDS,
                warn=warn,
                on_page=progress.page,
            )
            self.reports[name] = report = reader.read()
        return report

    def close(self) -> None:
        """End what was begun and give the turn back."""
        self._stack.close()
