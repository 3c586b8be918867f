"""The test suite itself: what it prints at its end is about the tests."""

import subprocess
import sys
from pathlib import Path

import pytest

USES_HYPOTHESIS_AND_DUCKDB = "lp_pipeline_tests/transform/test_dates.py"
ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_no_library_reports_leaks_when_the_tests_end() -> None:
    """DuckDB lists what is alive when Python ends; Hypothesis must not keep everything alive (`conftest.py`)."""
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", USES_HYPOTHESIS_AND_DUCKDB]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout
    assert "leaked" not in ended.stdout + ended.stderr
