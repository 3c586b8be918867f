"""`lp-pipeline backup`: a consistent, checked copy of an account's files, while syncs and pushes continue (SPEC K2).

Only what can't be had again: two files, and who was erased. The published copy is built anew, settings are copied on
request.
"""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import msgspec

from lp_pipeline.errors import SettingsError, WarehouseError
from lp_pipeline.runs.upkeep.manifest import NAME, OUTBOX, WORK, Manifest, described
from lp_pipeline.settings import Settings
from lp_pipeline.settings.files import sync_folder
from lp_pipeline.storage.account import account_of, check_warehouse, open_outbox
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.forgotten import FILE as FORGOTTEN
from lp_pipeline.storage.locks import briefly
from lp_pipeline.storage.outbox import PATIENCE_SECONDS
from lp_pipeline.storage.warehouse import Warehouse

PARTIAL = ".partial"


def backup(settings: Settings, target: Path, *, settings_file: Path | None = None) -> Manifest:
    """Copy the account's files, and `settings_file` if given, into the new folder `target`, and check the copies.

    The folder appears once it is complete, or not at all. Raises `SettingsError`, `WarehouseError`.
    """
    if target.exists() or target.is_symlink():
        raise SettingsError(f"{target} exists, and a backup never overwrites anything. Give the name of a new folder.")
    if not target.parent.is_dir():
        raise SettingsError(f"{target.parent} is not a folder. Create it, or check whether its disk is mounted.")
    with readable_errors(f"make a backup in {target.parent}"):
        prefix = f".{target.name}."
        for left in target.parent.iterdir():  # of one that was killed
            if left.name.startswith(prefix) and left.name.endswith(PARTIAL):
                shutil.rmtree(left, ignore_errors=True)
        draft = Path(mkdtemp(PARTIAL, prefix, target.parent))  # for its owner only
        try:
            manifest = _copy(settings, draft)
            if settings_file:
                _copy_settings(settings_file, draft)
            _write(draft / NAME, msgspec.json.format(msgspec.json.encode(manifest)))
            for path in draft.iterdir():
                _keep(path)
            sync_folder(draft)
            draft.rename(target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _copy(settings: Settings, draft: Path) -> Manifest:
    """The warehouse first: what it takes as sent is then in the outbox, which may only be newer (SPEC D3, C7)."""
    warehouse = Warehouse(settings.data)
    if warehouse.work.exists():
        with briefly(settings.data, "a backup"):
            check_warehouse(warehouse, settings)
            warehouse.copy(draft / WORK)
    made_at = settings.now()
    with open_outbox(settings) as outbox:
        if outbox.path.exists():
            copy_outbox(outbox.path, draft / OUTBOX)
    if (settings.data / FORGOTTEN).exists():  # last: whoever was erased meanwhile is in it (SPEC E5)
        shutil.copyfile(settings.data / FORGOTTEN, draft / FORGOTTEN)
    files = [described(path) for path in sorted(draft.iterdir())]
    if not files:
        raise WarehouseError(f"There is nothing to back up: {settings.data} holds no data. Check LP_PIPELINE_DATA.")
    return Manifest(made_at, version("lp-pipeline"), account_of(settings), files)


def copy_outbox(source: Path, target: Path) -> None:
    """A copy as of one instant, with what is still in the log beside the file; writers continue meanwhile."""
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(source, timeout=PATIENCE_SECONDS)) as there,
        closing(sqlite3.connect(target, timeout=PATIENCE_SECONDS)) as here,
    ):
        there.backup(here)


def _copy_settings(source: Path, draft: Path) -> None:
    if not source.is_file():
        raise SettingsError(f"There is no settings file {source} to copy. Leave out --with-settings.")
    _write(draft / source.name, source.read_bytes())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _keep(path: Path) -> None:
    path.chmod(0o600)
    with path.open("rb") as file, suppress(OSError):  # a network disk may not offer it
        os.fsync(file.fileno())
