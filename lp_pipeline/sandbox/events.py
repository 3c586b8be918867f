"""Changes the sandbox's data over time: one event per minute, reproducible from the seed.

Belongs here: when events are due and what each changes. Not here: the fields of new records (world/people.py), the
initial state (world/seed.py).
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from lp_pipeline.sandbox.hatch import conversations
from lp_pipeline.sandbox.world.people import DISPOSITIONS, JOB_STATES, STAFF, STREETS, Maker, rows
from lp_pipeline.sandbox.world.seed import FIRST_IDS
from lp_pipeline.sandbox.world.stamps import ISSUED, JOB, Record, wall
from lp_pipeline.sandbox.world.store import World

EVERY = timedelta(minutes=1)
AT_ONCE = 5_000  # after a longer gap only this many events are generated, spread evenly
Hidden = list[tuple[int, str]]
Change = Callable[[Maker, Record, datetime], Hidden]


def due(created: datetime, seed: int, number: int) -> datetime:
    """When an event happens: at a random time within its minute. Numbers start at 1."""
    return created + EVERY * (number - 1 + Random(f"{seed}:due:{number}").random())


def advance(world: World, now: datetime) -> int:
    """Apply the due events that are not applied yet; returns how many."""
    created, seed = datetime.fromisoformat(world.fact("created")), world.fact("seed")
    latest = int((now - created) / EVERY) + 1 if now >= created else 0
    if latest and due(created, seed, latest) > now:
        latest -= 1
    if latest <= world.fact("events"):
        return 0
    with world.writing():
        done = world.fact("events")  # another process may have applied them meanwhile
        if latest <= done:
            return 0
        world.keep("events", latest)
        switches = world.switches()
        if not switches["events"] or not world.fact("population"):
            return 0
        numbers, skew = world.fact("numbers"), timedelta(seconds=switches["clock_skew_seconds"])
        chosen = _chosen(seed, done + 1, latest)
        for number in chosen:
            maker = Maker(Random(f"{seed}:event:{number}"), world.zone, numbers)
            moment = due(created, seed, number)
            _happen(world, maker, number, moment + skew)
            conversations.go_on(world, number, moment)
        world.keep("numbers", numbers)
        return len(chosen)


def _chosen(seed: int, first: int, last: int) -> list[int]:
    total = last - first + 1
    if total <= AT_ONCE:
        return list(range(first, last + 1))
    rng, edges = Random(f"{seed}:gap:{first}:{last}"), [first + total * part // AT_ONCE for part in range(AT_ONCE + 1)]
    return [rng.randrange(low, high) for low, high in pairwise(edges)]


def _happen(world: World, maker: Maker, number: int, moment: datetime) -> None:
    if number % 15 == 0:  # at most one unstamped change per 15 minutes; the others are stamped
        change: Change = _address_fix if number % 30 else _call_result
    else:
        change = maker.rng.choice(STAMPED)
    record = None if change in NEW else _somebody(world, maker, with_lead=change in OF_A_LEAD)
    if record is None:
        while world.find(str(maker.numbers["prospect"] + 1)):  # a test may have put a record there
            maker.numbers["prospect"] += 1
        record, change = maker.prospect(moment), change if change in NEW else _first_lead
    hidden = change(maker, record, moment)
    world.store(json.dumps(record, ensure_ascii=False), made=True, hidden=hidden)


def _somebody(world: World, maker: Maker, *, with_lead: bool) -> Record | None:
    """A generated prospect, preferably a recent one; records added by `put` are never changed."""
    first, last = FIRST_IDS["prospect"] + 1, maker.numbers["prospect"]
    for _ in range(50):
        row = world.find(str(max(maker.rng.randint(first, last), maker.rng.randint(first, last))))
        if row is None or not row.made:
            continue
        record: Record = json.loads(row.text)
        if not with_lead or rows(record, "leads"):
            return record
    return None


def _first_lead(maker: Maker, record: Record, moment: datetime) -> Hidden:
    lead = maker.lead(record, moment)
    if maker.rng.random() < 0.4:
        maker.appointment(lead, moment)
    return []


def _no_lead(_maker: Maker, _record: Record, _moment: datetime) -> Hidden:
    return []


def _another_lead(maker: Maker, record: Record, moment: datetime) -> Hidden:
    maker.lead(record, moment)
    return []


def _disposition(maker: Maker, record: Record, moment: datetime) -> Hidden:
    lead = _touched(maker, record, moment)
    lead["disposition"] = maker.rng.choice([name for name in DISPOSITIONS if name != lead.get("disposition")])
    return []


def _appointment(maker: Maker, record: Record, moment: datetime) -> Hidden:
    lead = _touched(maker, record, moment)
    kept = rows(lead, "appointments")
    if not kept or maker.rng.random() < 0.5:
        maker.appointment(lead, moment)
        return []
    kept[-1].update(disposition=maker.rng.choice(("Confirmed", "Issued", "Reset")), lastchangedon=maker.stamp(moment))
    lead["disposition"] = kept[-1]["disposition"]
    return []


def _issued(maker: Maker, record: Record, moment: datetime) -> Hidden:
    """Change the salesperson: LP knows when, but the record does not show it."""
    lead = rows(record, "leads")[-1]
    lead["salesrepname"] = maker.rng.choice([name for name in STAFF if name != lead.get("salesrepname")])
    return [(ISSUED, maker.stamp(moment))]


def _job(maker: Maker, record: Record, moment: datetime) -> Hidden:
    """Create a job or change its status; a job has no stamp of its own."""
    lead = rows(record, "leads")[-1]
    jobs = rows(lead, "jobs")
    if not jobs:
        maker.job(_touched(maker, record, moment), moment)
        return []
    jobs[-1]["jobstatus"] = maker.rng.choice([state for state in JOB_STATES if state != jobs[-1]["jobstatus"]])
    return [(JOB, maker.stamp(moment))]


def _own_fields(maker: Maker, record: Record, moment: datetime) -> Hidden:
    digits = "".join(filter(str.isdecimal, record.get("phone1") or "518"))
    record["phone2"] = f"({digits[:3]})555-01{maker.rng.randrange(100):02}"
    record["emailoptout"] = "false" if record.get("emailoptout") == "true" else "true"
    record["lastchanged"] = maker.stamp(moment)
    return []


def _address_fix(maker: Maker, record: Record, _moment: datetime) -> Hidden:
    record["address1"] = f"{maker.rng.randrange(1, 400)} {maker.rng.choice(STREETS)}"
    return []


def _call_result(maker: Maker, record: Record, moment: datetime) -> Hidden:
    maker.call(record, moment)
    week_ago = wall(moment - timedelta(days=7), maker.zone, 0)
    record["calls"] = [call for call in record["calls"] if call["calldatetime"] >= week_ago]
    return []


def _touched(maker: Maker, record: Record, moment: datetime) -> Record:
    """Stamp and return the latest lead; the prospect's own stamp changes too in half of the cases."""
    lead = rows(record, "leads")[-1]
    lead["lastchangedon"] = maker.stamp(moment)
    if maker.rng.random() < 0.5:
        record["lastchanged"] = maker.stamp(moment)
    return lead


NEW: tuple[Change, ...] = (_first_lead, _no_lead)
OF_A_LEAD: tuple[Change, ...] = (_disposition, _appointment, _issued, _job)
STAMPED: tuple[Change, ...] = (
    *(_disposition, _disposition, _disposition, _disposition),
    *(_appointment, _appointment, _appointment),
    *(_first_lead, _first_lead, _another_lead, _another_lead),
    *(_job, _job, _issued, _own_fields, _own_fields, _no_lead),
)
