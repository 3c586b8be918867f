"""Redis, which carries the runs of a fleet to its workers (SPEC A4): its address with the password, and whether a
worker answers through it. It needs Celery, but not Dagster, which takes two seconds to load."""

import os
import socket
from pathlib import Path
from urllib.parse import quote

from lp_pipeline.errors import SettingsError

ADDRESS = "FLEET_REDIS_URL"
PASSWORD_FILE = "FLEET_REDIS_PASSWORD_FILE"  # noqa: S105 (its name)
SECONDS = 10.0  # for one answer


def with_password(address: str) -> str:
    """An address of Redis, such as `redis://host:6379/0`, with the password of the file that FLEET_REDIS_PASSWORD_FILE
    names, if it names one: the address is in the environment, a secret is not (SPEC R4).

    Raises `SettingsError` for a file that can't be read, or is empty.
    """
    file = os.environ.get(PASSWORD_FILE, "").strip()
    if not file:
        return address
    try:
        password = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"{PASSWORD_FILE} names {file}, which can't be read: {why}.") from None
    if not password:
        raise SettingsError(f"{PASSWORD_FILE} names {file}, which is empty. Write the password of Redis into it.")
    return address.replace("://", f"://:{quote(password, safe='')}@", 1)


def is_answered(queue: str) -> bool | None:
    """Whether the worker of this queue on this host answers, which it can while it works; None if nobody can tell,
    because Redis does not answer. Raises `SettingsError` if FLEET_REDIS_URL is not set."""
    from celery import Celery
    from kombu.exceptions import OperationalError
    from redis import RedisError

    if not os.environ.get(ADDRESS):
        raise SettingsError(f"{ADDRESS} is not set: set it as it is where the worker runs.")
    options = {"broker_transport_options": {"socket_connect_timeout": SECONDS, "socket_timeout": SECONDS}}
    with Celery(broker=with_password(os.environ[ADDRESS]), changes=options) as app:
        try:
            return bool(app.control.ping(destination=[f"{queue}@{socket.gethostname()}"], timeout=SECONDS))
        except (OperationalError, RedisError, OSError):
            return None
