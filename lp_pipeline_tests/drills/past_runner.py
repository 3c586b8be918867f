"""One backfill or sweep in its own process, without Dagster around it, so that a drill can kill it."""

import sys
from datetime import date
from uuid import uuid4

from lp_pipeline.runs.backfill import backfill
from lp_pipeline.runs.run import Pipeline
from lp_pipeline.runs.sweep import sweep

PACE = 0.02


def ignore(_message: str) -> None:
    """Nobody listens."""


def main() -> None:
    """`backfill FIRST LAST`, or `sweep`."""
    job, *days = sys.argv[1:]
    pipeline = Pipeline(str(uuid4()), pace=PACE)
    try:
        if job == "sweep":
            sweep(pipeline, full=False, warn=ignore, info=ignore)
        else:
            first, last = map(date.fromisoformat, days)
            backfill(pipeline, first, last, warn=ignore, info=ignore)
    finally:
        pipeline.close()


if __name__ == "__main__":
    main()
