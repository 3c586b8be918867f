"""How a file takes the name `published.duckdb`, and whether the one there is as it was left (SPEC Q1, R2, R4).

DuckDB never opens it here, so nothing that a client did to it can stop a sync. What is in it: `publish.py`.
"""

import fcntl
import hashlib
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

HEADER_BYTES = 3 * 4096  # whatever DuckDB writes into a file changes one of its three headers
# `published.duckdb.wal` is a link into a folder that never exists: readers find no log there, and nobody can begin one,
# not even root, nor a client that still has the file open which was here before. Otherwise its log would lie beside
# a file that it doesn't fit, and DuckDB would refuse that one to every reader. The link's target says what was left.
NOWHERE = ".nobody-writes-here"


def standing_since(published: Path) -> float | None:
    """When the file was written (seconds since 1970), if it is as it was left and nobody holds it for writing."""
    found = _look(published)
    try:
        left = str(_log(published).readlink())
    except OSError:
        return None
    return found[1] if found and left == f"{NOWHERE}/{found[0]}" else None


def replace(draft: Path, published: Path, group: str | None) -> None:
    """Give the draft the public name, whatever has it now. Killed in between, the next sync builds it anew."""
    protect(draft, group)
    found = _look(draft)
    guard = _log(draft)
    guard.unlink(missing_ok=True)
    guard.symlink_to(f"{NOWHERE}/{found[0] if found else 'unknown'}")
    # first the log of the old file goes, which is whole without it; beside the new one, it would be refused
    _rename(guard, _log(published))
    _rename(draft, published)


def protect(draft: Path, group: str | None) -> None:
    """Durable, and for its owner (and a group, if one is set) to read: the default open of DuckDB is then refused."""
    if group:
        shutil.chown(draft, group=group)
        shutil.chown(draft.parent, group=group)
        draft.parent.chmod(0o710)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.chmod(0o440 if group else 0o400)


def _look(path: Path) -> tuple[str, float] | None:
    """What tells this file from another and from itself once changed, and when it was written. None if it is no file,
    can't be read, or is held for writing."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        about = os.fstat(file)
        if not stat.S_ISREG(about.st_mode) or _is_held(file):
            return None
        header = os.read(file, HEADER_BYTES)
    except OSError:
        return None
    finally:
        os.close(file)
    parts = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_mode, about.st_gid, header)
    return hashlib.sha256(repr(parts).encode()).hexdigest(), about.st_mtime


def _is_held(file: int) -> bool:
    """Whether another process could write now: DuckDB takes this lock as well, for as long as a file is open."""
    try:
        fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    return False


def _log(file: Path) -> Path:
    """Where DuckDB looks for what is not yet in the file."""
    return file.with_name(f"{file.name}.wal")


def _rename(source: Path, target: Path) -> None:
    """Replace the target, even by a folder of that name."""
    while True:
        try:
            source.replace(target)
        except IsADirectoryError:
            _clear_away(target)
        else:
            return


def _clear_away(folder: Path) -> None:
    """A folder moves aside, with what somebody put into it."""
    number = 1
    while (aside := folder.with_name(f"{folder.name}.aside-{number}")).exists():
        number += 1
    with suppress(FileNotFoundError):
        folder.rename(aside)
