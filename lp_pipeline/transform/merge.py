"""Stages and merges: runs the SQL for triggers, joins, outcomes and rejections (SPEC F, J, M).

Python only passes settings and counts rows; the rules are in `sql/staging` and `sql/merge`.
"""

from dataclasses import dataclass, field
from typing import Any

from lp_pipeline.settings import Settings
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.sql import statement
from lp_pipeline.storage.warehouse import Warehouse, first_row, rows_of, run

STAGING = ("batch", "triggered_leads", "triggered_prospects", "current_records", "joined", "staged_opportunities")
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
)
MERGING = (
    *("outcomes", "held", "changes", "opportunities", "moved", "gone", "due_deliveries", "rejected_records"),
    *("calls", "unannounced", "settle"),
)


@dataclass
class StagingReport:
    """What staging selected for the merge."""

    readings: int = 0
    prospects: int = 0
    triggered_leads: int = 0
    triggered_prospects: int = 0
    staged: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass
class MergeReport:
    """Outcome counts of one merge (SPEC M3), with a few example rows of each (`sql/merge/examples.sql`)."""

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
    rejected_for: dict[str, int] = field(default_factory=dict)
    examples: list[dict[str, str]] = field(default_factory=list)

    @property
    def changed_something(self) -> bool:
        """Whether the published data changes."""
        return bool(self.inserted or self.updated or self.held or self.gone or self.returned or self.new_calls)


def stage(warehouse: Warehouse, settings: Settings) -> StagingReport:
    """Stage every stored reading that is not merged yet (SPEC W8). Does nothing if there are none."""
    with warehouse.transaction(variables(settings)) as connection:
        if not _count(connection, "pipeline.unmerged") and not _count(connection, "pipeline.batch"):
            return StagingReport()
        for name in STAGING:
            run(connection, f"staging/{name}")
        reasons = connection.execute(
            "select reason, count(*) from (select reason from pipeline.triggered_leads "
            "union all select reason from pipeline.triggered_prospects) group by reason order by 2 desc"
        ).fetchall()
        return StagingReport(
            readings=_count(connection, "pipeline.batch"),
            prospects=_count(connection, "(select distinct contact_key from pipeline.batch)"),
            triggered_leads=_count(connection, "pipeline.triggered_leads"),
            triggered_prospects=_count(connection, "pipeline.triggered_prospects"),
            staged=_count(connection, "staged_opportunities"),
            reasons=dict(reasons),
        )


def merge(warehouse: Warehouse, settings: Settings, sync_id: int) -> MergeReport:
    """Merge the staged rows and mark their readings as merged, in one transaction (SPEC W8, M1 to M7)."""
    with warehouse.transaction({**variables(settings), "sync_id": sync_id}) as connection:
        if not _count(connection, "pipeline.batch"):
            return MergeReport()
        calls_before = _count(connection, "calls")
        for name in MERGING:
            run(connection, f"merge/{name}")
        counts = first_row(connection, "from pipeline.merges order by rowid desc limit 1")
        report = MergeReport()
        for name in MERGE_COUNTS:
            setattr(report, name, counts[name])
        report.new_calls = _count(connection, "calls") - calls_before
        report.rejected_for = dict(
            connection.execute(
                "select name, count(*) from (select unnest(missing) as name from rejections) group by all order by name"
            ).fetchall()
        )
        report.examples = rows_of(connection, statement("merge/examples"))
        new_rejections = connection.execute(
            "select count(*) from rejections as n inner join rejected_records as r "
            "using (contact_key, combination, lead_key) where r.attempts = 1"
        ).fetchall()[0][0]
        if report.changed_something or new_rejections:
            note_unpublished(connection)
        return report


def without_ids_message(without: int, prospects: int) -> str:
    """The message when the check `batch_without_prospect_ids` fails."""
    return (
        f"{without} of {prospects} prospects have no cst_id: LeadPerfection's response format has changed. Nothing "
        "was merged and the readings are kept. Check raw.prospects.record in work.duckdb and report the change."
    )


def variables(settings: Settings) -> dict[str, Any]:
    """The variables that the staging and merge SQL reads with `getvariable()`."""
    return {
        "zone": settings.lp_timezone,
        "availability": settings.lp_availability,
        "now_at": settings.now(),
        "delivering": settings.delivers,
        "held_after": settings.lp_held_after,
    }


def _count(connection: Any, relation: str) -> int:
    return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])  # noqa: S608 (ours)
