"""`lp-pipeline recovered`: an older copy of the data folder was restored, so that the ledger knows nothing of the
pushes since then: they are looked for before they are sent (SPEC R5). The next push does that, see `doubts`.
"""

from collections import Counter
from datetime import UTC, datetime

from lp_pipeline.communications.ledger import REALLY_RECOVERED_AT, RECOVERED_AT
from lp_pipeline.errors import SettingsError
from lp_pipeline.outbox import Outbox, iso, run
from lp_pipeline.settings import Settings
from lp_pipeline.warehouse.turn import push_turn


def recovered(outbox: Outbox, settings: Settings, since: datetime) -> Counter[str]:
    """From now on what may have been pushed since then is looked for first, also what lands again only later; how many
    of the open pushes that are, by target. Waits for a push that is at work."""
    now = settings.now()
    if since > now:
        raise SettingsError(f"--since is later than now ({now.astimezone(settings.zone):%Y-%m-%dT%H:%M:%S}).")
    with push_turn(settings), outbox.transaction() as connection:
        for name, clock in ((RECOVERED_AT, now), (REALLY_RECOVERED_AT, datetime.now(UTC))):
            run(connection, "keep_fact", {"name": name, "value": iso(clock)})
        run(connection, "look_for_known", {"since": iso(since), "until": iso(now)})
        rows = run(connection, "count_pushes_to_look_for")
        return Counter({row["target"]: row["number"] for row in rows})
