"""Runs on the hosts of several shards (SPEC A4): dagster-celery's launcher with a queue for each shard, and one for its
long runs. A whole run is one task in a warm worker (`fleet_worker.py`), which holds a lock of PostgreSQL meanwhile:
whoever is gone holds none, so a dead run is ended within seconds (SPEC R1). On one host: `launcher.py`.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from hashlib import blake2b
from threading import Event, Thread
from typing import Any, Self

import dagster as dg
import psycopg2
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClassData, pack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG

from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.account_schedules import enabled, queue_of
from lp_pipeline.orchestration.fleet_page import is_of_all
from lp_pipeline.orchestration.fleet_redis import with_password
from lp_pipeline.orchestration.resources import PARTITION
from lp_pipeline.settings import listed_accounts
from lp_pipeline.settings.accounts import SHARD

GONE = "Its process is gone: it was killed, or the host went down."
# a broker that is restarted is back by then; a run that could not be sent fails, and its tick is lost
SEND_FOR_30_SECONDS = {"max_retries": 60, "interval_start": 0.5, "interval_step": 0.0, "interval_max": 0.5}
GONE_SECONDS, KEEP_SECONDS, CANCEL_SECONDS = 10.0, 2.0, 2.0
# a session of a host that is gone ends after these seconds, and its locks with it
SESSION = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3}
SERVER = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c idle_session_timeout=0"


class FleetLauncher(CeleryRunLauncher):
    """Sends each run to the queue of its account's shard; configured in `deploy/fleet/dagster.yaml`.

    `postgres` is the address of a direct connection: PgBouncer in transaction mode gives a session's locks away.
    """

    def __init__(self, postgres: str, **celery: Any) -> None:
        self.postgres = postgres.replace("postgresql+psycopg2://", "postgresql://")
        self._missing: dict[str, float] = {}  # since when nobody holds the lock of a run
        super().__init__(**celery)

    @classmethod
    def config_type(cls) -> Mapping[str, Any]:
        """What dagster-celery's launcher takes, and `postgres`."""
        return {**super().config_type(), "postgres": dg.StringSource}  # type: ignore[dict-item]

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        """The launcher of an instance."""
        redis = {name: with_password(config_value[name]) for name in ("broker", "backend")}
        return cls(inst_data=inst_data, **{**config_value, **redis})

    @property
    def supports_resume_run(self) -> bool:
        """False: the next tick makes up for a dead run, and long ones are started anew."""
        return False

    def launch_run(self, context: LaunchRunContext) -> None:
        """Put the run into its queue, as a task of its own id. Raises `SettingsError` as `queue_of_run`."""
        run = context.dagster_run
        queue = queue_of_run(run)
        origin = dg._check.not_none(run.job_code_origin)
        packed = pack_value(ExecuteRunArgs(origin, run.run_id, self._instance.get_ref()))
        tags = {DAGSTER_CELERY_QUEUE_TAG: queue, DAGSTER_CELERY_TASK_ID_TAG: run.run_id}
        self._instance.add_run_tags(run.run_id, tags)
        self.celery.send_task(
            TASK_EXECUTE_JOB_NAME,
            (packed,),
            task_id=run.run_id,
            queue=queue,
            ignore_result=True,  # nobody asks; the daemon would hold a subscription for each run
            retry_policy=SEND_FOR_30_SECONDS,
        )
        self._instance.report_engine_event(f"Waits in the queue {queue} for a worker.", run, cls=self.__class__)

    def terminate(self, run_id: str) -> bool:
        """End a run's process, or take it out of its queue; the run is then canceled, not failed."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        self.celery.control.revoke(run_id, terminate=True, signal="SIGKILL")
        until = time.monotonic() + CANCEL_SECONDS
        while self.is_held(run_id) and time.monotonic() < until:
            time.sleep(0.05)
        run = self._instance.get_run_by_id(run_id)
        if run and not run.is_finished:
            self._instance.report_run_canceled(run)
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether somebody holds the run's lock; Dagster asks every few seconds for each started run.

        A restart of PostgreSQL takes all locks away: the workers take theirs again before `GONE_SECONDS` are over.
        Until then the run counts as running, for Dagster fails one of which nobody knows at once.
        """
        if self.is_held(run.run_id):
            self._missing.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        missing_since = self._missing.setdefault(run.run_id, time.monotonic())
        if time.monotonic() - missing_since < GONE_SECONDS:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "Its worker holds no lock just now.")
        del self._missing[run.run_id]
        return CheckRunHealthResult(WorkerStatus.FAILED, GONE)

    def is_held(self, run_id: str) -> bool:
        """Whether a worker holds the lock of this run; looking takes nothing."""
        high, low = divmod(_key(run_id), 2**32)
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select exists (select 1 from pg_locks where locktype = 'advisory' and granted "
                "and classid = %s and objid = %s and objsubid = 1)",
                (high, low),
            )
            return bool(cursor.fetchone()[0])

    @contextmanager
    def holding(self, run_id: str) -> Iterator[None]:
        """Hold the lock of this run, for the worker that does it; it ends with the process, however that ends. Waits
        until nobody else holds it."""
        connection = self._locked(run_id)
        over = Event()
        keeper = Thread(target=self._keep, args=(connection, run_id, over), name="keeps the run's lock", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _keep(self, connection: Any, run_id: str, over: Event) -> None:
        """Take the lock again whenever PostgreSQL was restarted; give it back when the run is over."""
        while not over.wait(KEEP_SECONDS):
            try:
                with connection.cursor() as cursor:
                    cursor.execute("select 1")
            except psycopg2.Error:
                with suppress(psycopg2.Error):
                    connection.close()
                with suppress(psycopg2.Error):
                    connection = self._locked(run_id)
        with suppress(psycopg2.Error):
            connection.close()

    def _locked(self, run_id: str) -> Any:
        connection = self._connect()
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(%s)", (_signed(_key(run_id)),))
        return connection

    def _connect(self) -> Any:
        connection = psycopg2.connect(self.postgres, connect_timeout=10, options=SERVER, **SESSION)
        connection.autocommit = True
        return connection


def queue_of_run(run: dg.DagsterRun) -> str:
    """The queue of a run. The accounts file decides, not the run's tags: the account may have moved since. The page
    about all accounts is written by the first enabled one's shard.

    Raises `SettingsError` for a run of no account, or of one that is not listed.
    """
    name = run.tags.get(PARTITION)
    if name is None and is_of_all(run):
        return next((each.shard for each in enabled(listed_accounts)), SHARD)
    if name is None:
        raise SettingsError(f"The run of {run.job_name} has no account. Choose a partition, which is an account.")
    account = listed_accounts().get(name)
    if account is None:
        raise SettingsError(f"The accounts file lists no account {name!r}, so there is no host for its run.")
    return queue_of(account, run.job_name)


def _key(run_id: str) -> int:
    return int.from_bytes(blake2b(run_id.encode(), digest_size=8).digest())


def _signed(key: int) -> int:
    return key - 2**64 if key >= 2**63 else key
