"""Old readings, and the log of what was merged from them, folded into a state at which a replay begins (SPEC K1, E4).
Which rows go is decided in `sql/upkeep/`.
"""

from datetime import timedelta
from typing import Any

from lp_pipeline.runs.upkeep.tidied import Tidied
from lp_pipeline.settings import Settings
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.warehouse import Warehouse, run
from lp_pipeline.transform.replay import has_snapshots

READINGS = "stored readings"


def fold_history(warehouse: Warehouse, settings: Settings, *, dry_run: bool = False) -> Tidied | None:
    """Remove readings older than `KEEP_READINGS_DAYS` that nothing needs; None if that is not due. Raises
    `WarehouseError`.

    Each so many days the state is kept as it is then; once it is that old, a replay begins with it. So readings stay
    for once to twice as long. For whoever has the turn; a `dry_run` counts what would go, and changes nothing.
    """
    now = settings.now()
    with warehouse.connection({"now_at": now}) as connection:
        last = run(connection, "upkeep/last_snapshot")[0][0] if has_snapshots(connection, "work") else None
        if last and now - last < timedelta(days=settings.keep_readings_days):
            return None
        before = _number(connection)
        connection.execute("begin")
        run(connection, "upkeep/take_snapshot")
        if last:
            run(connection, "upkeep/fold", {"base_at": last})
            note_unpublished(connection)
        after = _number(connection)
        connection.execute("rollback" if dry_run else "commit")
    return Tidied(READINGS, before, after)


def _number(connection: Any) -> int:
    return int(connection.execute("select count(*) from raw.readings").fetchall()[0][0])
