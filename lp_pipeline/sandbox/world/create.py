"""How a world comes to be, is completed, and is known to be whole.

Belongs here: the file as such. Not here: what is in it (store.py, seed.py).
"""

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from lp_pipeline.sandbox.world.store import World


def create(path: Path, fill: Callable[[World], None]) -> None:
    """Make a world beside its place, then link it there whole: nobody ever opens a half-made one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sandbox-", dir=path.parent) as scratch:
        draft = Path(scratch) / path.name
        draft.touch(mode=0o600)
        with World(draft) as world:
            world.prepare(fill)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return  # another process was quicker, and its world counts


def opened(path: Path, fill: Callable[[World], None], complete: Callable[[World], None]) -> World:
    """A connection to the world, which is made if there is none, and completed if it is of an older version."""
    if not path.exists():
        create(path, fill)
    world = World(path)
    try:
        if not world.complete:
            world.prepare(complete)
    except BaseException:
        world.close()
        raise
    return world


def check(world: World) -> None:
    """Raise sqlite3.DatabaseError if the file is damaged or was emptied, rather than fail on some request later."""
    world.zone  # noqa: B018 (raises if the world does not know it)
    if world.select("pragma quick_check(1)") != [("ok",)]:
        raise sqlite3.DatabaseError("database disk image is malformed")
