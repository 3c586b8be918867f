"""Calls whose response is lost: calls executed later, and random failures of writes (the switch `lossy`).

Belongs here: postponed calls, stored on disk so that any process can execute them; the random choice. Not here: queued
faults (faults.py, world/store.py).
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from lp_pipeline.sandbox.faults import Fault
from lp_pipeline.sandbox.leadperfection.writes import ACTIONS
from lp_pipeline.sandbox.request import Call
from lp_pipeline.sandbox.world.store import World

FATES = ("refuse", "lost", "late")


def put_off(world: World, call: Call, instant: datetime, seconds: float) -> None:
    """Execute a call this many seconds after `instant`, even if its client has disconnected."""
    world.run(
        "insert into late (due, really_due, method, target, authorization, content_type, body) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        (
            *(instant.timestamp() + seconds, time.time() + seconds),
            *(call.method, call.target, call.authorization, call.content_type, call.body),
        ),
    )


def carry_out(world: World, instant: datetime, answer: Callable[[Call, datetime], object]) -> None:
    """Execute every call that is due by the sandbox's clock or, in case that one is frozen, by this machine's."""
    if not world.select("select 1 from late limit 1"):
        return
    with world.writing():
        found = world.select(
            "select id, due, method, target, authorization, content_type, body from late "
            "where due <= ? or really_due <= ? order by due, id",
            (instant.timestamp(), time.time()),
        )
        for number, due, *call in found:
            world.run("delete from late where id = ?", (number,))
            answer(Call(*call), min(instant, datetime.fromtimestamp(due, UTC)))


def bad_luck(world: World, path: str) -> Fault | None:
    """The fault that the switch `lossy` gives this call: one in N writes, from a random sequence stored on disk."""
    if path.lower() not in ACTIONS or not (one_in := world.switches()["lossy"]):
        return None
    with world.writing():
        throw = world.fact("throws", 0) + 1
        world.keep("throws", throw)
    switches = world.switches()
    dice = Random(f"{switches['lossy_seed']}:lossy:{throw}")
    if dice.random() * one_in >= 1:
        return None
    return Fault(dice.choice(FATES), {"seconds": switches["lossy_late_seconds"]})
