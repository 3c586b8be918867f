"""One run's hold on everything it works with: settings, the turn, the warehouse, LeadPerfection.

Opened at first need, closed at the end of the run, so that loading the definitions touches nothing. Knows no Dagster.
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property

from lp_pipeline.ingestion.progress import Progress
from lp_pipeline.ingestion.reading import FeedReader, FeedReport
from lp_pipeline.ingestion.syncs import begin_sync
from lp_pipeline.leadperfection import Client, RateLimiter, feeds
from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.warehouse import Warehouse
from lp_pipeline.warehouse.database import plainly
from lp_pipeline.warehouse.turn import Turn

RUN_SECONDS = 12 * 60.0  # R3: nothing is retried after this
FEED_SECONDS = 5 * 60.0  # W2: no further piece is begun after this, so that both feeds and the merge get their share


class Pipeline:
    """What the assets of one run share. `close()` gives everything back. `pace` multiplies the waits between tries."""

    def __init__(self, run_id: str, load: Callable[[], Settings] = load_settings, *, pace: float = 1.0) -> None:
        self.run_id = run_id
        self.reports: dict[str, FeedReport] = {}
        self.told: set[str] = set()
        self._load = load
        self._pace = pace
        self._stack = ExitStack()
        self._deadline = time.monotonic() + RUN_SECONDS

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises `SettingsError`."""
        return self._load()

    @cached_property
    def warehouse(self) -> Warehouse:
        """The warehouse, once it is this run's turn; raises `WarehouseError` if that takes too long."""
        os.umask(0o077)  # R4: whatever this run writes is its owner's
        turn = Turn(self.settings.data)
        turn.take()
        self._stack.callback(turn.give_back)
        self._deadline = time.monotonic() + RUN_SECONDS  # waiting is not working
        return Warehouse(self.settings.data)

    @cached_property
    def sync_id(self) -> int:
        """The number of this run's sync."""
        return begin_sync(self.warehouse, self.settings, self.run_id)

    @cached_property
    def client(self) -> Client:
        """LeadPerfection, or the sandbox's if no address is set."""
        address = self.settings.lp_api_url
        if address is None:
            sandbox = Sandbox(self.settings.data, clock=self.settings.now, zone=self.settings.lp_timezone)
            with plainly(f"start the sandbox in {self.settings.data}"):
                address = self._stack.enter_context(sandbox.serve())
        limiter = RateLimiter(self.settings.data, self.settings.lp_rate_per_minute)
        self._stack.callback(limiter.close)
        client = Client(self.settings, address=address, limiter=limiter, deadline=self._deadline, pace=self._pace)
        return self._stack.enter_context(client)

    def read(self, name: str, *, warn: Callable[[str], None], info: Callable[[str], None]) -> FeedReport:
        """Read the feed `name` (leads or prospects) from its watermark to now (SPEC W1)."""
        feed = next((feed for feed in feeds(self.settings) if feed and feed.name == name), None)
        if feed is None:
            return self.reports.setdefault(name, FeedReport(name, outcomes=["off"]))
        sync_id = self.sync_id
        with Progress(name, info) as progress:
            reader = FeedReader(
                self.client,
                self.warehouse,
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
