"""What housekeeping removes from a data folder: finished communications, old readings, room that files don't need,
leftovers of killed processes (SPEC K1). Never the ledger of what was sent. Dagster's: `orchestration/run_history.py`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from lp_pipeline.runs.upkeep.compaction import clear_leftovers, compact, is_grown, vacuum
from lp_pipeline.runs.upkeep.history import fold_history
from lp_pipeline.runs.upkeep.tidied import Tidied
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, iso, run
from lp_pipeline.storage.warehouse import Warehouse

FINISHED, REJECTED = "remove_finished_communications", "remove_rejected_communications"


def tidy_data(
    settings: Settings,
    outbox: Outbox,
    turn: Callable[[], AbstractContextManager[Warehouse]],
    *,
    dry_run: bool = False,
) -> list[Tidied]:
    """Tidy up, a line each for what was there; `turn` gives the warehouse for a moment. Raises `WarehouseError`.

    A `dry_run` removes nothing and counts what would go.
    """
    tidied = _tidy_outbox(settings, outbox, dry_run=dry_run)
    work = settings.data / "work.duckdb"
    if not work.exists() or (dry_run and not settings.keep_readings_days):
        return tidied
    before = work.stat().st_size
    with turn() as warehouse:
        if settings.keep_readings_days and (folded := fold_history(warehouse, settings, dry_run=dry_run)):
            tidied.append(folded)
        if dry_run:
            return tidied
        clear_leftovers(warehouse)
        if is_grown(warehouse, outbox):
            compact(warehouse, outbox)
    return [*tidied, Tidied(f"size of {work.name}", before, work.stat().st_size, is_size=True)]


def _tidy_outbox(settings: Settings, outbox: Outbox, *, dry_run: bool) -> list[Tidied]:
    if not outbox.path.exists():
        return []
    there, before, gone = int(outbox.rows("count_communications")[0][0]), outbox.path.stat().st_size, 0
    if settings.keep_communications_days:
        cutoff = {"before": iso(settings.now() - timedelta(days=settings.keep_communications_days))}
        with outbox.dry_run() if dry_run else outbox.transaction() as connection:
            gone = len(run(connection, FINISHED, cutoff))
            run(connection, REJECTED, cutoff)
    if dry_run:
        return [Tidied("communications from Hatch", there, there - gone)]
    vacuum(outbox.path)
    return [
        Tidied("communications from Hatch", there, there - gone),
        Tidied(f"size of {outbox.path.name}", before, outbox.path.stat().st_size, is_size=True),
    ]
