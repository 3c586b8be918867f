"""Dagster's storages on a PostgreSQL behind PgBouncer, which sit out its restart (SPEC A4). Not here: the runs' locks,
which go around PgBouncer (`fleet_launcher.py`)."""

import time
from collections.abc import Mapping
from typing import Any

from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import get_token_provider_from_config, pg_url_from_config
from sqlalchemy import event

PATIENCE = 5.0  # seconds of each of Dagster's six tries to connect
PAUSE = 0.5


class FleetStorage(DagsterPostgresStorage):
    """Dagster's own, with the same configuration, but that it waits for a PostgreSQL that is gone behind PgBouncer, for
    half a minute.

    Dagster tries again where it cannot connect, and nowhere else; but connecting to PgBouncer works without a
    PostgreSQL, and the first statement fails. So each connection is asked something while Dagster still connects.
    Configured in `deploy/fleet/dagster.yaml`.
    """

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        storages: tuple[Any, ...] = (self.run_storage, self.event_log_storage, self.schedule_storage)
        for storage in storages:
            event.listen(storage._engine, "do_connect", _connect)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "FleetStorage":
        """As Dagster's, which would make one of its own class."""
        return cls(
            inst_data=inst_data,
            postgres_url=pg_url_from_config(config_value),
            should_autocreate_tables=config_value.get("should_autocreate_tables", True),
            token_provider=get_token_provider_from_config(config_value),
        )


def _connect(dialect: Any, _record: object, arguments: Any, parameters: Any) -> Any:
    """A connection that has brought an answer. Raises psycopg2's `OperationalError`, which Dagster takes for a failed
    connection; at once, if PgBouncer itself is gone or refuses the password."""
    deadline = time.monotonic() + PATIENCE
    while True:
        connection = dialect.connect(*arguments, **parameters)
        try:
            with connection.cursor() as cursor:
                cursor.execute("select 1")
            connection.rollback()
        except dialect.loaded_dbapi.OperationalError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            return connection
