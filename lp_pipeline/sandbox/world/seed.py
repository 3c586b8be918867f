"""Generates the initial data: two years of prospects, about 40% of them with recent activity.

Belongs here: the initial prospects and their history. Not here: later changes (events.py).
"""

import json
from bisect import bisect
from datetime import datetime, timedelta
from random import Random

from lp_pipeline.sandbox.world.people import DISPOSITIONS, JOB_STATES, Maker, rows
from lp_pipeline.sandbox.world.quirks import make_odd
from lp_pipeline.sandbox.world.stamps import JOB, Record
from lp_pipeline.sandbox.world.store import World

YEARS, LATELY = timedelta(days=730), timedelta(days=30)
FIRST_IDS = {"prospect": 300_000, "lead": 500_000, "appointment": 700_000, "job": 7_000, "note": 880_000}
LEADS_EACH = (0.12, 0.70, 0.88, 0.96)  # chances of at most 0, 1, 2, 3, 4 leads


def populate(world: World, created: datetime) -> None:
    """Fill a new database; ids increase with the date a prospect was added."""
    population, seed = world.fact("population"), world.fact("seed")
    numbers, shared = dict(FIRST_IDS), None
    for place in range(population):
        maker = Maker(Random(f"{seed}:{place}"), world.zone, numbers)
        added = created - YEARS * (1 - (place + maker.rng.random()) / population)
        record, hidden = _one_life(maker, added, created)
        if place % 100 == 50 and shared is not None:
            record["leads"] = [*rows(record, "leads"), shared]  # one lead under two prospects
        shared = next(iter(rows(record, "leads")), shared)
        make_odd(record, place)
        world.store(json.dumps(record, ensure_ascii=False), made=True, hidden=hidden)
    world.keep("numbers", numbers)


def _one_life(maker: Maker, added: datetime, created: datetime) -> tuple[Record, list[tuple[int, str]]]:
    """One prospect with its history; about one in three has recent activity."""
    rng = maker.rng
    lately = max(added, created - LATELY)
    last = rng.uniform(0, 1)
    if rng.random() < 0.35 or added > created - LATELY:
        latest = lately + (created - lately) * last
    else:
        latest = added + (created - LATELY - added) * last
    record = maker.prospect(added)
    count = bisect(LEADS_EACH, rng.random())
    moments = sorted(added + (latest - added) * rng.random() ** 2 for _ in range(count))
    for index, moment in enumerate(moments):
        entered = added if index == 0 else moment
        _one_lead(maker, maker.lead(record, entered), entered, latest if index == count - 1 else moment)
    hidden = _last_change(maker, record, latest)
    if rng.random() < 0.3:
        maker.note(record, latest)
    if created - latest < timedelta(days=7):
        maker.call(record, latest)
    return record, hidden


def _one_lead(maker: Maker, lead: Record, entered: datetime, until: datetime) -> None:
    rng, fate = maker.rng, maker.rng.random()
    middle = entered + (until - entered) * rng.random()
    if fate < 0.65:
        maker.appointment(lead, middle)
        lead["disposition"] = rng.choice(DISPOSITIONS[1:])
        lead["appointments"][-1]["disposition"] = lead["disposition"]
    if fate < 0.2:
        maker.job(lead, middle)
        lead["jobs"][-1]["jobstatus"] = rng.choice(JOB_STATES)
    if rng.random() < 0.1:
        maker.note(lead, middle)
    lead["lastchangedon"] = maker.stamp(middle)


def _last_change(maker: Maker, record: Record, moment: datetime) -> list[tuple[int, str]]:
    """Stamp the latest change; returns the stamps that LP has but does not show."""
    rng, stamp = maker.rng, maker.stamp(moment)
    leads = rows(record, "leads")
    if not leads or rng.random() < 0.15:
        record["lastchanged"] = stamp
        return []
    lead = leads[-1]
    if lead["jobs"] and rng.random() < 0.5:
        return [(JOB, stamp)]
    lead["lastchangedon"] = stamp
    if lead["appointments"] and rng.random() < 0.5:
        lead["appointments"][-1]["lastchangedon"] = stamp
    if rng.random() < 0.5:
        record["lastchanged"] = stamp
    return []
