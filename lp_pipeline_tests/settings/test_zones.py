"""One time zone database, the locked one, and names of places only (SPEC J5)."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lp_pipeline.clients.leadperfection.windows import Window, as_sent
from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import REPOSITORY, load_settings
from lp_pipeline_tests.scenario import LIVE

LOCKED = resources.files("tzdata") / "zoneinfo"
# Each place, and one whose rules a system of 2025 still has for it
OLD = {
    "America/Vancouver": "America/Los_Angeles",
    "America/Winnipeg": "America/Chicago",
    "America/Edmonton": "America/Denver",
}
WINTER = Window(datetime(2026, 12, 15, 20, tzinfo=UTC), datetime(2026, 12, 15, 20, 15, tzinfo=UTC))
ASK = """
import json, sys
from zoneinfo import ZoneInfo
import pandas
from lp_pipeline.clients.leadperfection.windows import Window, as_sent
from lp_pipeline.settings import load_settings
from datetime import datetime
begin, end, live = json.loads(sys.argv[1])
window = Window(datetime.fromisoformat(begin), datetime.fromisoformat(end))
for place in sys.argv[2:]:
    zone = load_settings({**live, "LP_TIMEZONE": place}).zone
    shown = pandas.Timestamp(begin).tz_convert(place).isoformat()
    print(json.dumps([as_sent(window, zone).fields(), shown, ZoneInfo(place) is zone]))
"""


def test_the_systems_own_database_is_never_asked(tmp_path: Path) -> None:
    """J5, W3: where the system's database is older than the locked one, windows follow the locked one; so does what
    pandas shows."""
    for place, old in OLD.items():
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((LOCKED / old).read_bytes())
    environ = {**os.environ, "PYTHONTZPATH": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    question = json.dumps([WINTER.begin.isoformat(), WINTER.end.isoformat(), LIVE])
    asked = subprocess.run(
        [sys.executable, "-c", ASK, question, *OLD], env=environ, capture_output=True, text=True, check=True
    )
    for line, (place, old) in zip(asked.stdout.splitlines(), OLD.items(), strict=True):
        fields, shown, same = json.loads(line)
        with (LOCKED / place).open("rb") as file:
            locked = ZoneInfo.from_file(file, key=place)
        assert fields == as_sent(WINTER, locked).fields()
        assert fields != as_sent(WINTER, ZoneInfo(old)).fields()
        assert shown == WINTER.begin.astimezone(locked).isoformat()
        assert same


PLACES = ["America/New_York", "America/Phoenix", "Pacific/Honolulu", "US/Eastern", "Canada/Pacific", "Navajo", "Japan"]


@pytest.mark.parametrize("name", PLACES)
def test_a_place_is_taken(name: str) -> None:
    """J5: links to a place are places, and so are places where clocks never change."""
    assert load_settings({**LIVE, "LP_TIMEZONE": name}).zone.key == name


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("EST", "America/New_York; or, where clocks never change, America/Jamaica or America/Panama"),
        ("est", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("Etc/GMT+5", "America/New_York"),
        ("UTC-5", "America/New_York"),
        ("-05:00", "America/New_York"),
        ("CST", "America/Chicago"),
        ("MST", "America/Denver; or, where clocks never change, America/Phoenix"),
        ("PST8PDT", "America/Los_Angeles"),
        ("AKST", "America/Anchorage"),
        ("HST", "Pacific/Honolulu"),
        ("GMT", "America/New_York"),
        ("UTC", "America/New_York"),
        ("Etc/UTC", "America/New_York"),
        ("Zulu", "America/New_York"),
        ("CET", "such as America/New_York"),
        ("Factory", "such as America/New_York"),
        ("america/new_york", "Did you mean America/New_York?"),
        ("America/New York", "Did you mean America/New_York?"),
        ("New_York", "Did you mean America/New_York?"),
        ("localtime", "such as America/New_York"),
        ("posixrules", "such as America/New_York"),
        ("/etc/localtime", "such as America/New_York"),
        ("../zoneinfo/America/New_York", "such as America/New_York"),
        ("America", "such as America/New_York"),
    ],
)
def test_what_is_no_place_is_refused_with_the_place_to_write(name: str, instead: str) -> None:
    """J5: a fixed offset is an hour off for half the year."""
    with pytest.raises(SettingsError) as caught:
        load_settings({**LIVE, "LP_TIMEZONE": name})
    assert "LP_TIMEZONE: " in str(caught.value)
    assert instead in str(caught.value)


IN_ANOTHER_DATABASE = """
import json, sys
from pathlib import Path
from click.testing import CliRunner
from lp_pipeline.cli.main import main
from lp_pipeline_tests.account import account
with account(Path(sys.argv[1])) as opened:
    warnings = []
    opened.read(warnings=warnings)
    now = opened.now.isoformat()
    ended = CliRunner().invoke(main, ["pushes"], env={**opened.environ, "LP_PIPELINE_NOW": now})
    print(json.dumps([now, warnings, [fields for _, fields in opened.lp.requests], ended.stderr]))
"""


@pytest.mark.slow
@pytest.mark.slow
def test_where_duckdb_reads_the_zone_differently_windows_cover_both_and_one_line_says_so(tmp_path: Path) -> None:
    """J5: here the locked database is another one, with New York on Chicago's time; DuckDB keeps its own."""
    packages = tmp_path / "packages"
    with resources.as_file(resources.files("tzdata")) as tzdata:
        shutil.copytree(tzdata, packages / "tzdata")
    shutil.copy(packages / "tzdata/zoneinfo/America/Chicago", packages / "tzdata/zoneinfo/America/New_York")
    environ = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{REPOSITORY}"}
    ran = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_DATABASE, tmp_path], env=environ, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    now, warnings, asked, stderr = json.loads(ran.stdout)
    first = Window(*[datetime.fromisoformat(now)] * 2)
    begins, ends = (as_sent(first, ZoneInfo(place)) for place in ("America/Chicago", "America/New_York"))
    windows = [fields for fields in asked if "startdate" in fields]
    assert windows
    for fields in windows:
        assert fields["startdate"] <= begins.fields()["startdate"]
        assert fields["enddate"] == ends.fields()["enddate"]
    assert [message for message in warnings if "DuckDB" in message] == warnings[:1]
    assert "LP_TIMEZONE=America/New_York" in warnings[0]
    assert [line for line in stderr.splitlines() if "DuckDB" in line] == [f"Warning: {warnings[0]}"]
