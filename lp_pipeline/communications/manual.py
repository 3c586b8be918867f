"""Settling pushes by hand (SPEC E3), and `lp-pipeline recovered` after an older copy of the data folder was restored
(R5): what may have been sent is looked up first, see `reconcile`. Listing them: `review`. Nothing is sent here.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lp_pipeline.communications.ledger import REALLY_RECOVERED_AT, RECOVERED_AT
from lp_pipeline.communications.matching import is_read
from lp_pipeline.communications.open_push import NOT_SENT, OPEN, Key
from lp_pipeline.communications.targets import TARGETS, targets_on
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.locks import push_turn
from lp_pipeline.storage.outbox import Outbox, iso, run

HELD = ("uncertain", "unmatched", "failed")
VERDICTS = {"sent": ("sent", "by_hand"), "again": ("pending", "by_hand"), "drop": ("skipped", "dropped")}
Verdict = Literal["sent", "again", "drop"]


@dataclass(frozen=True)
class Choice:
    """Which pushes are selected; an empty criterion matches all."""

    communication_ids: Sequence[str] = ()
    target: str | None = None
    state: str | None = None
    reason: str | None = None
    since: datetime | None = None


def settle(outbox: Outbox, settings: Settings, verdict: Verdict, choice: Choice) -> list[Key]:
    """Settle the selected pushes, and return them: communication id and target. Raises `SettingsError`.

    `sent`: LeadPerfection already has it. `again`: push it (again), also if it was skipped; what was sent is left
    alone, and so are targets that are off, if only ids are given. `drop`: never push it.
    """
    if not (choice.communication_ids or choice.state or choice.reason):
        raise SettingsError("Select the pushes to change: give communication ids, --state or --reason.")
    if choice.state and choice.state not in NOT_SENT:
        raise SettingsError(
            f"Pushes in state {choice.state} can't be changed by hand. Use --state with one of {', '.join(NOT_SENT)}."
        )
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
    with outbox.transaction() as connection:
        return [(row["communication_id"], row["target"]) for row in run(connection, "settle_by_hand", values)]


def assign(outbox: Outbox, settings: Settings, communication_id: str, external_contact_id: str) -> int:
    """Assign a communication to a prospect, to which its unmatched pushes go; how many there were.

    Raises `SettingsError`, and changes nothing, if the prospect was never read or no push is unmatched.
    """
    if not is_read(outbox, settings, external_contact_id):
        raise SettingsError(
            f"No prospect {external_contact_id} has been read from LeadPerfection. Check the id; if it is correct, "
            "read it first with `lp-pipeline sync` or `lp-pipeline backfill`."
        )
    with outbox.transaction() as connection:
        values = {"communication_id": communication_id, "external_contact_id": external_contact_id}
        if not run(connection, "assign", values):
            raise SettingsError(
                f"Communication {communication_id} has no unmatched pushes; nothing changed. "
                "`lp-pipeline pushes --state unmatched` lists those that do."
            )
    return len(settle(outbox, settings, "again", Choice((communication_id,), state="unmatched")))


def recovered(outbox: Outbox, settings: Settings, since: datetime) -> Counter[str]:
    """Look up what may have been pushed since then before it is sent, also what arrives again later; how many open
    pushes that affects, by target. Waits until a push in progress has ended. Raises `SettingsError`."""
    now = settings.now()
    if since > now:
        raise SettingsError(
            f"{since:%Y-%m-%d %H:%M} is in the future (it is {now.astimezone(settings.zone):%Y-%m-%d %H:%M}); nothing "
            "changed. Give --since the time when the restored copy was made."
        )
    with push_turn(settings):
        return look_first(outbox, settings, since)


def look_first(outbox: Outbox, settings: Settings, since: datetime) -> Counter[str]:
    """The same, for whoever sees to it that no push is in progress."""
    now = settings.now()
    with outbox.transaction() as connection:
        for name, clock in ((RECOVERED_AT, now), (REALLY_RECOVERED_AT, datetime.now(UTC))):
            run(connection, "keep_fact", {"name": name, "value": iso(clock)})
        run(connection, "look_for_known", {"since": iso(since), "until": iso(now)})
        rows = run(connection, "count_pushes_to_look_for")
        return Counter({row["target"]: row["number"] for row in rows})
