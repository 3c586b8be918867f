"""`published.duckdb`: the read-only copy for people, replaced whole (SPEC Q1).

What is in it is SQL (`sql/publish/`), filled by `draft.py`; when it is replaced is decided here. The file itself:
`public_file.py`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from lp_pipeline.settings import Settings
from lp_pipeline.storage import public_file
from lp_pipeline.storage.draft import build, draft_of, update_or_build
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import briefly
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.warehouse import Warehouse, run

AT_LEAST_EVERY = timedelta(hours=1)
AT_MOST_EVERY_SECONDS = 60.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Publication:
    """Whether people got a new copy, why (not), and what is in it: counts, and a row for each frequent status.

    `speed` is speed to lead in minutes (SPEC E6), `p50` and `p95`, and `sync_p50` and `sync_p95` of the last sync, each
    None if there is nothing to measure. `rebuilt` if the copy was built anew instead of brought up to date.
    """

    published: bool
    reason: str
    counts: dict[str, int]
    by_status: list[dict[str, Any]] = field(default_factory=list)
    speed: dict[str, Any] = field(default_factory=dict)
    rebuilt: bool = False


def publish(
    warehouse: Warehouse,
    *,
    outbox: Outbox,
    now: datetime,
    zone: str,
    group: str | None = None,
    force: bool = False,
    clock: Callable[[], datetime] | None = None,
) -> Publication:
    """Replace the published copy if something changed or it is an hour old; `force` asks for it where only the
    ledger changed. One that is not as it was left, or that somebody holds for writing, is replaced at once. `clock`
    says what time it is after waiting (E6); without it, that is still `now`.

    Waits until the last copy is a minute old. Raises `WarehouseError`; the old copy then stays.
    """
    with warehouse.connection() as connection:
        state = run(connection, "publish/state")
    published_at, changed, known_revision = state[0] if state else (None, False, None)
    revision = outbox.revision
    changed = changed or revision != (known_revision or 0)
    since = public_file.standing_since(warehouse.published)
    if published_at and since is not None:
        age = abs(now - published_at)  # a clock that was set back must not put it off
        wait = wait_before(time.time() - since, age.total_seconds())
        if not changed and (wait or not force) and age < AT_LEAST_EVERY:
            return Publication(False, "nothing changed since the last publication", {})
        if wait:
            warehouse.let_go()
            time.sleep(wait)
            now = clock() if clock else now
    with readable_errors(f"publish {warehouse.published}"), draft_of(warehouse) as draft:
        written = update_or_build(warehouse, outbox, draft, now=now, zone=zone)
        public_file.replace(draft, warehouse.published, group)
    with warehouse.transaction({"now_at": now, "revision": revision}) as connection:
        run(connection, "publish/note_published")
    return Publication(
        True,
        "something changed" if changed else "the last copy was not as it was left, an hour old, or a feed failed",
        written.counts,
        written.by_status,
        written.speed,
        written.rebuilt,
    )


def publish_anew(
    warehouse: Warehouse, *, outbox: Outbox, now: datetime, zone: str, group: str | None = None
) -> Publication:
    """Build the published copy from nothing and replace it now: the old one's blocks may hold what was deleted since.

    For whoever has the turn. Raises `WarehouseError`; the old copy then stays.
    """
    revision = outbox.revision
    with readable_errors(f"publish {warehouse.published}"), draft_of(warehouse) as draft:
        written = build(warehouse, outbox, draft, now=now, zone=zone)
        public_file.replace(draft, warehouse.published, group)
    with warehouse.transaction({"now_at": now, "revision": revision}) as connection:
        run(connection, "publish/note_published")
    return Publication(True, "it was built anew", written.counts, written.by_status, rebuilt=True)


def wait_before(real_age: float, pipeline_age: float) -> float:
    """Seconds until the last copy is a minute old, by the pipeline's clock or, if that doesn't move, by the
    real one; both ages in seconds, whichever way a clock was set."""
    return max(0.0, AT_MOST_EVERY_SECONDS - max(abs(real_age), abs(pipeline_age)))


def ask(outbox: Outbox, settings: Settings, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer | None:
    """What the published data answers to a question of the pipeline's own; None if nothing was ever read.

    A file that is missing, held for writing or not as it was left is not asked, nor waited for: the same is then built
    for this question alone, as soon as no sync is running. Raises `WarehouseError`.
    """
    warehouse = Warehouse(settings.data)
    if public_file.standing_since(warehouse.published) is not None:
        try:
            return _asked(warehouse.published, question)
        except duckdb.Error:  # held or changed since we looked, or damaged where that doesn't show
            pass
    if not warehouse.work.exists():  # lost, or nothing was read yet: what there is must do
        if not warehouse.published.exists():
            return None
        with readable_errors(f"read {warehouse.published}", if_damaged="The next sync makes it again."):
            return _asked(warehouse.published, question)
    with briefly(settings.data), readable_errors(f"read {warehouse.work}"), draft_of(warehouse) as draft:
        build(warehouse, outbox, draft, now=settings.now(), zone=settings.lp_timezone)
        return _asked(draft, question)


def _asked(file: Path, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
    with duckdb.connect(str(file), read_only=True) as connection:
        return question(connection)


def note_unpublished(connection: Any) -> None:
    """Remember that people have not seen everything yet (SPEC Q1)."""
    run(connection, "publish/note_unpublished")
