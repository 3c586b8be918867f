"""The services of `deploy/systemd/` on a real PostgreSQL, started by their units' commands (SPEC R1, R4)."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from lp_pipeline.orchestration.heartbeat import SCHEDULE
from lp_pipeline.storage.locks import Turn
from lp_pipeline_tests.account import account_of
from lp_pipeline_tests.communications.inbox_process import HEADERS, INBOX, SECRET
from lp_pipeline_tests.deploy.units import SERVICES, Host, Unit
from lp_pipeline_tests.drills.deployment import until
from lp_pipeline_tests.drills.drill import Drill
from lp_pipeline_tests.postgres import Postgres, postgres
from lp_pipeline_tests.scenario import lead, prospect

LP_PASSWORD = "p4ssw0rd-of-leadperfection"
LOCATION, REPOSITORY_NAME = "lp_pipeline.definitions", "__repository__"
LAUNCH = """
mutation($job: String!, $location: String!, $repository: String!) {
  launchRun(executionParams: {mode: "default", selector:
    {jobName: $job, repositoryLocationName: $location, repositoryName: $repository}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUN = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
TICK = """
mutation($location: String!, $repository: String!, $schedule: String!, $at: Float!) {
  scheduleDryRun(timestamp: $at, selectorData:
    {scheduleName: $schedule, repositoryLocationName: $location, repositoryName: $repository}) {
    __typename ... on DryRunInstigationTick { evaluationResult {
      skipReason runRequests { tags { key } } error { message } } } ... on PythonError { message } } }"""


class Site:
    """A deployment: the services, the account whose settings they have, and its web server."""

    def __init__(self, host: Host, account: Drill) -> None:
        self.host, self.account = host, account
        self.units: dict[str, Unit] = {}

    def ask(self, query: str, **variables: Any) -> Any:
        """The answer of the web server, as the UI asks it."""
        where = {"location": LOCATION, "repository": REPOSITORY_NAME}
        body = {"query": query, "variables": {**where, **variables}}
        answer = httpx.post(f"{self.host.address('3000')}/graphql", json=body, timeout=60).json()
        assert "errors" not in answer, answer
        (found,) = answer["data"].values()
        return found

    def launch(self, job: str, tries: int = 1) -> str:
        """Start a job, as the UI's button does; its run id."""
        launched = [self.ask(LAUNCH, job=job)]
        while launched[-1]["__typename"] != "LaunchRunSuccess" and len(launched) < tries:
            launched.append(self.ask(LAUNCH, job=job))
        assert launched[-1]["__typename"] == "LaunchRunSuccess", launched
        return str(launched[-1]["run"]["runId"])

    def status(self, run_id: str) -> str:
        return str(self.ask(RUN, id=run_id)["status"])

    def somebody_new(self, number: int) -> None:
        """LeadPerfection has one more prospect."""
        self.account.now = datetime.now(UTC)
        stamp = self.account.wall()
        self.account.lp.put(prospect(str(number), lead(f"{number}0", lastchangedon=stamp), lastchanged=stamp))

    def say(self, identity: str) -> None:
        """A text reaches the inbox."""
        moment = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
        text = {"id": identity, "external_contact_id": "1", "body": "Hello", "occurred_at": moment, "category": "sms"}
        answer = httpx.post(f"{self.host.address('8766')}/communications", json=text, headers=HEADERS, timeout=30)
        assert answer.status_code == 202, answer.text


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A PostgreSQL for this test."""
    with postgres() as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, database: Postgres) -> Iterator[Site]:
    """The services as they start on a host, in order; each has to be healthy before the next one is started."""
    with ExitStack() as stack:
        run = Path(tempfile.mkdtemp(prefix="lp-run-", dir="/tmp"))  # a socket's path is at most 107 characters long
        stack.callback(shutil.rmtree, run)
        host = Host(tmp_path, run, database.environ)
        account = stack.enter_context(account_of(Drill, host.state))
        account.environ |= {**INBOX, "LP_PASSWORD": LP_PASSWORD, "LP_RATE_PER_MINUTE": "6000"}
        account.lp.switch(password=LP_PASSWORD)
        account.begin(300)
        account.lp.clock = lambda: datetime.now(UTC)
        lines = {name: value for name, value in account.environ.items() if name != "LP_PIPELINE_DATA"}
        host.settings.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        host.settings.chmod(0o600)
        site = Site(host, account)
        for name in SERVICES:
            site.units[name] = host.start(name)
            stack.callback(site.units[name].kill)
        yield site


@pytest.mark.slow
def test_a_deployment_works_survives_and_ends(site: Site, database: Postgres) -> None:
    """R1: a sync from the UI, a schedule's tick, PostgreSQL restarted under it, a killed run that monitoring ends, a
    text that the sensor pushes; SIGTERM ends all of it. R4: files are the user's alone, and no log has a secret."""
    host, account = site.host, site.account
    site.somebody_new(500)
    first = site.launch("sync")
    until(lambda: site.status(first) == "SUCCESS", f"the sync does not succeed\n{host.logs()}")
    assert account.published("select count(*) from opportunities where external_contact_id = '500'") == [(1,)]
    tick = site.ask(TICK, schedule=SCHEDULE, at=time.time())
    assert tick["evaluationResult"]["error"] is None, tick
    assert len(tick["evaluationResult"]["runRequests"]) == 1, tick

    database.stop()
    database.start()
    gate = Event()
    account.lp.before_request = lambda *_: until(gate.is_set, "nobody opens the gate")
    killed = site.launch("sync", tries=5)  # the web server notices a lost connection when it uses it
    until(Turn(account.folder).is_taken, f"no sync begins after a restart\n{host.logs()}")
    os.kill(_process_of(site, killed), signal.SIGKILL)
    gate.set()
    until(lambda: site.status(killed) == "FAILURE", "a killed run is never ended")

    site.say("one")
    until(lambda: any("[hatch:one]" in note for _, note in account.lp.all_notes()), "no push writes the note")
    host.run("/opt/lp-pipeline/venv/bin/lp-pipeline health daemon", site.units["daemon"].environ)

    under_way = "select count(*) from runs where status in ('QUEUED', 'STARTING', 'STARTED')"
    until(lambda: database.ask(under_way) == [(0,)], "the push does not end")
    for name in reversed(SERVICES):
        site.units[name].stop()
    assert {name: unit.processes() for name, unit in site.units.items() if unit.processes()} == {}
    files = [
        path for path in host.state.rglob("*") if path.is_file() and not path.is_symlink() and "lp" not in path.parts
    ]
    assert [path.name for path in files if path.suffix == ".db"] == []
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
    written = host.logs() + database.log() + "".join(path.read_text(errors="replace") for path in files)
    assert [secret for secret in (database.password, LP_PASSWORD, SECRET) if secret in written] == []


def _process_of(site: Site, run_id: str) -> int:
    """The process that executes a run: it holds the file that shows that the run lives."""
    inode = (site.host.state / "dagster" / "alive" / run_id).stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].rpartition(":")[2] == str(inode):
            return int(fields[4])
    raise AssertionError("nobody holds the run's file")
