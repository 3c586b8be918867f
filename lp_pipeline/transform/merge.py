"""Staging and merging: runs the SQL that decides triggers, joins, outcomes and rejections (SPEC F, J, M).

Python only hands over the settings and counts; the rules stand in `sql/staging` and `sql/merge`.
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
    *("outcomes", "held", "changes", "opportunities", "gone", "due_deliveries", "rejected_records"),
    *("calls", "unannounced", "settle"),
)


@dataclass
class StagingReport:
    """What the staging found to be merged."""

    readings: int = 0
    prospects: int = 0
    triggered_leads: int = 0
    triggered_prospects: int = 0
    staged: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass
class MergeReport:
    """The outcomes of one merge (SPEC M3) and a few rows of each as examples (`sql/merge/examples.sql`)."""

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
        """Whether people would see a difference."""
        return bool(self.inserted or self.updated or self.held or self.gone or self.returned or self.new_calls)


def stage(warehouse: Warehouse, settings: Settings) -> StagingReport:
    """Stage every stored reading that is not yet merged (SPEC W8); touches nothing if there is none."""
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
    """Merge what is staged, and mark its readings as merged in the same transaction (SPEC W8, M1 to M7)."""
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
    """What to say of a batch that the check `batch_without_prospect_ids` stops."""
    return (
        f"{without} of {prospects} prospects have no cst_id: LeadPerfection's answers have changed. Nothing was "
        "merged, the readings are kept; look at raw.prospects.record in work.duckdb and report it."
    )


def variables(settings: Settings) -> dict[str, Any]:
    """What the statements of staging and merging read by `getvariable()`."""
    return {
        "zone": settings.lp_timezone,
        "availability": settings.lp_availability,
        "now_at": settings.now(),
        "delivering": settings.delivers,
        "held_after": settings.lp_held_after,
    }


def _count(connection: Any, relation: str) -> int:
    return int(connection.execute(f"select count(*) from {relation}").fetchall()[0][0])  # noqa: S608 (ours)
