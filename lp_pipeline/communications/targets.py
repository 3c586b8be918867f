"""The three targets in LeadPerfection, and which of them are on (SPEC C4). Nothing is sent or stored here.

The command line loads this for its help: no import here may lead to DuckDB.
"""

from collections.abc import Mapping

from lp_pipeline.settings import Settings

NOTE, CALL_LOG, PRODUCTION_NOTE = TARGETS = ("note", "call_log", "production_note")
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
