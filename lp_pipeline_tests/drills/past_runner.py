"""One backfill in a process of its own, without Dagster around it, so that a drill can kill it."""

import sys
from datetime import date
from uuid import uuid4

from lp_pipeline.history import backfill
from lp_pipeline.pipeline import Pipeline

PACE = 0.02


def main() -> None:
    """Read from the first day to the last one, as given."""
    first, last = map(date.fromisoformat, sys.argv[1:3])
    pipeline = Pipeline(str(uuid4()), pace=PACE)
    try:
        backfill(pipeline, first, last, warn=lambda _: None, info=lambda _: None)
    finally:
        pipeline.close()


if __name__ == "__main__":
    main()
