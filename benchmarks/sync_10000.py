"""Seconds a sync of many changed prospects takes, by stage: python benchmarks/sync_10000.py [records] [page size]."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lp_pipeline.extract.feed_reader import FeedReport
from lp_pipeline.runs.steps import publish_changes, read_feed
from lp_pipeline.transform.merge import merge, stage
from lp_pipeline_tests.account import Account, account
from lp_pipeline_tests.scenario import lead, prospect


def main(records: int, page_size: int) -> None:
    """Read, stage, merge and publish `records` prospects of two leads each; then once more with 1 % changed."""
    with tempfile.TemporaryDirectory() as folder, account(Path(folder)) as opened:
        opened.environ["LP_PAGE_SIZE"] = str(page_size)
        fill(opened, range(records))
        print(f"{records:,} prospects in pages of {page_size}")
        measure(opened)
        opened.later()
        fill(opened, range(0, records, 100))
        print("1 % of them again, changed")
        measure(opened)


def fill(opened: Account, numbers: range) -> None:
    """Put prospects that changed five minutes ago."""
    stamp = opened.wall(minutes=5)
    filler = "x" * 600
    with opened.lp.open() as world, world.writing():
        for number in numbers:
            leads = [lead(f"{number}{place}", lastchangedon=stamp, dateentered=stamp) for place in range(2)]
            world.put(json.dumps(prospect(str(number), *leads, lastchanged=stamp, remark=filler)))


def measure(opened: Account) -> None:
    """Print the seconds of each stage."""
    with opened.connections() as connections:
        reports: list[FeedReport] = []

        def read(feed: str) -> None:
            reports.append(read_feed(connections, feed, warn=print, info=print))

        for feed in ("leads", "prospects"):
            timed(f"read {feed}", partial(read, feed))
        timed("stage", lambda: stage(connections.warehouse, connections.settings))
        timed("merge", lambda: merge(connections.warehouse, connections.settings, connections.sync_id))
        timed("publish", lambda: publish_changes(connections, force=True))
        print({report.feed: (report.pages, report.readings, report.outcomes) for report in reports})


def timed(name: str, work: Callable[[], object]) -> None:
    """Do the work and print how long it took."""
    began = time.perf_counter()
    work()
    print(f"  {name:8} {time.perf_counter() - began:6.2f} s")


if __name__ == "__main__":
    main(*(int(value) for value in (*sys.argv[1:], "10000", "25")[:2]))
