"""The units of `deploy/systemd/` as files: systemd accepts them, and they say what every service needs (SPEC R4)."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lp_pipeline.cli.main import main
from lp_pipeline.settings import REPOSITORY, setting_names
from lp_pipeline_tests.deploy.units import COMMON, FOLDER, SERVICES, SOCKET, programs, settings_of

UNITS = sorted(path for suffix in ("service", "target", "timer") for path in FOLDER.glob(f"*.{suffix}"))
OURS = "/opt/lp-pipeline/venv/bin/"


def commands(path: Path) -> list[list[str]]:
    """Every command of a unit; what a shell is given counts as one."""
    lines = [value for name, value in settings_of(path) if name.startswith("Exec")]
    return [shlex.split(re.sub(r"^/bin/sh -c '(?:exec )?(.*)'$", r"\1", line)) for line in lines]


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("systemd-analyze") or os.environ.get("CI")), reason="apt-get install systemd")
def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, with this environment's programs in place of those in /opt."""
    copied = Path(shutil.copytree(FOLDER, tmp_path / "units"))
    ours = programs(tmp_path)
    for unit in copied.glob("*.service"):
        unit.write_text(unit.read_text().replace(OURS, f"{ours}/"))
    paths = [str(copied / unit.name) for unit in UNITS]
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_started_again_and_ended_by_term(name: str) -> None:
    """R1: whatever it died of, for ever; the target starts and ends it; its health is asked for every few minutes."""
    pairs = settings_of(FOLDER / f"lp-pipeline-{name}.service")
    assert {("Restart", "always"), ("KillSignal", "SIGTERM"), ("PartOf", "lp-pipeline.target")} <= set(pairs)
    assert ("WantedBy", "lp-pipeline.target") in pairs
    assert ("Wants", f"lp-pipeline-health@{name}.timer") in pairs
    assert ("StartLimitIntervalSec", "0") in settings_of(COMMON)


def test_all_run_as_a_user_of_their_own_that_can_change_nothing_else() -> None:
    """R4: files are for that user only, the rest of the machine is read-only, and no unit asks for more."""
    common = settings_of(COMMON)
    assert {("UMask", "0077"), ("NoNewPrivileges", "yes"), ("ProtectSystem", "strict")} <= set(common)
    (user,) = {value for name, value in common if name in ("User", "Group")}
    assert (FOLDER / "sysusers.conf").read_text().splitlines()[-1].startswith(f"u {user} ")
    own = {name for unit in UNITS for name, _ in settings_of(unit)}
    assert not own & {name for name, _ in common} - {"Environment", "StateDirectory"}


def test_settings_come_as_a_credential_and_no_unit_holds_one() -> None:
    """R4: only what reads LeadPerfection's or Hatch's secrets gets the file; a unit is readable by everybody."""
    with_settings = set()
    for unit in UNITS:
        pairs = settings_of(unit)
        assert ("Environment", "LP_PIPELINE_SETTINGS=%d/lp_pipeline.env") in pairs or "LP_PIPELINE_SETTINGS" not in str(
            pairs
        )
        if ("LoadCredential", "lp_pipeline.env:/etc/lp-pipeline/lp_pipeline.env") in pairs:
            with_settings.add(unit.stem.removeprefix("lp-pipeline-"))
    assert with_settings == {"code-server", "inbox", "backup"}
    set_here = [
        value.partition("=")[0]
        for unit in [*UNITS, COMMON]
        for name, value in settings_of(unit)
        if name == "Environment"
    ]
    assert set(set_here) & set(setting_names()) == {"LP_PIPELINE_DATA", "LP_PIPELINE_SANDBOX"}


def test_every_command_exists() -> None:
    """Ours by their names, the services' addresses as the workspace and the health check have them."""
    found = [command for unit in UNITS for command in commands(unit)]
    ours = [command for command in found if command[0] == f"{OURS}lp-pipeline"]
    assert {command[1] for command in ours} <= set(main.commands)
    assert {command[2] for command in ours if command[1] == "health"} == {*SERVICES, "%i"} - {"daemon"}
    assert [Path(command[0]).name for command in found if "--workspace" in command] == [
        "dagster-daemon",
        "dagster-webserver",
    ]
    (code_server,) = (command for command in found if "code-server" in command and "start" in command)
    workspace = yaml.safe_load((REPOSITORY / "deploy" / "workspace.yaml").read_text())
    assert (
        code_server[code_server.index("--socket") + 1] == SOCKET == workspace["load_from"][0]["grpc_server"]["socket"]
    )
