"""SPEC E5, R1: `lp-pipeline forget`, killed for real at each of its steps; the same command completes it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lp_pipeline.runs.upkeep.forget import forget
from lp_pipeline_tests.delivery.conftest import Deliveries
from lp_pipeline_tests.runs.upkeep.searching import found_in
from lp_pipeline_tests.runs.upkeep.test_forget import CST, NEEDLES, filled, s, them
from lp_pipeline_tests.scenario import LIVE, PATIENCE

__all__ = ["filled", "s"]
COMMAND = (sys.executable, "-c", "from lp_pipeline.cli.main import main; main()", "forget", CST, "--yes")
MOMENTS: dict[str, Callable[[Path, int], bool]] = {
    "the hash is written": lambda folder, _: (folder / "forgotten.json").exists(),
    "work.duckdb is being written anew": lambda folder, _: (folder / ".work.duckdb.compact").exists(),
    "work.duckdb is another file": lambda folder, work: (folder / "work.duckdb").stat().st_ino != work,
    "the copy is being built": lambda folder, _: any(folder.glob(".published.duckdb.*[0-9]")),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step_the_same_command_completes_it(s: Deliveries, moment: str) -> None:
    """E5: what a kill left is whole, keeps the person out, and is erased to the end by the next run."""
    for name in (".published.duckdb.4711", ".work.duckdb.compact"):  # of another killed run
        (s.folder / name).unlink()
    work = (s.folder / "work.duckdb").stat().st_ino
    environ = {**os.environ, **LIVE, "LP_PIPELINE_DATA": str(s.folder)}
    process = subprocess.Popen(COMMAND, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while not MOMENTS[moment](s.folder, work):
            assert process.poll() is None, f"it ended before {moment}"
            assert time.monotonic() < deadline
            time.sleep(0.0005)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    assert s.read("leads", them()) == 0
    forget(s.settings, s.outbox, CST)
    assert found_in(s.folder, NEEDLES) == {}
