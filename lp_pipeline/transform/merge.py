"""Stages and merges: runs the SQL for triggers, joins, outcomes and rejections (SPEC F, J, M).

Python only passes settings and counts rows; the rules are in `sql/staging` and `sql/merge`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lp_pipeline.settings import Settings
from lp_pipeline.storage.contact_points import keep_contact_points
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.record_keys import keep_older_keys
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import Warehouse, first_row, rows_of, run, with_room
from lp_pipeline.transform.contents import keep_compared_leads, keep_compared_prospects, keep_contents, keep_differing

MERGE_COUNTS = (
    "readings",
    "triggered",
    "inserted",
    "updated",
    "unchanged",
    "stale",
    "rejected",
    "held",
    "gone",
    "returned",
    "new_calls",
    "new_rejections",
)


@dataclass(frozen=True)
class When:
    """Steps that most syncs have no work for: `asks` is the statement that brings a row if this one has."""

    asks: str
    steps: tuple["Step", ...]


Step = str | Callable[[Any], None] | When  # a statement, or what has to be done in Python
STAGING: tuple[Step, ...] = (
    *("staging/batch", "staging/opportunity_leads", keep_older_keys, "staging/current_records"),
    *("staging/is_stamped_anew", keep_contact_points, keep_compared_leads, "staging/triggered_leads"),
    *(keep_compared_prospects, "staging/triggered_prospects"),
    *("staging/joined", "staging/staged_opportunities"),
)
MERGING: tuple[Step, ...] = (
    *("staging/is_stamped_anew", "merge/known_opportunities", keep_differing, "merge/outcomes"),
    When("merge/has_held", ("merge/held",)),
    When("merge/has_changes", ("merge/changes", "merge/opportunities")),
    "merge/listed_now",
    When("merge/has_elsewhere", ("merge/moved",)),
    "merge/gone",
    When("merge/has_presence", ("merge/note_gone",)),
    When("merge/has_inserted", ("merge/speed_to_lead",)),
    When("merge/is_delivering", ("merge/due_deliveries",)),
    When("merge/has_rejections", ("merge/rejected_records",)),
    "merge/calls",
    When("merge/has_history", (keep_contents, "merge/unannounced")),
    "merge/settle",
)
KEY_TWICE = "The table `opportunities` holds a key twice. Nothing more is read or published. Report it."


@dataclass
class StagingReport:
    """What staging selected for the merge; `reasons` has rows of `reason` and `triggered`, the number."""

    readings: int = 0
    prospects: int = 0
    triggered_leads: int = 0
    triggered_prospects: int = 0
    staged: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class MergeReport:
    """Outcome counts of one merge (SPEC M3), the columns that rejected records lack (`column_name`, `records`), and a
    few example rows of each outcome (`sql/merge/examples.sql`)."""

    readings: int = 0
    triggered: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    stale: int = 0
    rejected: int = 0
    held: int = 0
    gone: int = 0
    returned: int = 0
    new_calls: int = 0
    new_rejections: int = 0  # records that were not rejected before
    rejected_columns: list[dict[str, Any]] = field(default_factory=list)
    examples: list[dict[str, str]] = field(default_factory=list)

    @property
    def changed_something(self) -> bool:
        """Whether the published data changes."""
        # `rejected` counts records that were rejected before, too: their attempts and times change
        changes = (self.inserted, self.updated, self.rejected, self.held, self.gone, self.returned, self.new_calls)
        return any(changes)


def stage(warehouse: Warehouse, settings: Settings) -> StagingReport:
    """Stage every stored reading that is not merged yet (SPEC W8). Does nothing if there are none."""
    return with_room(lambda: _stage(warehouse, settings))


def _stage(warehouse: Warehouse, settings: Settings) -> StagingReport:
    with warehouse.transaction(variables(settings)) as connection:
        if not _is(connection, "staging/is_needed"):
            return StagingReport()
        run_steps(connection, STAGING)
        reasons = rows_of(connection, statement("staging/reasons"))
        return StagingReport(**first_row(connection, statement("staging/summary")), reasons=reasons)


def merge(warehouse: Warehouse, settings: Settings, sync_id: int) -> MergeReport:
    """Merge the staged rows and mark their readings as merged, in one transaction (SPEC W8, M1 to M7)."""
    return with_room(lambda: _merge(warehouse, settings, sync_id))


def _merge(warehouse: Warehouse, settings: Settings, sync_id: int) -> MergeReport:
    with warehouse.transaction({**variables(settings), "sync_id": sync_id}) as connection:
        if not _is(connection, "merge/is_needed"):
            return MergeReport()
        run_steps(connection, MERGING)
        report = MergeReport(**first_row(connection, statement("merge/summary")))
        if report.rejected:
            ((report.new_rejections,),) = run(connection, "merge/new_rejections")
            report.rejected_columns = rows_of(connection, statement("merge/rejected_columns"))
        report.examples = rows_of(connection, statement("merge/examples"))
        if report.changed_something:
            note_unpublished(connection)
        return report


def staged_twice_message(keys: int) -> str:
    """The message when the check `staged_keys_are_unique` fails."""
    return f"{keys} keys are staged twice. Nothing was merged and the readings are kept. Report it."


def without_ids_message(without: int, prospects: int) -> str:
    """The message when the check `batch_without_prospect_ids` fails."""
    return (
        f"{without} of {prospects} prospects have no cst_id: LeadPerfection's response format has changed. Nothing "
        "was merged and the readings are kept. Check raw.readings.record in work.duckdb and report the change."
    )


def run_steps(connection: Any, steps: Iterable[Step]) -> None:
    """Run the steps of a staging or a merge, in order, inside the caller's transaction."""
    for step in due(connection, steps):
        if isinstance(step, str):
            run(connection, step)
        else:
            step(connection)


def due(connection: Any, steps: Iterable[Step]) -> Iterator[str | Callable[[Any], None]]:
    """The steps that have something to do, each asked for when its turn comes."""
    for step in steps:
        if not isinstance(step, When):
            yield step
        elif _is(connection, step.asks):
            yield from due(connection, step.steps)


def variables(settings: Settings) -> dict[str, Any]:
    """The variables that the staging and merge SQL reads with `getvariable()`."""
    return {
        "zone": settings.lp_timezone,
        "availability": settings.lp_availability,
        "now_at": settings.now(),
        "delivering": settings.delivers,
        "held_after": settings.lp_held_after,
        "ignored": sorted(settings.lp_ignore_fields),
    }


def _is(connection: Any, name: str) -> bool:
    return bool(run(connection, name))
