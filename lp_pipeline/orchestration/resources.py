"""What the assets are handed: the run's connections, closed when the run ends."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import dagster as dg

from lp_pipeline.insight.alerts import after_run
from lp_pipeline.orchestration.account import card
from lp_pipeline.orchestration.assets import SYNC_ASSETS
from lp_pipeline.orchestration.failures import ending_of
from lp_pipeline.orchestration.launcher import FOLDER
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.journal import Kind, recorded
from lp_pipeline.settings import Settings, load_account, load_settings
from lp_pipeline.storage.alive import shown_alive

# the jobs that have the turn only to publish, or between other work: a sync waits for them
PARTITION = "dagster/partition"  # the tag of a run that is one account's (SPEC A2)
WHO = {"push_communications": "a push", "backfill": "a backfill", "sweep": "a sweep", "housekeeping": "housekeeping"}


KINDS: dict[str, Kind] = {"sync": "sync", "push_communications": "push", "backfill": "backfill", "sweep": "sweep"}


def run_connections(
    load: Callable[[], Settings] = load_settings,
    *,
    pace: float = 1.0,
    tell: Callable[[str], object] | None = None,
    about: str | None = None,
) -> dg.ResourceDefinition:
    """A resource that hands every step of a run the same `Connections` (the executor is in-process)."""

    @dg.resource(description=about or card(load))
    def connections(context: dg.InitResourceContext) -> Iterator[Connections]:
        run_id = context.run.run_id if context.run else "no run"
        account = context.run.tags.get(PARTITION) if context.run else None
        own = partial(load_account, account) if account else load
        kind, instance = _kind(context.run), context.instance
        who = WHO.get(context.run.job_name if context.run else "", "another sync")  # or one of some assets
        brief = who in WHO.values()
        home = Path(context.instance.root_directory) if context.run and context.instance else None
        with ExitStack() as stack:
            if home:
                stack.enter_context(shown_alive(home / FOLDER, run_id))
            if kind and instance:
                stack.callback(lambda: after_run(own, kind, ending_of(instance, run_id)))  # the turn is given back
            opened = stack.enter_context(Connections(run_id, own, pace=pace, tell=tell, who=who, brief=brief))
            if kind and instance:
                stack.enter_context(recorded(opened, kind, lambda: ending_of(instance, run_id)))
            yield opened

    return connections


def _kind(run: dg.DagsterRun | None) -> Kind | None:
    """What a run is recorded as; None for one of some assets only, and for a push that writes nothing."""
    if run is None or _is_dry(run.run_config):
        return None
    if run.asset_selection:
        return "sync" if run.asset_selection >= {asset.key for asset in SYNC_ASSETS} else None
    return KINDS.get(run.job_name)


def _is_dry(config: object) -> bool:
    """Whether a run's configuration has `dry_run: true` anywhere."""
    if not isinstance(config, Mapping):
        return False
    return config.get("dry_run") is True or any(map(_is_dry, config.values()))
