"""Writing small files: settings, state, who was erased, who pushes (SPEC R1, R4)."""

import errno
import os
import time
from pathlib import Path

import pytest

from lp_pipeline.settings.files import LEFT_BEHIND_SECONDS, write_file


def test_a_file_is_replaced_whole_for_its_owner_or_not_at_all(tmp_path: Path) -> None:
    """R1, R4: readable by its owner only, whatever the umask and the old file's mode; if it can't be written, the old
    one stays; no draft is left, not even of a process that was killed a while ago."""
    path, killed = tmp_path / "state [1].json", tmp_path / ".state [1].json.abc.draft"
    before = os.umask(0)
    try:
        for content, expected in (("first\n", b"first\n"), (b"\xff", b"\xff")):
            killed.write_text("half")
            old = time.time() - LEFT_BEHIND_SECONDS - 1
            os.utime(killed, (old, old))
            write_file(path, content)
            assert (path.read_bytes(), path.stat().st_mode & 0o777) == (expected, 0o600)
            assert [each.name for each in tmp_path.iterdir()] == [path.name]
            path.chmod(0o644)
    finally:
        os.umask(before)

    def full(draft: Path) -> None:
        assert (draft.read_text(), draft.parent) == ("second", tmp_path)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    killed.write_text("of one that writes now")
    with pytest.raises(OSError, match="No space left"):
        write_file(path, "second", full)
    assert path.read_bytes() == b"\xff"
    assert {each.name for each in tmp_path.iterdir()} == {path.name, killed.name}
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "no such folder" / "file", "")
