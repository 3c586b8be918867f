"""SPEC W2, S1, R1: small versions of the drills with backfills and sweeps that are killed."""

import random
from pathlib import Path

import pytest

from lp_pipeline_tests.drills.killed_past import backfills, sweeps


@pytest.mark.marathon
def test_a_backfill_that_is_killed_ends_as_one_that_is_not(tmp_path: Path) -> None:
    """W2, R1: killed, it resumes where it stopped, and every column of J3 is as if nothing had happened."""
    seed = random.randrange(10**6)
    log, wrong = backfills(tmp_path, random.Random(seed), kills=2, population=200, piece_hours=24 * 100)
    assert not wrong, f"seed {seed}: {log} {wrong[:5]}"


@pytest.mark.marathon
def test_a_sweep_that_is_killed_ends_as_one_that_is_not(tmp_path: Path) -> None:
    """S1, R1: killed, it finds every edit without a stamp that an undisturbed one finds, each once."""
    seed = random.randrange(10**6)
    log, wrong = sweeps(tmp_path, random.Random(seed), kills=2, population=200)
    assert not wrong, f"seed {seed}: {log} {wrong[:5]}"
