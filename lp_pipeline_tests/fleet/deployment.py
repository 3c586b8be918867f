"""A fleet for tests: PostgreSQL behind PgBouncer, Redis and Celery workers of several shards on this machine, started
here and ended by their process ids."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import dagster as dg
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

from lp_pipeline.orchestration.build import build_account_definitions
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.accounts_file import PREFIXES
from lp_pipeline_tests.drills.deployment import below, free_port, until
from lp_pipeline_tests.fleet.pgbouncer import PgBouncer, pgbouncer
from lp_pipeline_tests.postgres import postgres

CELERY = [sys.executable, "-m", "celery", "-A", "lp_pipeline.orchestration.fleet_worker", "worker"]
QUIET = ["--loglevel=WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]

AFleet = TypeVar("AFleet", bound="Fleet")


class Fleet:
    """The servers, and one worker for each shard. `home` is the one DAGSTER_HOME of all."""

    def __init__(self, folder: Path, pool: PgBouncer) -> None:
        self.folder, self.database, self.home = folder, pool.database, folder / "home"
        self.redis_port = free_port()
        self._redis: subprocess.Popen[bytes] | None = None
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.home.mkdir()
        (self.home / "dagster.yaml").write_text((REPOSITORY / "deploy/fleet/dagster.yaml").read_text())
        os.environ.update(
            pool.environ,
            FLEET_POSTGRES_URL=self.database.url,
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

    def start_worker(self, shard: str, slots: int = 1) -> None:
        """Start a worker of a queue, by default with one slot, and wait until it is ready."""
        with (self.folder / f"{shard}.log").open("ab") as log:
            command = [*CELERY, *QUIET, f"--concurrency={slots}", "-Q", shard, "-n", f"{shard}@%h"]
            self.workers[shard] = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY)
        until(lambda: bool(self.children(shard)), f"the worker of {shard} never starts: {self.log(shard)}", patience=90)

    def children(self, shard: str) -> list[int]:
        """The processes in which the worker does runs."""
        return [pid for pid in below(self.workers[shard].pid) if pid != self.workers[shard].pid]

    def log(self, name: str) -> str:
        """What a worker wrote."""
        path = self.folder / f"{name}.log"
        return path.read_text()[-3000:] if path.exists() else ""

    @staticmethod
    def origin(job: str) -> JobPythonOrigin:
        """Where a worker finds a job."""
        pointer = ModuleCodePointer("lp_pipeline.definitions", "definitions", str(REPOSITORY))
        return JobPythonOrigin(job, RepositoryPythonOrigin(sys.executable, pointer))

    def launch(self, instance: dg.DagsterInstance, account: str, job: str = "sync") -> str:
        """Launch a run of an account; its id."""
        run = instance.create_run_for_job(
            build_account_definitions().resolve_job_def(job),
            tags={PARTITION: account},
            job_code_origin=self.origin(job),
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
def deployment_environ(folder: Path) -> Iterator[None]:
    """This process's environment is a deployment's in that folder, without anybody's settings, until the block ends."""
    kept = dict(os.environ)
    for name in list(os.environ):
        if name.startswith(PREFIXES):
            del os.environ[name]
    os.environ.update(LP_PIPELINE_ACCOUNTS=str(folder / "accounts.toml"), LP_PIPELINE_DATA=str(folder / "volume"))
    (folder / "accounts").mkdir()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def list_accounts(folder: Path, shards: Mapping[str, str]) -> None:
    """The accounts file: each account and its shard."""
    tables = [f"[accounts.{name}]\nshard = '{shard}'\n" for name, shard in shards.items()]
    (folder / "accounts.toml").write_text("".join(tables))


@contextmanager
def fleet(folder: Path, kind: type[AFleet]) -> Iterator[AFleet]:
    """A fleet without workers yet."""
    with ExitStack() as stack:
        opened = kind(folder, stack.enter_context(pgbouncer(stack.enter_context(postgres()))))
        stack.callback(opened.stop)
        opened.start_redis()
        yield opened
