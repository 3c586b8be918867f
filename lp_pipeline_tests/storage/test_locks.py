"""SPEC R1, R2, W2: whose turn it is, and that looking takes nothing."""

import fcntl
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from lp_pipeline.storage.locks import NEXT, Turn, briefly


def test_a_turn_is_never_lost_to_those_who_look(tmp_path: Path) -> None:
    """R2: while others keep looking, a turn that is free can always be taken at once, and is seen as taken by all."""
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            Turn(tmp_path).is_taken()

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for each in lookers:
        each.start()
    try:
        for _ in range(200):
            with Turn(tmp_path).if_free() as is_ours:
                assert is_ours
                assert Turn(tmp_path).is_taken()
            assert not Turn(tmp_path).is_taken()
    finally:
        ended.set()
        for each in lookers:
            each.join()


def test_a_look_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    """R2: a process that is stopped in the middle of a look can't keep a run from its turn."""
    with FileLock(tmp_path / "turn.taken.lock"), Turn(tmp_path).if_free() as is_ours:
        assert is_ours


def test_an_error_gives_the_turn_back(tmp_path: Path) -> None:
    """R1: whatever ends the block."""
    with pytest.raises(ZeroDivisionError), Turn(tmp_path):
        _ = 1 / 0
    assert not Turn(tmp_path).is_taken()
    with Turn(tmp_path).if_free() as is_ours:
        assert is_ours


def test_looking_leaves_no_file_behind(tmp_path: Path) -> None:
    """Q1: a folder that is only looked at stays as it is."""
    assert not Turn(tmp_path / "none").is_taken()
    assert not (tmp_path / "none").exists()


def test_a_sync_that_comes_to_wait_just_then_goes_first_too(tmp_path: Path) -> None:
    """W2: what lets syncs go first has seen none wait and takes the turn; a sync that came in between gets it."""
    has_it = threading.Event()

    def past() -> None:
        with briefly(tmp_path):
            has_it.set()

    look, thread = (tmp_path / "turn.taken.lock").open("wb"), threading.Thread(target=past)
    with look, (tmp_path / "turn.lock").open("wb") as lock:
        fcntl.flock(look, fcntl.LOCK_SH)  # a look that hangs: taking the turn takes a second
        thread.start()
        while not is_locked(lock.fileno()):
            time.sleep(0.01)
        with Turn(tmp_path, NEXT):
            came_too_late = has_it.is_set()  # on a machine that stood still for that second
            look.close()
            with Turn(tmp_path):
                assert came_too_late or not has_it.is_set()
    thread.join()
    assert has_it.is_set()


def is_locked(file: int) -> bool:
    """Whether somebody else has locked the file."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False
