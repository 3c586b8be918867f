"""Which data folder pushes for a LeadPerfection account and Hatch source: only one on this machine, because each folder
has its own ledger, and two ledgers would write every message twice (SPEC C7, R5).

The owner is recorded per user of this machine, under `$XDG_STATE_HOME` (or `~/.local/state`).
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
from filelock import FileLock

from lp_pipeline.communications.manual import recovered
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import Settings, is_loopback
from lp_pipeline.settings.files import write_file
from lp_pipeline.storage.outbox import Outbox

LEDGER = "ledger_id"
FIRST_EPHEMERAL_PORT, LISTENING = 32768, "0A"
EVER = datetime(2000, 1, 1, tzinfo=UTC)


class Owner(msgspec.Struct):
    """The folder that pushes, and the id of its ledger, which a folder that was moved keeps."""

    folder: str
    ledger: str


def claim(outbox: Outbox, settings: Settings) -> None:
    """Make this folder the owner if there is none yet. Raises `SettingsError`, naming both folders, if another one is.

    If the owner's ledger no longer exists, what it may have sent is looked up before it is sent again (SPEC R5); a
    folder that was only moved has the same ledger, so there is nothing to look up.
    """
    with _record(settings) as path:
        if path is None:
            return
        owner, ours = _owner(path), _ours(outbox, settings)
        if owner and not _is_same(owner, settings):
            if (Path(owner.folder) / "outbox.sqlite").exists():
                raise SettingsError(_refusal(owner, settings))
            if owner.ledger != ours.ledger:
                recovered(outbox, settings, EVER)
        if owner != ours:
            write_file(path, msgspec.json.encode(ours))


def check(settings: Settings) -> None:
    """Raise `SettingsError` if another folder has taken over in the meantime."""
    path = _path(settings)
    if settings.lp_api_url and (owner := _owner(path)) and not _is_same(owner, settings):
        raise SettingsError(_refusal(owner, settings))


def take_over(outbox: Outbox, settings: Settings) -> Counter[str]:
    """Make this folder the owner. What the previous owner may have sent is looked up before it is sent (SPEC R5); how
    many open pushes that affects, by target. Raises `SettingsError` in a sandbox."""
    with _record(settings) as path:
        if path is None:
            raise SettingsError("Each sandbox has its own LeadPerfection, so there is nothing to take over.")
        number = recovered(outbox, settings, EVER)
        write_file(path, msgspec.json.encode(_ours(outbox, settings)))
    for name in ("stopped", "paused_until"):
        outbox.keep(name, "")
    return number


def _ours(outbox: Outbox, settings: Settings) -> Owner:
    outbox.keep(LEDGER, str(uuid4()), once=True)
    return Owner(str(settings.data.resolve()), outbox.fact(LEDGER) or "")


def _refusal(owner: Owner, settings: Settings) -> str:
    return (
        f"{owner.folder} already pushes for this LeadPerfection account and Hatch source on this machine, so "
        f"{settings.data} does not: every message would be written twice. Set LP_PIPELINE_DATA to that folder, or set "
        "PUSH_COMMUNICATIONS=false here. To push from this folder instead, run:  lp-pipeline pushes takeover"
    )


def _is_same(owner: Owner, settings: Settings) -> bool:
    folder = Path(owner.folder)
    return folder.exists() and folder.samefile(settings.data)


def _path(settings: Settings) -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    server = f"{settings.account.lower()} {_ephemeral_server(settings.account)}".strip()
    account = json.dumps([server, settings.lp_client_id, settings.hatch_source])
    return state / "lp_pipeline" / "pushing" / f"{hashlib.sha256(account.encode()).hexdigest()}.json"


def _ephemeral_server(address: str) -> str:
    """Which server listens on an ephemeral port of this machine: after a restart it may be a different one."""
    parts = urlsplit(address)
    if not is_loopback(parts.hostname) or (parts.port or 0) < FIRST_EPHEMERAL_PORT:
        return ""
    for table in filter(Path.exists, (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))):
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(f":{parts.port:04X}") and fields[3] == LISTENING:
                return fields[9]  # the socket's inode
    return ""


@contextmanager
def _record(settings: Settings) -> Iterator[Path | None]:
    """The file that names the owner, locked; None for a sandbox, whose LeadPerfection no other folder uses."""
    if not settings.lp_api_url:
        yield None
        return
    path = _path(settings)
    lock = FileLock(path.with_suffix(".lock"), mode=0o600, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
    except OSError as error:
        raise SettingsError(
            f"Could not record in {path.parent} that {settings.data} pushes for this account: {error.strerror}. Set "
            "XDG_STATE_HOME to a folder that this user can write to."
        ) from None
    try:
        yield path
    finally:
        lock.release()


def _owner(path: Path) -> Owner | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Owner)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError:
        raise SettingsError(f"{path} is damaged. Delete it if no other folder pushes for this account.") from None
