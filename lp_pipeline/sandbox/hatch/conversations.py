"""Generates Hatch's initial contacts and its conversations, reproducible from the seed.

Belongs here: who talks when. Not here: message texts (texts.py), storage and exports (contacts.py, export.py).
"""

import json
import uuid
from datetime import datetime, timedelta
from random import Random

from lp_pipeline.sandbox.hatch import texts
from lp_pipeline.sandbox.hatch.contacts import ORGANIZATION, WORKSPACE, Contact, add_row, enter, iso
from lp_pipeline.sandbox.world.stamps import Record, id_of, value_of
from lp_pipeline.sandbox.world.store import World

KNOWN = 300  # initial contacts: LP's most recently changed prospects
STRANGERS = 12  # contacts that LP does not have
USERS = 5
DAYS, A_DAY = 14, 20
EVERY = 5  # one item every 5 events (events come once a minute)


def begin(world: World, now: datetime) -> None:
    """Create contacts from LP's prospects and some strangers, with two weeks of conversations up to now."""
    if not world.fact("population"):
        return
    rng = Random(f"{world.fact('seed')}:hatch")
    people = [*_prospects(world, rng), *_strangers(world)]
    for place, contact in enumerate(people):
        enter(world, contact, now - timedelta(days=rng.uniform(2, DAYS)), place)
    world.keep("talkers", len(people))
    for number, ago in enumerate(sorted((rng.random() for _ in range(DAYS * A_DAY)), reverse=True)):
        _say(world, number - DAYS * A_DAY, now - timedelta(days=DAYS) * ago)


def go_on(world: World, number: int, moment: datetime) -> None:
    """Add a conversation item at every fifth event."""
    if number % EVERY == 0:
        _say(world, number, moment)


def _prospects(world: World, rng: Random) -> list[Contact]:
    """Prospects with a phone or email; one that shares either with an earlier contact is skipped."""
    found = world.select(
        "select record from prospects join (select cst_id, max(stamp) as latest from stamps group by cst_id) "
        "using (cst_id) where made order by latest desc, number limit ?",
        (2 * KNOWN,),
    )
    people: list[Contact] = []
    taken: set[str] = set()
    for (text,) in found:
        record: Record = json.loads(text)
        phone = "".join(filter(str.isdecimal, value_of(record, "phone1") or "")) or None
        email, cst_id = value_of(record, "email") or None, id_of(record, "cst_id")
        points = {point for point in (phone, email) if point}
        if points and not points & taken:
            taken |= points
            external = cst_id if rng.random() < 0.8 else None
            people.append(Contact(_id(world, f"contact:{cst_id}"), external, phone, email))
    return people[:KNOWN]


def _strangers(world: World) -> list[Contact]:
    return [
        Contact(_id(world, f"stranger:{place}"), None, f"91455501{place:02}", f"stranger{place}@example.com")
        for place in range(STRANGERS)
    ]


def _say(world: World, number: int, moment: datetime) -> None:
    talkers = world.fact("talkers", 0)
    if not talkers:
        return
    rng = Random(f"{world.fact('seed')}:talk:{number}")
    first = talkers - STRANGERS if rng.random() < 0.05 else 0
    place = rng.randrange(first, talkers)
    contact_id = world.select("select id from contacts where place = ?", (place,))[0][0]
    said = rng.choice(texts.KINDS)(rng)
    actors = {"contact": contact_id, "hatch_user": _id(world, f"user:{rng.randrange(USERS)}")}
    row = {
        **ORGANIZATION,
        **WORKSPACE,
        "id": _id(world, f"item:{number}"),
        "conversation_id": _id(world, f"conversation:{place}:{said['category']}"),
        "contact_id": contact_id,
        "actor_id": actors.get(said["actor_type"], _id(world, "agent")),
        "duration": None,
        "recording_url": None,
        **said,
        "occurred_at": iso(moment),
    }
    add_row(world, "conversation_items", row, moment)


def _id(world: World, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{world.fact('seed')}:{name}"))
