"""Which incidents are open, in `alerts.json` of the data folder (SPEC N1). Who sends what: `alerts.py`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from lp_pipeline.errors import WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.state_file import ALERTS, StateFile

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
    return StateFile(settings.data / ALERTS, Alerts)


class Known:
    """What is known of a folder's alerts. A process that `stays` keeps it in mind while the file can't be written."""

    _in_mind: ClassVar[dict[Path, Alerts]] = {}

    def __init__(self, settings: Settings, *, stays: bool) -> None:
        self._folder = settings.data
        self._file = alerts_file(settings)
        self._stays = stays

    def update(self, change: Callable[[Alerts], Alerts]) -> Alerts:
        """Replace what is known by what `change` makes of it. Raises `WarehouseError`, unless this process stays."""
        in_mind = self._in_mind.get(self._folder)
        try:
            changed = self._file.update(lambda known: change(in_mind or known))
        except WarehouseError:
            if not self._stays:
                raise
            changed = self._in_mind[self._folder] = change(in_mind or self._file.read())
        else:
            self._in_mind.pop(self._folder, None)
        return changed
