"""The three targets in LeadPerfection, and which of them are on since when (SPEC C4). Nothing is sent or stored here
but the instant since when pushing has been on.
"""

from collections.abc import Mapping
from datetime import timedelta

from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, iso

NOTE, CALL_LOG, PRODUCTION_NOTE = TARGETS = ("note", "call_log", "production_note")


SANDBOX_SINCE = timedelta(days=3)  # so that there is something to see


SWITCHES = {NOTE: "push_to_notes", CALL_LOG: "push_to_call_logs", PRODUCTION_NOTE: "push_to_production_notes"}


Overrides = Mapping[str, bool | None]


def switches(settings: Settings, overrides: Overrides | None = None) -> dict[str, bool]:
    """Which targets are on (SPEC C4), by the settings or this run's overrides, named as the four switches."""
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    pushing = given.get("push_communications", settings.push_communications)
    return {target: pushing and given.get(name, getattr(settings, name)) for target, name in SWITCHES.items()}


def targets_on(settings: Settings, overrides: Overrides | None = None) -> list[str]:
    """The targets that are on."""
    return [target for target, is_on in switches(settings, overrides).items() if is_on]


def note_pushing(outbox: Outbox, settings: Settings, overrides: Overrides | None = None) -> None:
    """Remember since when pushing has been on: what happened before is not pushed (SPEC C4)."""
    if targets_on(settings, overrides) and outbox.fact("pushing_since") is None:
        outbox.keep("pushing_since", pushing_since(outbox, settings), once=True)


def pushing_since(outbox: Outbox, settings: Settings) -> str:
    """Since when pushing has been on; now, if it never was."""
    begins_now = settings.now() - (timedelta() if settings.lp_api_url else SANDBOX_SINCE)
    return outbox.fact("pushing_since") or iso(begins_now)
