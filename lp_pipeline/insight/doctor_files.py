"""`doctor`'s checks of what is on this machine: the settings file, the data folder, its files, and where alerts go.
They change no file, except that opening an older outbox upgrades it, as every command does.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from lp_pipeline.errors import PipelineError, WarehouseError
from lp_pipeline.insight.examination import Examination, Finding, fail, ok, unknown
from lp_pipeline.insight.words import count
from lp_pipeline.settings import Settings, others_can_read, own_settings_file, read_file, setting_names
from lp_pipeline.storage.account import check_account, check_known
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.locks import BRIEF, WORK, Turn
from lp_pipeline.storage.outbox import IF_DAMAGED as OUTBOX_DAMAGED
from lp_pipeline.storage.published import open_published, published_file
from lp_pipeline.storage.warehouse import IF_DAMAGED, SCHEMA_VERSION, attach, bound

GIGABYTE = 1e9
LEAST_FREE = 1 * GIGABYTE


def settings_file_is_safe(examination: Examination) -> Finding:
    """How many values there are, from where, and that nobody else can read them. Raises `SettingsError`."""
    settings, path = examination.settings, own_settings_file()
    names = () if settings.name else setting_names()  # of several accounts, the environment sets none
    outside = sum(bool(os.environ.get(name, "").strip()) for name in names)
    from_outside = f"{count(outside, 'value')} from the environment" if outside else ""
    if not path.exists():
        found = from_outside or "nothing is set"
        return ok(found if settings.lp_api_url else f"{found}: the sandbox, with made-up people")
    found = f"{_short(path)}, {count(len(read_file(path)), 'value')}"
    if others_can_read(path):
        return fail(f"{found}, and others on this machine can read it", f"Run:  chmod 600 {_short(path)}")
    found = ", ".join(filter(None, (f"{found}, readable by you only", from_outside)))
    return ok(found if settings.lp_api_url else f"{found}; no LP_API_URL, so this is the sandbox")


def alerts(examination: Examination) -> Finding:
    """Where alerts and the heartbeat go; the hosts only, since such addresses are secrets."""
    settings = examination.settings
    alert, beat = (
        urlsplit(each.get_secret_value()).hostname for each in (settings.alert_webhook_url, settings.heartbeat_url)
    )
    heartbeat = f"heartbeat to {beat}" if beat else "no heartbeat (HEARTBEAT_URL)"
    if not alert:
        return unknown(f"off (no ALERT_WEBHOOK_URL): nobody hears of a failure; {heartbeat}")
    return ok(f"to {alert}, {heartbeat}")


def data_folder_has_room(examination: Examination) -> Finding:
    """That it is this account's, can be written, and has room for a year. Raises `SettingsError`, `WarehouseError`."""
    settings = examination.settings
    folder = settings.data
    standing = next(each for each in (folder, *folder.parents) if each.exists())
    if not standing.is_dir():
        return fail(f"{_short(standing)} is a file, not a folder", "Set LP_PIPELINE_DATA to a folder.")
    if not os.access(standing, os.W_OK | os.X_OK):
        return fail(
            f"{_short(standing)} can't be written by this user", "Check its owner and permissions, or LP_PIPELINE_DATA."
        )
    check_account(settings)
    free = shutil.disk_usage(standing).free
    year: float | None = None
    with suppress(PipelineError):  # the next check says what is wrong with the files
        year = _growth(settings)
    room = f"{_size(free)} free"
    found = f"{_short(folder)}, {room}" if folder.exists() else f"{_short(folder)}, made by the first sync; {room}"
    if year is not None:
        found = f"{_short(folder)}, grows by about {_size(year)} a year, {room}"
    if free < max(LEAST_FREE, (year or 0.0) / 12):
        return fail(found, "Free some space, or move the folder to a larger disk (LP_PIPELINE_DATA).")
    return ok(found)


def files_open(examination: Examination) -> Finding:
    """That each file opens, is whole as far as a look can tell, and of a version that this program knows.

    Raises `WarehouseError`, and `SettingsError` if the times in it are of another zone.
    """
    settings = examination.settings
    with _work(settings) as work:
        found = [work.described()] if work else []
    outbox = settings.data / "outbox.sqlite"
    if outbox.exists():
        found.append(_outbox(outbox))
    if published_file(settings).exists():
        with open_published(published_file(settings)):
            found.append("published.duckdb")
    return ok(f"{', '.join(found)}: good") if found else unknown("none yet; the first sync makes them")


@dataclass(frozen=True)
class _Work:
    """An open `work.duckdb`; without a connection if a run is working with it just now."""

    connection: duckdb.DuckDBPyConnection | None = None
    version: int = SCHEMA_VERSION

    def described(self) -> str:
        if self.connection is None:
            return "work.duckdb (in use by a run, not opened)"
        older = "" if self.version == SCHEMA_VERSION else f", the next sync upgrades it to {SCHEMA_VERSION}"
        return f"work.duckdb (version {self.version}{older})"


@contextmanager
def _work(settings: Settings) -> Iterator[_Work | None]:
    """`work.duckdb`, read-only, if no run works with it just now; None if there is none. Raises as `files_open`."""
    path = settings.data / "work.duckdb"
    if not path.exists():
        yield None
        return
    with Turn(settings.data, WORK, who="`lp-pipeline doctor`").if_free() as is_free:
        if not is_free:
            yield _Work()
            return
        with (
            Turn(settings.data, BRIEF),  # a sync waits for this look instead of skipping its tick
            readable_errors(f"open {path}", if_damaged=IF_DAMAGED),
            duckdb.connect() as connection,
        ):
            attach(connection, path, "as work (read_only)", patience_seconds=5, if_held="Close that program.")
            connection.execute("use work")
            yield _Work(connection, _version(connection, settings))


def _version(connection: duckdb.DuckDBPyConnection, settings: Settings) -> int:
    (version,) = bound(connection, "insight/work_version")[0]
    if version > SCHEMA_VERSION:
        raise WarehouseError(
            f"The data folder was written by a newer lp_pipeline (schema {version}, this one knows {SCHEMA_VERSION}). "
            "Upgrade the program."
        )
    for known in bound(connection, "account/known") if version == SCHEMA_VERSION else ():
        check_known(settings, known, known[2])
    return int(version)


def _outbox(path: Path) -> str:
    with (
        readable_errors(f"read {path}", if_damaged=OUTBOX_DAMAGED),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection,
    ):
        if connection.execute("pragma quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("malformed")
        (version,) = connection.execute("pragma user_version").fetchone()
    return f"outbox.sqlite (version {version})"


def _growth(settings: Settings) -> float | None:
    """Bytes that a year adds at most, by the last four weeks; None if there is less than a day to go by."""
    with _work(settings) as work:
        if work is None or work.connection is None or work.version != SCHEMA_VERSION:
            return None
        readings, stored, days = bound(work.connection, "insight/growth", {"now_at": settings.now()})[0]
    if days < 1 or not readings:
        return None
    held = sum(path.stat().st_size for path in settings.data.glob("*") if path.suffix in (".duckdb", ".sqlite"))
    kept = 2 * settings.keep_readings_days or 365  # after that, old readings go
    return float(held / readings * stored / days * min(kept, 365))


def _size(number: float) -> str:
    return f"{number / GIGABYTE:,.1f} GB" if number < 10 * GIGABYTE else f"{number / GIGABYTE:,.0f} GB"


def _short(path: Path) -> str:
    """The path, from here if that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)
