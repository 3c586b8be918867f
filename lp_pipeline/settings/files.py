"""Writing a small file: whole or not at all, also if the machine goes down, and for its owner only (SPEC R1, R4). What
is in it is up to those who use it.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from glob import escape
from pathlib import Path
from tempfile import mkstemp

LEFT_BEHIND_SECONDS = 3600.0  # a draft so old is that of a process that was killed


def write_file(path: Path, content: str | bytes, finish: Callable[[Path], object] | None = None) -> None:
    """Put `content` in place of the file, or make it; on disk at return. `finish` is called with the draft before that
    takes the name. Raises `OSError`; the file there then stays as it is."""
    for left in path.parent.glob(f".{escape(path.name)}.*.draft"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_BEHIND_SECONDS:
                left.unlink()
    opened, name = mkstemp(prefix=f".{path.name}.", suffix=".draft", dir=path.parent)  # with mode 0600
    draft = Path(name)
    try:
        with os.fdopen(opened, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        if finish:
            finish(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    with suppress(OSError):  # a network disk may not offer it
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
