"""DuckDB without any file, in UTC: starting it takes longer than most of what is asked of it, so a free one is used
again.

Opening files is for `warehouse` and `published`.
"""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import duckdb

MEMORY = 225  # MB; what takes more goes through a file
THREADS = 1  # more of them save a quarter of a large merge's time, and cost a small sync a quarter more CPU time
USES = 20  # of one DuckDB: after a thousand each statement takes a third longer
ROOM = 2_000  # MB, for what can't be cut in pieces: a single record of 20 MB takes more than one

_free: list[duckdb.DuckDBPyConnection] = []
_given_back = count(1)


@contextmanager
def engine(spill: Path | None = None, memory: int = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """One that nobody else uses meanwhile; `spill` is the folder for what doesn't fit into `memory` (MB).

    Whoever attaches a file to it detaches it before the block ends; after an error it is closed, and with it whatever
    it had open.
    """
    started = start(spill, memory)
    try:
        yield started
    except BaseException:
        started.close()
        raise
    give_back(started, spill)


def start(spill: Path | None = None, memory: int = MEMORY) -> duckdb.DuckDBPyConnection:
    """The same without a block's end, for `give_back` or to be closed."""
    while _free:
        started = _free.pop()
        try:
            started.execute(f"set memory_limit = '{memory}MB'")
            if spill is not None:
                started.execute("set temp_directory = '{}'".format(str(spill).replace("'", "''")))
        except duckdb.Error:  # one that has used a folder can't have another one
            started.close()
        else:
            return started
    config = {"memory_limit": f"{memory}MB", "threads": str(THREADS)}
    started = duckdb.connect(config={**config, **({"temp_directory": str(spill)} if spill else {})})
    started.execute("set global timezone = 'UTC'")
    started.execute("pragma disable_checkpoint_on_shutdown")  # whoever attaches a file decides when that is worth it
    return started


def give_back(started: duckdb.DuckDBPyConnection, spill: Path | None = None) -> None:
    """Leave one to the next user, with nothing attached any more."""
    used = spill and spill.exists()  # closing clears it
    if used or next(_given_back) % USES == 0:
        started.close()
    else:
        _free.append(started)


@atexit.register
def _close() -> None:
    while _free:
        _free.pop().close()
