"""A machine that is left alone for weeks: the short form of `make year` (SPEC K1, E7, N1)."""

from pathlib import Path

import pytest

from lp_pipeline_tests.drills.year import year


@pytest.mark.marathon
def test_a_machine_that_is_left_alone_stays_flat_and_well(tmp_path: Path) -> None:
    """K1, E7, N1: after weeks with changes, messages and faults, each message is written once, each alert is over,
    nothing has piled up, what is old and not needed is gone, and `lp-pipeline status` says OK."""
    with year(tmp_path, 20, 30, 1, KEEP_READINGS_DAYS="4", KEEP_RUNS_DAYS="1", KEEP_FAILED_RUNS_DAYS="1") as machine:
        machine.live(job_every=10, fault_every=7, process_every=100, months=2)
        assert machine.failed
        assert machine.wrong() == []
        first = "select (select min(happened_at) from pipeline.merge_log), (select min(taken_at) from base.snapshots)"
        ((first_merge, begins_at),) = machine.account.ask(first)
        assert first_merge > begins_at
        assert machine.instance.get_runs_count() == 2  # the latest of each job
