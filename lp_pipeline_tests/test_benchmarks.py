"""The benchmarks run: small, and once. What they measure here says nothing about speed."""

import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import DLT, main
from benchmarks.fleet_hour import delays
from benchmarks.records import changed_numbers, prospect, small_record
from benchmarks.report import BEGIN, END, Report, report, write
from benchmarks.results import Results


@pytest.mark.slow
def test_all_scenarios_but_the_daemon_run_and_are_reported(tmp_path: Path) -> None:
    """Every contestant comes to the same opportunities (`compare` checks it); JSON, tables and charts can be read."""
    page = tmp_path / "performance.md"
    page.write_text(f"# Title\n{BEGIN}\nold\n{END}\nThe end.\n")
    main(["--quick", "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out"), "--page", str(page)])
    found = msgspec.json.decode((tmp_path / "out" / "results.json").read_bytes(), type=Report)
    assert [each for each in found.results if each.note] == []
    measured = {(each.scenario, each.what) for each in found.results}
    assert measured >= {
        ("compare", "fetch"),
        ("compare", "parse"),
        ("compare", "read"),
        ("compare", "the straight line"),
        ("compare", "ours: reading"),
        ("compare", "ours: merging"),
        ("compare", "ours: publishing"),
        ("compare", "ours, dagster job execute"),
        ("compare", "job: start-up"),
        ("growth", "ours: merging"),
        ("growth", "ours: publishing"),
        ("growth", "copying the published file"),
        ("syncs", "the first 1"),
        ("syncs", "work.duckdb"),
        ("sending", "pushing notes"),
        ("sending", "delivering to Hatch"),
        ("slow server", "ours: reading"),
        ("fleet", "loading all accounts"),
        ("fleet", "push sensor: all idle"),
        ("fleet", "an hour of syncs, without Dagster"),
        ("fleet", "from tick to end, the slowest"),
    }
    assert {("compare", "dlt, Arrow"), ("compare", "dlt, REST source")} <= measured or not DLT.exists()
    shown = page.read_text()
    assert shown.startswith("# Title")
    assert shown.endswith("The end.\n")
    assert "old" not in shown
    charts = list((tmp_path / "out").glob("*.svg"))
    assert {chart.name for chart in charts} == {
        "compare-1000-first-load.svg",
        "compare-1000-1-percent-changed.svg",
        "growth.svg",
    }
    for chart in charts:
        assert f"](out/{chart.name})" in shown
        assert ET.parse(chart).getroot().tag.endswith("svg")


def test_a_changed_record_keeps_its_ids_and_entry_dates() -> None:
    """Or the contestants would add opportunities where they should update them (M1)."""
    for number in range(200):
        before, after = prospect(number), prospect(number, changed=True)
        assert (before["cst_id"], before["dateadded"]) == (after["cst_id"], after["dateadded"])
        assert [each["id"] for each in before["leads"]] == [each["id"] for each in after["leads"]]
        assert before["lastchanged"] != after["lastchanged"]
        first, second = msgspec.json.decode(small_record(number)), msgspec.json.decode(small_record(number, 10))
        assert (first["cst_id"], first["dateadded"]) == (second["cst_id"], second["dateadded"])
        assert first["leads"] != second["leads"]


def test_changes_are_different_records_all_over_the_table() -> None:
    """Changes beside each other would be cheaper than in use."""
    numbers = changed_numbers(10_000, revision=3, number=500)
    assert len(set(numbers)) == 500
    assert max(numbers) - min(numbers) > 9_000
    assert numbers != changed_numbers(10_000, revision=4, number=500)


def test_syncs_of_a_simulated_hour_wait_for_each_other() -> None:
    """Ten that are due at once, on two cores: the last pair ends after five times the time of one; later ones do not
    wait for what has ended."""
    assert delays([0.0] * 10 + [60.0], 4.0, 2) == [4, 4, 8, 8, 12, 12, 16, 16, 20, 20, 4]


def test_parts_can_be_measured_one_after_another(tmp_path: Path) -> None:
    """A scenario at a size replaces its own earlier results, and leaves all others."""
    for size, seconds in ((1000, 1.0), (2000, 2.0), (1000, 3.0)):
        results = Results()
        results.add("growth", size, "ours: merging", "500 changes", seconds=seconds)
        write(report(results.all), tmp_path)
    found = msgspec.json.decode((tmp_path / "results.json").read_bytes(), type=Report)
    assert [(each.size, each.seconds) for each in found.results] == [(1000, [3.0]), (2000, [2.0])]
