"""One backfill or sweep in its own process, without Dagster around it, so that a drill can kill it."""

import sys
from datetime import date
from uuid import uuid4

from lp_pipeline.runs.backfill import backfill
from lp_pipeline.runs.connections import Connections
from lp_pipeline.runs.sweep import sweep

PACE = 0.02


def ignore(_message: str) -> None:
    """Nobody listens."""


def main() -> None:
    """`backfill FIRST LAST`, or `sweep`."""
    job, *days = sys.argv[1:]
    with Connections(str(uuid4()), pace=PACE) as connections:
        if job == "sweep":
            sweep(connections, full=False, warn=ignore, info=ignore)
        else:
            first, last = map(date.fromisoformat, days)
            backfill(connections, first, last, warn=ignore, info=ignore)


if __name__ == "__main__":
    main()
