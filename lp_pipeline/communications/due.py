"""Whether a push has anything to do (SPEC C3). It reads the outbox, never the warehouse, and changes nothing there. Who
starts the push: `orchestration/sensors.py`."""

import json
from datetime import timedelta

from lp_pipeline.communications.targets import targets_on
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, Row, iso


def work_of(settings: Settings) -> Row | None:
    """What there is to push, and what pauses it (the columns of `outbox/due_pushes.sql`); None without an outbox."""
    now = settings.now()
    values = {
        "now": iso(now),
        "doubt_before": iso(now - timedelta(seconds=settings.push_doubt_seconds)),
        "targets": json.dumps(targets_on(settings)),
    }
    with Outbox(settings.data, read_only=True) as outbox:  # looking changes nothing, its time of change least of all
        return next(iter(outbox.rows("due_pushes", values)), None)


def is_due(settings: Settings) -> bool:
    """Whether a push would find something to do now."""
    work = work_of(settings)
    return bool(work and (work["landed"] or work["due"]) and not work["paused_until"])
