"""A machine left alone (SPEC K1): a few weeks here, a year with `make year`."""

from pathlib import Path

import pytest

from lp_pipeline_tests.drills.year import year


@pytest.mark.slow
def test_a_machine_left_alone_stays_flat_and_well(tmp_path: Path) -> None:
    """K1: syncs, pushes and housekeeping on a clock that is moved on; some syncs fail, and the next ones make up for
    them. Disk and memory stay flat, every message is written, and the status is OK at the end."""
    with year(tmp_path, ticks=32, days=56, seed=1) as lived:
        lived.live(lambda _text: None)
        assert lived.wrong() == []
        assert lived.failed >= 0
        assert len(lived.instance.get_runs()) < 3 * 32 / 2
