"""Creates, upgrades and checks the sandbox's database file.

Belongs here: the file. Not here: its content (store.py, seed.py).
"""

import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from lp_pipeline.sandbox.world.store import World


def create(path: Path, fill: Callable[[World], None]) -> None:
    """Create the file in a temporary folder, then link it in place: no process ever opens a partial one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".sandbox-", dir=path.parent) as scratch:
        draft = Path(scratch) / path.name
        draft.touch(mode=0o600)
        with World(draft) as world:
            world.prepare(fill)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return  # another process created it first; use that one


def opened(path: Path, fill: Callable[[World], None], complete: Callable[[World], None]) -> World:
    """A connection to the database, which is created if missing and upgraded if it has an older version."""
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
    """Raise sqlite3.DatabaseError if the file is damaged or empty, instead of failing on a later request."""
    world.zone  # noqa: B018 (raises if the file has no zone)
    if world.select("pragma quick_check(1)") != [("ok",)]:
        raise sqlite3.DatabaseError("database disk image is malformed")
