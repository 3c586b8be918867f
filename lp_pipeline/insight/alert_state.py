"""Which incidents are open, in `alerts.json` of the data folder (SPEC N1). Who sends what: `alerts.py`."""

from datetime import datetime
from typing import Literal

import msgspec

from lp_pipeline.settings import Settings
from lp_pipeline.storage.state_file import StateFile

IncidentKind = Literal[
    "sync", "late", "push", "stopped", "uncertain", "held", "rejected", "refused", "backfill", "sweep"
]


class Open(msgspec.Struct, frozen=True):
    """An incident that is not over: whether somebody has been told, and how many runs have failed so far."""

    since: datetime
    announced: bool = False
    number: int = 0


class Alerts(msgspec.Struct, frozen=True):
    """What is open, and why the last alert or heartbeat could not be sent, if it could not."""

    open: dict[IncidentKind, Open] = {}
    problem: str | None = None
    heartbeat_problem: str | None = None


def alerts_file(settings: Settings) -> StateFile[Alerts]:
    """The file of a data folder."""
    return StateFile(settings.data / "alerts.json", Alerts)
