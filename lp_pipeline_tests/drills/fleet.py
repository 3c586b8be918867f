"""Twenty accounts on two shards with a daemon, PgBouncer, PostgreSQL, Redis and Celery workers, some of which are wrong
or get killed: all others stay on cadence, nothing is lost or doubled, nothing of one reaches another (SPEC A2 to A4).
"""

import os
import random
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from lp_pipeline_tests.drills.agency import FOREVER, FULL, HANGS, LONG, REFUSED, Agency
from lp_pipeline_tests.drills.deployment import until
from lp_pipeline_tests.drills.often import MINUTES
from lp_pipeline_tests.fleet.branches import branches_of, leaks
from lp_pipeline_tests.fleet.deployment import fleet

BRAKE = 0.5  # seconds that LeadPerfection takes for each answer of the account with the long backfill
DAYS = 400  # of that backfill


def isolated(folder: Path, rng: random.Random, accounts: int = 20, minutes: int = 5) -> tuple[str, list[str]]:
    """The drill: what happened, in a line, and what was wrong."""
    shards = {f"branch-{each:02}": ("east", "west")[each % 2] for each in range(accounts)}
    os.environ[MINUTES] = str(minutes)
    with ExitStack() as stack:
        branches, listener, disk = stack.enter_context(branches_of(folder, shards, FULL))
        agency = stack.enter_context(fleet(folder, Agency))
        branches[REFUSED].lp.switch(refuse_sign_in=True)
        hanging = stack.enter_context(ExitStack())
        hanging.enter_context(branches[HANGS].held(FOREVER))
        branches[LONG].brake = BRAKE
        agency.begin(branches, shards, minutes)
        try:
            if disk:  # not before its first sync, which nobody could remember: what is older, only a backfill reads
                agency.until_synced([FULL], agency.began, "while its disk is not full yet")
                disk.fill()
                branches[FULL].somebody_new()
            events = live(agency, rng)
            branches[REFUSED].lp.switch(refuse_sign_in=False)
            hanging.close()
            if disk:
                disk.free()
            branches[LONG].brake = 0.0
            agency.texts_at_most = 0
            agency.until_synced(shards, datetime.now(UTC), "with all well again")
            until(lambda: not agency.pushes_open(), "pushes stay open", 300)
            until(agency.backfill_is_done, "the backfill does not resume", 600)
            moment = datetime.now(UTC)
            agency.until_synced(shards, moment, "at last")
        except (TimeoutError, AssertionError) as error:
            missed, _ = agency.missed(datetime.now(UTC) - timedelta(minutes=minutes))
            return "", [str(error), *missed, agency.log("daemon"), agency.log("east"), agency.log("west")]
        missed, seconds = agency.missed(moment)
        agency.stop_daemon()
        wrong = missed + [each for one in branches.values() for each in one.wrong()]
        wrong += leaks(branches.values(), agency, listener)
        alerts = {path.split("/")[1] for path, _ in listener.received}
        wrong += [f"no alert of {name}" for name in (REFUSED, *([FULL] if disk else [])) if name not in alerts]
    said = sum(each.said for each in branches.values())
    people = sum(each.people for each in branches.values())
    return (
        f"{accounts} accounts every {minutes} minutes, one refused, one hanging, {'one disk full, ' if disk else ''}"
        f"{events}; {len(seconds)} syncs of the others ended {median(seconds):.0f} s after their tick (median; "
        f"{max(seconds):.0f} at most), {agency.restarts} restarts of the daemon; {people} prospects, {said} texts",
        wrong,
    )


def live(agency: Agency, rng: random.Random) -> str:
    """Everything that is done to it; a summary."""
    agency.until_synced(agency.healthy, agency.began, "at first")
    agency.launch_backfill(LONG, DAYS)
    agency.kill_run("east")
    agency.kill_worker("west")
    agency.restart_redis("east", rng.uniform(1, 5))
    agency.restart_postgres("west", rng.uniform(1, 5))
    if not agency.under_way(f"{agency.shards[LONG]}-long"):
        raise TimeoutError("the backfill is not under way when the workers are stopped")
    took = agency.deploy()
    for name in agency.healthy:
        agency.branches[name].somebody_new()
    agency.until_synced(agency.healthy, datetime.now(UTC), "after the deploy")
    return (
        f"a run killed, a worker killed, Redis and PostgreSQL restarted, all workers stopped in {took:.0f} s and "
        f"started again, {len(agency.lost)} runs lost by that"
    )
