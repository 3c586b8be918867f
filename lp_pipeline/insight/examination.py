"""What `doctor`'s checks share: the form of a check, and what one examination works with. What is checked, and in which
order, is in `doctor`.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from lp_pipeline.clients.leadperfection import Client
from lp_pipeline.insight.probe import Access, access
from lp_pipeline.runs.connections import Connections
from lp_pipeline.settings import Settings

State = Literal["ok", "fail", "not checked"]
SECONDS = 150.0  # for one check: LeadPerfection may take two minutes to answer


@dataclass(frozen=True)
class Check:
    """One line: `found` is what there is, `advice` what to do about it."""

    name: str
    state: State
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """As `doctor --json` shows it."""
        return asdict(self)


@dataclass(frozen=True)
class Finding:
    """What a step found; a step that raises `PipelineError` found that."""

    state: State
    found: str
    advice: str = ""


class Examination:
    """One run of `doctor`: the settings, LeadPerfection, and what was asked of it so far."""

    def __init__(self, connections: Connections, inbox_port: int) -> None:
        self.connections = connections
        self.inbox_port = inbox_port

    @property
    def settings(self) -> Settings:
        """The settings; raises `SettingsError`."""
        return self.connections.settings

    @property
    def client(self) -> Client:
        """LeadPerfection, with the time of one check from now."""
        client = self.connections.leadperfection
        client.finish_by(time.monotonic() + SECONDS)
        return client

    @cached_property
    def access(self) -> Access:
        """What the user may do; asked once. Raises `LeadPerfectionError` if signing in fails."""
        return access(self.client, self.settings)


@dataclass(frozen=True)
class Step:
    """A check to be made, unless one that it `needs` failed."""

    name: str
    look: Callable[[Examination], Finding]
    needs: tuple[str, ...] = ()


def ok(found: str) -> Finding:
    """Good as it is."""
    return Finding("ok", found)


def fail(found: str, advice: str) -> Finding:
    """Something to do."""
    return Finding("fail", found, advice)


def unknown(found: str) -> Finding:
    """Neither good nor bad: switched off, or it can't be checked from here."""
    return Finding("not checked", found)
