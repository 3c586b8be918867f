"""What a person decides about pushes (SPEC E3): listing and settling those that wait, and `lp-pipeline recovered` after
an older copy of the data folder was restored (R5): what may have been pushed is looked for first, see `reconcile`.
Nothing is sent here.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lp_pipeline.communications.ledger import REALLY_RECOVERED_AT, RECOVERED_AT
from lp_pipeline.communications.targets import TARGETS, targets_on
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.locks import push_turn
from lp_pipeline.storage.outbox import Outbox, Row, iso, run

HELD = ("uncertain", "unmatched", "failed")
OPEN = ("pending", "unmatched", "uncertain", "failed")
NOT_SENT = ("skipped", *OPEN)
VERDICTS = {"sent": ("sent", "by_hand"), "again": ("pending", "by_hand"), "drop": ("skipped", "dropped")}
Verdict = Literal["sent", "again", "drop"]


@dataclass(frozen=True)
class Choice:
    """Which pushes are meant; what is left empty chooses nothing less."""

    communication_ids: Sequence[str] = ()
    target: str | None = None
    state: str | None = None
    reason: str | None = None
    since: datetime | None = None


def held(outbox: Outbox, choice: Choice) -> list[Row]:
    """The pushes that are uncertain, unmatched or failed, or in the state chosen."""
    values = {
        "states": json.dumps([choice.state] if choice.state else HELD),
        "reason": choice.reason,
        "since": iso(choice.since) if choice.since else "",
    }
    return outbox.rows("held_pushes", values)


def settle(outbox: Outbox, settings: Settings, verdict: Verdict, choice: Choice) -> Counter[str]:
    """Carry out a person's word on the pushes chosen; how many that were, by target.

    `sent`: LeadPerfection has it. `again`: push it (again), be it skipped or held; what was sent is left alone, and so
    are targets that are off, if ids are all that is given. `drop`: never push it.
    """
    if not (choice.communication_ids or choice.state or choice.reason):
        raise SettingsError("Say which pushes are meant: give communication ids, or --state or --reason.")
    state, reason = VERDICTS[verdict]
    by_id_alone = not (choice.target or choice.state or choice.reason)
    targets = targets_on(settings) if verdict == "again" and by_id_alone else TARGETS
    values = {
        "state": state,
        "reason": reason,
        "now": iso(settings.now()),
        "ids": json.dumps(list(choice.communication_ids)) if choice.communication_ids else None,
        "targets": json.dumps([choice.target] if choice.target else targets),
        "from_states": json.dumps([choice.state] if choice.state else NOT_SENT if verdict == "again" else OPEN),
        "from_reason": choice.reason,
        "since": iso(choice.since) if choice.since else "",
    }
    if choice.state in ("sent", "sending"):
        raise SettingsError(f"What is {choice.state} can't be settled by hand.")
    with outbox.transaction() as connection:
        return Counter(row["target"] for row in run(connection, "settle_by_hand", values))


def assign(outbox: Outbox, settings: Settings, communication_id: str, external_contact_id: str) -> Counter[str]:
    """Say whose communication it is; its unmatched pushes are pushed there. How many that were."""
    with outbox.transaction() as connection:
        values = {"communication_id": communication_id, "external_contact_id": external_contact_id}
        if not run(connection, "assign", values):
            raise SettingsError(f"No communication has the id {communication_id}.")
    return settle(outbox, settings, "again", Choice((communication_id,), state="unmatched"))


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
