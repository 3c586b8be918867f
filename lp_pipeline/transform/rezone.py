"""`lp-pipeline rezone`: after LP_TIMEZONE was corrected, recompute the instants (SPEC J5). The rule is in SQL."""

from uuid import uuid4

from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import open_warehouse
from lp_pipeline.storage.locks import Turn
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.sync_log import record_sync
from lp_pipeline.storage.warehouse import bound, run


def rezone(settings: Settings) -> str:
    """Recompute every opportunity's instants in the zone that is set now; a summary for the user."""
    with (
        Turn(settings.data, who="`lp-pipeline rezone`"),
        open_warehouse(settings, zone_may_differ=True).transaction() as connection,
    ):
        known = bound(connection, "account/known")
        if not known or known[0][2] == settings.lp_timezone:
            return f"Nothing to do: the times of {settings.data} are in {settings.lp_timezone}."
        sync_id = record_sync(connection, settings, f"rezone {uuid4()}")
        variables = {"zone": settings.lp_timezone, "now_at": settings.now(), "sync_id": sync_id}
        recomputed = run(connection, "merge/rezone", variables)[0][0]
        note_unpublished(connection)
    return (
        f"{recomputed} opportunities recomputed from {known[0][2]} to {settings.lp_timezone}. "
        "The next sync publishes them."
    )
