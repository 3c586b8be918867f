"""What tests share: a whole account, with a LeadPerfection of its own on loopback and a clock that the test moves."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import dagster as dg
import duckdb

from lp_pipeline.clients.hatch import communication
from lp_pipeline.communications.landing import Landed, land
from lp_pipeline.communications.ledger import note_pushing
from lp_pipeline.communications.push import PushReport
from lp_pipeline.delivery import DeliveryReport
from lp_pipeline.extract.feed_reader import FeedReport
from lp_pipeline.orchestration.build import build_definitions
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.steps import deliver_due, publish_changes, push_open, read_feed
from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import SANDBOX_ACCOUNT, SANDBOX_HATCH, Settings, load_settings
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.transform.merge import MergeReport, merge, stage
from lp_pipeline_tests.scenario import NOON, with_empty_warehouse

AnAccount = TypeVar("AnAccount", bound="Account")
PACE = 0.001  # waits between tries are a thousandth of what they are in use


class Account:
    """A data folder, settings and a LeadPerfection server for one test."""

    def __init__(self, folder: Path, address: str, lp: Sandbox) -> None:
        self.folder = folder / "data"
        self.lp = lp
        self.now = NOON
        self.environ = {
            "LP_API_URL": address,
            **SANDBOX_ACCOUNT,
            "LP_PIPELINE_DATA": str(self.folder),
        }
        self.outbox = Outbox(self.folder)

    def with_hatch(self, **environ: str) -> None:
        """From now on there is a Hatch too: the sandbox's, at the same address."""
        address = self.environ["LP_API_URL"]
        urls = {"HATCH_API_URL": address, "HATCH_EXPORT_URL": address}
        self.environ |= {**SANDBOX_HATCH, **urls, **environ}

    def load(self) -> Settings:
        """The settings as of this account's clock."""
        return load_settings({"LP_PIPELINE_NOW": self.now.isoformat(), **self.environ})

    def later(self, **delta: float) -> datetime:
        """Advance the clock, by 15 minutes unless given."""
        self.now += timedelta(**(delta or {"minutes": 15}))
        return self.now

    def wall(self, **ago: float) -> str:
        """LP's wall clock some time ago."""
        local = (self.now - timedelta(**ago)).astimezone(self.load().zone)
        return local.replace(tzinfo=None).isoformat()

    @contextmanager
    def connections(self) -> Iterator[Connections]:
        """One run's connections, without Dagster around it."""
        if not (self.folder / "published.duckdb").exists():  # that was published from another one
            with_empty_warehouse(self.folder)
        with Connections(str(uuid4()), self.load, pace=PACE) as connections:
            yield connections

    def read(self, *feeds: str, warnings: list[str] | None = None) -> dict[str, FeedReport]:
        """Read both feeds, or those named, as one sync."""
        warn = (warnings if warnings is not None else []).append
        with self.connections() as connections:
            names = feeds or ("leads", "prospects")
            return {name: read_feed(connections, name, warn=warn, info=lambda _: None) for name in names}

    def merge(self) -> MergeReport:
        """Stage and merge what is unmerged, as a sync of its own."""
        with self.connections() as connections:
            stage(connections.warehouse, connections.settings)
            return merge(connections.warehouse, connections.settings, connections.sync_id)

    def sync(self) -> MergeReport:
        """Read both feeds and merge."""
        self.read()
        return self.merge()

    def deliver(self) -> DeliveryReport | None:
        """Tell Hatch what is due."""
        with self.connections() as connections:
            return deliver_due(connections)

    def land(self, *items: Any) -> Landed:
        """Communications (columns as Hatch's export has them) land as through the inbox."""
        settings = self.load()
        note_pushing(self.outbox, settings)
        read = [communication(json.dumps(item).encode(), settings.hatch_time_columns) for item in items]
        return land(self.outbox, settings, read, "inbox")

    def push(self, *, due_only: bool = False, **overrides: bool) -> PushReport:
        """Push what is open, as one run of its own."""
        with self.connections() as connections:
            return push_open(connections, overrides, due_only=due_only)

    def publish(self) -> None:
        """Replace the published copy now, without waiting for its minute."""
        with self.connections() as connections:
            connections.warehouse.published.unlink(missing_ok=True)
            publish_changes(connections)

    def pushes(self, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger of pushes, by communication and target."""
        with closing(sqlite3.connect(self.outbox.path)) as connection:
            names = ", ".join(columns or ("communication_id", "target", "state", "reason"))
            return connection.execute(f"select {names} from communication_pushes order by 1, 2").fetchall()

    def run(self, *, select: list[str] | None = None) -> dg.ExecuteInProcessResult:
        """The sync job, or some of its assets, as Dagster runs it."""
        job = build_definitions(self.load, pace=PACE).resolve_job_def("sync")
        selection = [dg.AssetKey(name) for name in select] if select else None
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(instance=instance, raise_on_error=False, asset_selection=selection)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of work.duckdb."""
        with self.connections() as connections, connections.warehouse.connection() as connection:
            return connection.execute(query).fetchall()

    def published(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of published.duckdb."""
        with duckdb.connect(str(self.folder / "published.duckdb"), read_only=True) as connection:
            return connection.execute(query).fetchall()


def failures(result: dg.ExecuteInProcessResult) -> list[str]:
    """The message of each failed step, as a person meets it first."""
    found = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return [str(data.user_failure_data.description) for data in found if data.user_failure_data]


def shown_errors(events: Iterable[dg.DagsterEvent]) -> list[str]:
    """The errors of a run as the UI shows them, with their stack traces and causes: once each, in order."""
    errors = [getattr(event.event_specific_data, "error", None) for event in events]
    return list(dict.fromkeys(error.to_string().strip() for error in errors if error))


@contextmanager
def account(folder: Path, **switches: Any) -> Iterator[Account]:
    """An account whose LeadPerfection holds nothing yet."""
    with account_of(Account, folder, **switches) as opened:
        yield opened


@contextmanager
def account_of(
    kind: type[AnAccount], folder: Path, *, zone: str = SANDBOX_ACCOUNT["LP_TIMEZONE"], **switches: Any
) -> Iterator[AnAccount]:
    """The same of a kind of its own."""
    lp = Sandbox(folder / "lp", clock=lambda: holder[0].now if holder else NOON, zone=zone, population=0)
    holder: list[AnAccount] = []
    (folder / "lp").mkdir()
    lp.switch(**switches)
    with lp.serve() as address:
        holder.append(kind(folder, address, lp))
        holder[0].environ["LP_TIMEZONE"] = zone
        try:
            yield holder[0]
        finally:
            holder[0].outbox.close()
