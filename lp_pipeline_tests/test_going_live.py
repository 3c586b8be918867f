"""SPEC E10, D1: each command of docs/going-live.md does what the page says, in order, on a server of LP's contract."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from lp_pipeline.cli.main import main
from lp_pipeline.sandbox import Sandbox
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.first_sync import SOME
from lp_pipeline_tests.scenario import NOON

PAGE = (REPOSITORY / "docs" / "going-live.md").read_text(encoding="utf-8")
TOOL, DAGSTER = ".venv/bin/lp-pipeline", ".venv/bin/dagster"
SECRETS = {"password": "pass word", "app-key": "app", "hatch-key": "hatch", "export-key": "export"}


@dataclass
class NewUser:
    """Somebody in a folder of their own, with a LeadPerfection and a Hatch on loopback."""

    folder: Path
    lp: Sandbox
    environ: dict[str, str]
    address: str

    def does(self, line: str) -> str:
        """What a line of the page prints; it succeeds."""
        words = shlex.split(line.replace("--lp-url api2", f"--lp-url {self.address}"))
        if words[0] == DAGSTER:
            command = [sys.executable, "-m", "dagster", *words[1:]]
            environ = {**os.environ, **self.environ}
            return subprocess.run(
                command, env=environ, cwd=self.folder, check=True, capture_output=True, text=True
            ).stdout
        tool = words.index(TOOL)
        settings = dict(word.split("=", 1) for word in words[:tool])
        with chdir(self.folder):
            result = CliRunner(env={**self.environ, **settings}).invoke(main, words[tool + 1 :])
        assert result.exit_code == 0, (line, result.output, result.exception)
        return result.output


@pytest.fixture
def new_user(tmp_path: Path) -> Iterator[NewUser]:
    (tmp_path / "lp").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    for name, secret in SECRETS.items():
        (tmp_path / name).write_text(f"{secret}\n")
    lp = Sandbox(tmp_path / "lp", clock=lambda: NOON, population=SOME)
    lp.switch(clientid="acme", username="api", password=SECRETS["password"], appkey=SECRETS["app-key"])
    lp.switch(hatch_api_key=SECRETS["hatch-key"], hatch_export_key=SECRETS["export-key"])
    with lp.serve() as address:
        environ = {
            "LP_PIPELINE_SETTINGS": str(tmp_path / "lp_pipeline.env"),
            "LP_PIPELINE_DATA": str(tmp_path / "data"),
            "LP_PIPELINE_NOW": NOON.isoformat(),
            "LP_RATE_PER_MINUTE": "60000",
            "HATCH_EXPORT_MINUTES": "0",
            "DAGSTER_HOME": str(tmp_path / "home"),
            **dict.fromkeys(("HATCH_API_URL", "HATCH_EXPORT_URL"), address),
        }
        yield NewUser(tmp_path, lp, environ, address)


@pytest.mark.slow
def test_its_commands_work_in_their_order(new_user: NewUser) -> None:
    """Nothing reaches Hatch before step 5 nor LeadPerfection before step 6; both dry runs say what then happens."""
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    asks = f"{TOOL} connect"  # tested in cli/test_connect.py, as `make` is elsewhere
    lines = [line for line in blocks.splitlines() if ".venv/bin/" in line and line != asks]
    assert len(lines) >= 12
    shown: dict[str, str] = {}
    for line in lines:
        dry, is_push = "--dry-run" in line, f"{TOOL} push" in line
        sent = len(new_user.lp.hatch_writes()), len(new_user.lp.all_notes())
        command = " ".join(line.partition(f"{TOOL} ")[2].split()[:1]) + (" --dry-run" if dry else "")
        shown[command] = new_user.does(line)
        now = len(new_user.lp.hatch_writes()), len(new_user.lp.all_notes())
        assert now[0] == sent[0] or command == "deliver", line
        assert now[1] == sent[1] or is_push, line
    assert "No problems." in shown["doctor"]
    planned = re.search(r"To Hatch \(127.0.0.1\): (\d+) opportunities", shown["deliver --dry-run"])
    assert planned
    assert int(planned[1]) == len(new_user.lp.hatch_writes()) > 10
    notes = re.search(r"\n  notes +(\d+), on (\d+) record", shown["push --dry-run"])
    assert notes, shown["push --dry-run"]
    assert int(notes[1]) > 0


def test_its_manual_part_names_the_menu_and_the_servers() -> None:
    """What a person has to do in LeadPerfection is there as it is called there."""
    from lp_pipeline.clients.leadperfection.auth import UNLOCK

    assert UNLOCK in PAGE
    assert PAGE.count(".leadperfection.com") == 3
