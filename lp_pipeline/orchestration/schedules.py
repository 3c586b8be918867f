"""When jobs run by themselves."""

from collections.abc import Callable

import dagster as dg

from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.account import zone_of
from lp_pipeline.orchestration.jobs import housekeeping, sweep, sync
from lp_pipeline.orchestration.launcher import is_about_to_start
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.locks import BRIEF, PAST, WORK, Turn


def sync_schedule(load: Callable[[], Settings] = load_settings) -> dg.ScheduleDefinition:
    """`sync` every 15 minutes; a tick is skipped while another sync, or a command that takes long, runs (SPEC R2)."""

    @dg.schedule(
        job=sync,
        cron_schedule="*/15 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every 15 minutes; a tick is skipped while another sync runs.",
    )
    def sync_every_15_minutes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_about_to_start(context.instance, sync.name):
            return dg.SkipReason("another sync is about to start")
        if busy := busy_with(load):
            return dg.SkipReason(f"{busy} is running; the next tick reads what this one would have")
        return dg.RunRequest()

    return sync_every_15_minutes


def sweep_schedule(load: Callable[[], Settings] = load_settings) -> dg.ScheduleDefinition:
    """`sweep` daily, in the account's night (SPEC S1), unless a backfill is running."""

    @dg.schedule(
        job=sweep,
        cron_schedule="10 2 * * *",
        execution_timezone=zone_of(load),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at 2:10 in the account's time zone: read again what LeadPerfection may have changed "
        "without updating its change date. Skipped while a backfill runs.",
    )
    def sweep_every_night() -> dg.RunRequest | dg.SkipReason:
        if busy := holder(load, PAST):
            return dg.SkipReason(f"{busy} is still running")
        return dg.RunRequest()

    return sweep_every_night


def housekeeping_schedule(load: Callable[[], Settings] = load_settings) -> dg.ScheduleDefinition:
    """`housekeeping` daily, after the sweep (SPEC K1)."""
    return dg.ScheduleDefinition(
        name="housekeeping_every_night",
        job=housekeeping,
        cron_schedule="40 4 * * *",
        execution_timezone=zone_of(load),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at 4:40 in the account's time zone: remove what is old, so that disk use stays flat.",
    )


def busy_with(load: Callable[[], Settings]) -> str | None:
    """Who has the turn for long, if anybody has; whoever has it briefly gives it back while the sync waits."""
    return None if holder(load, BRIEF) else holder(load, WORK)


def holder(load: Callable[[], Settings], turn: str) -> str | None:
    """Asks the operating system, not Dagster: a run whose process is gone blocks nothing (SPEC R1)."""
    try:
        return Turn(load().data, turn).holder()
    except SettingsError:
        return None  # let the run start, so that it fails where people look, and says why
