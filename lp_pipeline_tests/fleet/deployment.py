"""A fleet for tests: PostgreSQL, Redis and Celery workers of several shards on this machine, started here and ended by
their process ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

from lp_pipeline.orchestration.build import build_account_definitions
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.account import Account
from lp_pipeline_tests.drills.deployment import below, free_port, until
from lp_pipeline_tests.postgres import Postgres, postgres

CELERY = [sys.executable, "-m", "celery", "-A", "lp_pipeline.orchestration.fleet_worker", "worker"]
QUIET = ["--concurrency=1", "--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]


class Fleet:
    """The servers, and one worker for each shard. `home` is the one DAGSTER_HOME of all."""

    def __init__(self, folder: Path, database: Postgres) -> None:
        self.folder, self.database, self.home = folder, database, folder / "home"
        self.redis_port = free_port()
        self._redis: subprocess.Popen[bytes] | None = None
        self.chicago: Account  # an account whose LeadPerfection is this test's
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text((REPOSITORY / "deploy/fleet/dagster.yaml").read_text())
        os.environ.update(
            database.environ,
            FLEET_POSTGRES_URL=database.url,
            FLEET_REDIS_URL=f"redis://127.0.0.1:{self.redis_port}/0",
            DAGSTER_HOME=str(self.home),
        )

    def start_redis(self) -> None:
        """Start Redis, which keeps nothing on disk."""
        command = ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]
        with (self.folder / "redis.log").open("ab") as log:
            self._redis = subprocess.Popen(command, stdout=log, stderr=log)

    def stop_redis(self) -> None:
        """End it; what waits in it is lost."""
        if self._redis:
            self._redis.kill()
            self._redis.wait()

    def start_worker(self, shard: str) -> None:
        """Start a worker of a shard, with one slot, and wait until it is ready."""
        with (self.folder / f"{shard}.log").open("ab") as log:
            command = [*CELERY, *QUIET, "-Q", shard, "-n", f"{shard}@%h"]
            self.workers[shard] = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)
        until(lambda: bool(self.children(shard)), f"the worker of {shard} never starts: {self.log(shard)}", patience=90)

    def children(self, shard: str) -> list[int]:
        """The processes in which the worker does runs."""
        return [pid for pid in below(self.workers[shard].pid) if pid != self.workers[shard].pid]

    def log(self, name: str) -> str:
        """What a worker wrote."""
        path = self.folder / f"{name}.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def launch(self, instance: dg.DagsterInstance, account: str, job: str = "sync") -> str:
        """Launch a run of an account; its id."""
        pointer = ModuleCodePointer("lp_pipeline.definitions", "definitions", str(REPOSITORY))
        origin = JobPythonOrigin(job, RepositoryPythonOrigin(sys.executable, pointer))
        run = instance.create_run_for_job(
            build_account_definitions().resolve_job_def(job),
            tags={PARTITION: account},
            job_code_origin=origin,
            status=dg.DagsterRunStatus.NOT_STARTED,
        )
        instance.launch_run(run.run_id, None)  # type: ignore[arg-type]
        return run.run_id

    def stop(self) -> None:
        """End all that was started here."""
        for process in self.workers.values():
            for pid in below(process.pid) if process.poll() is None else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()
        self.stop_redis()


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """A fleet without workers yet."""
    with ExitStack() as stack:
        opened = Fleet(folder, stack.enter_context(postgres()))
        stack.callback(opened.stop)
        opened.start_redis()
        yield opened
