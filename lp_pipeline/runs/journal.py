"""How each run ended, in `journal.json` of the data folder: syncs, pushes, backfills and sweeps, also one that was
killed, or failed before it read anything (SPEC E7). What that means for people is decided in `insight`.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Literal

import msgspec

from lp_pipeline.errors import PipelineError, SettingsError
from lp_pipeline.runs.connections import Connections
from lp_pipeline.settings import Settings
from lp_pipeline.storage.alive import is_gone, shown_alive
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.state_file import JOURNAL, StateFile, reserve
from lp_pipeline.storage.warehouse import first_row, run

Kind = Literal["sync", "push", "backfill", "sweep"]
Outcome = Literal["good", "failed", "killed", "interrupted"]
RUNNING = "running"  # the folder in which each run shows that it is alive
LETTERS = 1000  # of a message
KILLED = "The run was killed, or the machine went down, before it had ended. What it had completed is saved."

_log = logging.getLogger(__name__)


class Ending(msgspec.Struct, frozen=True):
    """How one run ended, and why, if not well: messages that say what to do, a line each."""

    outcome: Outcome
    message: str | None = None


class Runs(msgspec.Struct, frozen=True):
    """How the runs of one kind ended: the last one, when the last good one did, and, if it was not the last, when the
    first of the failed ones since then began, and how many they are. An interrupted run is neither good nor failed."""

    outcome: Outcome
    began_at: datetime
    ended_at: datetime
    seconds: float = 0.0
    message: str | None = None
    good_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0


class Rejection(msgspec.Struct, frozen=True):
    """A column for want of which more than 1 % of the last day's records were rejected (SPEC J7)."""

    column: str
    rejected: int
    judged: int


class Facts(msgspec.Struct, frozen=True):
    """What the warehouse held at the end of the last run that had opened it, and what the last sync did."""

    as_of: datetime
    sync_id: int | None = None
    readings: dict[str, int] = {}
    inserted: int = 0
    updated: int = 0
    watermarks: dict[str, datetime] = {}
    opportunities: int = 0
    published_at: datetime | None = None
    held: int = 0
    deliveries_due: int = 0
    rejections: tuple[Rejection, ...] = ()


class Journal(msgspec.Struct, frozen=True):
    """All of it: `running` says since when a run of a kind has been running."""

    runs: dict[Kind, Runs] = {}
    facts: Facts | None = None
    running: dict[Kind, datetime] = {}


class _Mark(msgspec.Struct, frozen=True):
    """What is in the file by which a run shows that it is alive."""

    kind: Kind
    began_at: datetime


def read_journal(settings: Settings) -> Journal:
    """What is known of a data folder's runs; changes nothing. Raises `WarehouseError`."""
    killed, running = _marks(settings)
    journal = _with_killed(_file(settings).read(), killed)
    return msgspec.structs.replace(journal, running={mark.kind: mark.began_at for mark in running})


@contextmanager
def recorded(connections: Connections, kind: Kind, ending: Callable[[], Ending]) -> Iterator[None]:
    """Record how a run ends; `ending` is asked at the end of the block. Nothing here makes a run fail."""
    settings, may_make_folder = _settings(connections)
    if settings is None or not (may_make_folder or settings.data.is_dir()):
        yield
        return
    began_at, began = settings.now(), time.monotonic()
    with ExitStack() as stack:
        with suppress(OSError, PipelineError):  # a full disk: then it is known by the time of the last good run
            _settle_killed(settings)
            note = msgspec.json.encode(_Mark(kind, began_at)).decode()
            stack.enter_context(shown_alive(settings.data / RUNNING, connections.run_id, note))
            reserve(settings.data)
        try:
            yield
        finally:
            end, facts, seconds = ending(), _facts(connections), time.monotonic() - began

            def change(journal: Journal) -> Journal:
                noted = _noted(journal, kind, began_at, settings.now(), end, seconds)
                return msgspec.structs.replace(noted, facts=facts or journal.facts)

            try:
                _file(settings).update(change)
            except PipelineError as error:
                _log.warning("How this run ended was not recorded. %s", error)


def _settings(connections: Connections) -> tuple[Settings | None, bool]:
    """By which it is recorded, and whether the run may make the data folder: not if the settings are wrong."""
    try:
        return connections.settings, True
    except SettingsError as error:
        return error.usable, False


def _file(settings: Settings) -> StateFile[Journal]:
    return StateFile(settings.data / JOURNAL, Journal)


def _marks(settings: Settings) -> tuple[list[_Mark], list[_Mark]]:
    """The runs that were killed, oldest first, and those that are running."""
    killed: list[_Mark] = []
    running: list[_Mark] = []
    for path in (settings.data / RUNNING).glob("[!.]*"):
        with suppress(OSError, msgspec.MsgspecError):
            mark = msgspec.json.decode(path.read_bytes(), type=_Mark)
            (killed if is_gone(path) else running).append(mark)
    return sorted(killed, key=lambda mark: mark.began_at), running


def _settle_killed(settings: Settings) -> None:
    """Record the runs that were killed, for good."""
    if gone := [path for path in (settings.data / RUNNING).glob("[!.]*") if is_gone(path)]:
        killed, _ = _marks(settings)
        _file(settings).update(lambda journal: _with_killed(journal, killed))
        for path in gone:
            path.unlink(missing_ok=True)


def _with_killed(journal: Journal, killed: Sequence[_Mark]) -> Journal:
    for mark in killed:
        journal = _noted(journal, mark.kind, mark.began_at, mark.began_at, Ending("killed", KILLED))
    return journal


def _noted(
    journal: Journal, kind: Kind, began_at: datetime, ended_at: datetime, end: Ending, seconds: float = 0.0
) -> Journal:
    """The journal with one more run in it."""
    last = journal.runs.get(kind)
    if last and end.outcome == "killed" and began_at < last.ended_at:
        return journal  # a later one has ended since
    failing = end.outcome in ("failed", "killed")
    good = end.outcome == "good"
    runs = Runs(
        outcome=end.outcome,
        began_at=began_at,
        ended_at=ended_at,
        seconds=round(seconds, 1),
        message=end.message[:LETTERS] if end.message else None,
        good_at=ended_at if good else last.good_at if last else None,
        failing_since=None if good else (last.failing_since if last else None) or (began_at if failing else None),
        failures=0 if good else (last.failures if last else 0) + failing,
    )
    return msgspec.structs.replace(journal, runs={**journal.runs, kind: runs})


def _facts(connections: Connections) -> Facts | None:
    """What this run leaves in the warehouse; None if it has not opened it, or can't."""
    if not connections.has_warehouse:
        return None
    now = connections.settings.now()
    try:
        with connections.warehouse.connection({"now_at": now}) as connection:
            row = first_row(connection, statement("runs/facts"))
            rejections = tuple(Rejection(*found) for found in run(connection, "checks/frequent_rejections"))
    except PipelineError:
        return None
    return Facts(as_of=now, rejections=rejections, **row)
