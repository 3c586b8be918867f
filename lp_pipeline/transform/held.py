"""Accepting or dropping opportunities that the identity guard holds (SPEC M9). The rules are in SQL."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import uuid4

from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import open_warehouse
from lp_pipeline.storage.locks import Turn
from lp_pipeline.storage.publish import note_unpublished
from lp_pipeline.storage.record_keys import keep_older_keys
from lp_pipeline.storage.sync_log import record_sync
from lp_pipeline.storage.warehouse import bound, run, set_variables
from lp_pipeline.transform.merge import Step, When, run_steps, variables

Verdict = Literal["accept", "drop"]
ACCEPTING: tuple[Step, ...] = (
    *("merge/accept_held", "merge/known_opportunities", keep_older_keys, "staging/current_records"),
    *("merge/changes", "merge/opportunities"),
    *("merge/listed_now", When("merge/has_elsewhere", ("merge/moved",)), "merge/gone", "merge/note_gone"),
    *(When("merge/is_delivering", ("merge/due_deliveries",)), "merge/unstage"),
)


def settle_held(settings: Settings, verdict: Verdict, contact_ids: Sequence[str]) -> list[str]:
    """Accept or drop what is held, of these contacts or of all; the contact id of each opportunity that was."""
    with (
        Turn(settings.data, who="`lp-pipeline held`"),
        open_warehouse(settings).transaction(variables(settings)) as connection,
    ):
        bound(connection, "held/choose", {"ids": list(contact_ids)})
        set_variables(connection, {"sync_id": record_sync(connection, settings, f"held {verdict} {uuid4()}")})
        found = _accept(connection) if verdict == "accept" else run(connection, "merge/drop_held")
        note_unpublished(connection)
    return [row[0] for row in found]


def _accept(connection: Any) -> list[Any]:
    run_steps(connection, ACCEPTING)
    return run(connection, "merge/accepted")
