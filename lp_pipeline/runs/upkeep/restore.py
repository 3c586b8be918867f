"""`lp-pipeline restore`: puts a backup back (SPEC K2), so that nothing is pushed twice afterwards (R5).

What is replaced is kept in a folder beside it. Killed anywhere, it can simply be run again.
"""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lp_pipeline.communications.manual import look_first
from lp_pipeline.errors import SettingsError, WarehouseError
from lp_pipeline.runs.upkeep.forget import erased_but_there, forget
from lp_pipeline.runs.upkeep.manifest import OUTBOX, STAGING, Manifest, check, read_manifest
from lp_pipeline.settings import Settings
from lp_pipeline.settings.files import sync_folder
from lp_pipeline.storage.account import check_outbox, check_warehouse
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.forgotten import FILE as FORGOTTEN
from lp_pipeline.storage.forgotten import Forgotten
from lp_pipeline.storage.locks import PAST, PUBLISH_TURN, PUSH_TURN, WORK, Turn
from lp_pipeline.storage.outbox import Outbox
from lp_pipeline.storage.warehouse import Warehouse

TURNS = (WORK, PUSH_TURN, PUBLISH_TURN, PAST, "replay")
BESIDE = ("", ".wal", "-wal", "-shm", "-journal")  # DuckDB's log, SQLite's files


@dataclass(frozen=True)
class Restored:
    """Where the replaced files are (None if there were none), how many pushes are looked up first, by target, and the
    prospects that were erased since the backup, and so again."""

    manifest: Manifest
    aside: Path | None
    to_look_up: Counter[str]
    erased: list[str]


def restore(settings: Settings, source: Path) -> Restored:
    """Replace the account's files by those of the backup `source`. Raises `SettingsError`, `WarehouseError`, and then
    nothing was changed: if something uses the files, or the backup is damaged, or another account's. What is there now
    may be damaged."""
    manifest = read_manifest(source)
    check(source, manifest)
    with _alone(settings), readable_errors(f"restore {settings.data}"):
        staging = settings.data / STAGING
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        try:
            to_look_up = _prepare(settings, source, staging, manifest)
            _keep_erased(settings, staging)
            erased = _erase_again(settings, staging)
            aside = _replace(settings, staging, [file.name for file in manifest.files if file.name != FORGOTTEN])
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Restored(manifest, aside, to_look_up, erased)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """With every turn in hand, and nobody else in the outbox, such as the inbox."""
    with ExitStack() as stack:
        for name in TURNS:
            turn = Turn(settings.data, name, who="`lp-pipeline restore`")
            if not stack.enter_context(turn.if_free()):
                who = turn.holder() or "another process"
                raise SettingsError(f"{who[:1].upper()}{who[1:]} is running. Nothing was changed. End it first.")
        _leave_outbox(settings)
        yield


def _leave_outbox(settings: Settings) -> None:
    """Put what is in the outbox's log into its file, which SQLite only does for a process that has it to itself."""
    path = settings.data / OUTBOX
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            for mode in ("delete", "wal"):
                connection.execute(f"pragma journal_mode = {mode}").fetchall()
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise SettingsError(
                f"Another process uses {path}. Nothing was changed. End `lp-pipeline inbox`, `make dev` and whatever "
                "else works with this folder, then restore."
            ) from None
    except sqlite3.DatabaseError:
        return


def _prepare(settings: Settings, source: Path, staging: Path, manifest: Manifest) -> Counter[str]:
    """Copies of the copies, checked, migrated if need be, and marked: the old ledger never takes its place without."""
    for file in manifest.files:
        shutil.copyfile(source / file.name, staging / file.name)
        (staging / file.name).chmod(0o600)
    check_warehouse(Warehouse(staging), settings)
    to_look_up: Counter[str] = Counter()
    if (staging / OUTBOX).exists():
        with Outbox(staging) as outbox:
            check_outbox(outbox, settings)
            to_look_up = look_first(outbox, settings, manifest.made_at)
    for file in manifest.files:
        with (staging / file.name).open("rb") as opened:
            os.fsync(opened.fileno())
    return to_look_up


def _keep_erased(settings: Settings, staging: Path) -> None:
    """Whoever was erased, before the backup was made or since, is kept out (SPEC E5)."""
    if not (staging / FORGOTTEN).exists():
        return
    try:
        Forgotten(settings.data).join(Forgotten(staging))
    except WarehouseError:  # what is there now is damaged
        (staging / FORGOTTEN).replace(settings.data / FORGOTTEN)


def _erase_again(settings: Settings, staging: Path) -> list[str]:
    """Erase from the copies whoever is in them and was erased (SPEC E5); their ids."""
    known = Forgotten(settings.data)
    if not known:
        return []
    Forgotten(staging).join(known)
    staged = settings.model_copy(update={"data": staging})
    with Outbox(staging) as outbox:
        erased = erased_but_there(staged, outbox)
        if erased:
            forget(staged, outbox, *erased)
    return erased


def _replace(settings: Settings, staging: Path, names: list[str]) -> Path | None:
    """The warehouse first: killed in between, the outbox is newer than it, which is safe (SPEC D3, C7)."""
    old = [
        path
        for name in names
        for suffix in BESIDE
        if (path := settings.data / f"{name}{suffix}").is_file() and not path.is_symlink()
    ]
    aside = _aside(settings, old) if old else None
    for name in sorted(names, reverse=True):
        for suffix in BESIDE[1:]:  # a log beside another file than its own would spoil that
            (settings.data / f"{name}{suffix}").unlink(missing_ok=True)
        (staging / name).replace(settings.data / name)
        sync_folder(settings.data)
    return aside


def _aside(settings: Settings, old: list[Path]) -> Path:
    """A new folder that holds these files, too."""
    day = f"{settings.now().astimezone(settings.zone):%Y-%m-%d}"
    number = 1
    while (aside := settings.data / f"before-restore-{day}-{number}").exists():
        number += 1
    aside.mkdir(mode=0o700)
    for path in old:
        _link(path, aside / path.name)
    sync_folder(aside)
    return aside


def _link(path: Path, to: Path) -> None:
    """The same file under a second name, so that the first one is never missing; a copy where there are no links."""
    try:
        to.hardlink_to(path)
    except OSError:
        shutil.copyfile(path, to)
        to.chmod(0o600)
