"""Running the jobs from the shell, quietly: the result is shown, the log is in the Dagster UI."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import dagster as dg
from dagster._core.instance import InstanceRef

from lp_pipeline.cli.home import plain_storage_errors
from lp_pipeline.communications.dry_run import as_text
from lp_pipeline.orchestration.build import build_account_definitions, build_definitions
from lp_pipeline.orchestration.failures import INTERRUPTIONS
from lp_pipeline.orchestration.housekeeping import tidy
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.progress import Progress
from lp_pipeline.runs.steps import dry_run
from lp_pipeline.runs.upkeep.tidied import Tidied
from lp_pipeline.settings import Settings, load_settings
from lp_pipeline.storage.sql import statements_from
from lp_pipeline.transform.replay import ReplayReport, replay

Tell = Callable[[str], object]
# Dagster would put what steps write to a terminal into files, with processes that trip over Ctrl-C: no progress is seen
NOT_CAPTURED = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
QUIET: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def show_progress(text: str) -> None:
    """A line on standard error, so that standard output holds results only."""
    click.echo(text, err=True)


def run_sync() -> list[str]:
    """Run `sync` in this process on the Dagster instance of DAGSTER_HOME; what went wrong, a message each."""
    return _run("sync", QUIET)


def run_push(overrides: Mapping[str, bool | None], *, publish: bool = True) -> list[str]:
    """Run `push_communications` likewise; without `publish` nobody waits for the publication's minute: it may be
    left to the next run."""
    given = {name: value for name, value in overrides.items() if value is not None}
    ops = {"push": {"config": given}, "publish_pushes": {"config": {"wait": publish}}}
    return _run("push_communications", {**QUIET, "ops": ops})


def run_backfill(first: str, last: str, tell: Tell) -> list[str]:
    """Run `backfill` likewise; progress goes to the terminal, and in the end what was done to `tell`."""
    return _run("backfill", {**QUIET, "ops": {"read_days": {"config": {"from": first, "to": last}}}}, tell)


def run_sweep(tell: Tell, *, full: bool) -> list[str]:
    """Run `sweep` likewise."""
    return _run("sweep", {**QUIET, "ops": {"read_again": {"config": {"full": full}}}}, tell)


def run_housekeeping(tell: Tell) -> list[str]:
    """Run `housekeeping` likewise."""
    return _run("housekeeping", QUIET, tell)


def dry_run_housekeeping(settings: Settings) -> list[Tidied]:
    """What housekeeping would remove."""
    with _instance() as instance, Connections("dry run", lambda: settings) as connections:
        return tidy(instance, connections, dry_run=True)


def dry_run_push(settings: Settings, overrides: Mapping[str, bool | None]) -> str:
    """What a push would write, where, word for word."""
    with Connections("dry run", lambda: settings) as connections:
        return as_text(dry_run(connections, overrides))


def run_replay(settings: Settings, *, adopt: bool, sql: Path | None, scratch: Path | None) -> ReplayReport:
    """Replay the stored readings (SPEC E4), with the statements of the folder `sql` if that is given."""
    with Progress("replay", show_progress) as progress, statements_from(sql) if sql else nullcontext():
        return replay(
            settings,
            adopt=adopt,
            scratch=scratch,
            on_progress=lambda done, of: progress.step(f"Replaying: {done:,} of {of:,}", done, of),
        )


def _run(name: str, run_config: Mapping[str, Any], tell: Tell | None = None) -> list[str]:
    account = load_settings().name
    build = build_account_definitions if account else build_definitions
    job = build(tell=show_progress).resolve_job_def(name)
    with _instance() as instance:
        result = job.execute_in_process(
            instance=instance, raise_on_error=False, run_config=run_config, partition_key=account or None
        )
    failures = []
    for event in result.all_events:
        if event.is_step_failure:
            failures.append(_failure(event.step_key, event.step_failure_data))
        elif tell and event.is_successful_output:
            shown = event.step_output_data.metadata.items()
            tell("\n".join(f"  {name}: {value.value}" for name, value in shown))
    return failures


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    home = Path(os.environ["DAGSTER_HOME"])
    with plain_storage_errors(home):
        configured = InstanceRef.from_dir(str(home), overrides={"compute_logs": NOT_CAPTURED})
        with dg.DagsterInstance.from_ref(configured) as instance:
            yield instance


def _failure(step: str | None, data: Any) -> str:
    if data.user_failure_data:
        return str(data.user_failure_data.description)
    error = data.error
    while error and error.cause:
        error = error.cause
    if error and error.cls_name in INTERRUPTIONS:
        return "Interrupted. Completed work is saved; run the command again to resume."
    return f"{step}: {error.message if error else 'failed'}".strip()
