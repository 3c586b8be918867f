"""The definitions of many accounts with another cadence, so that a drill need not last for hours, and what serves them:
a code server of its own, as in a deployment, and a daemon."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from lp_pipeline.orchestration.build import build_account_definitions
from lp_pipeline.settings import REPOSITORY
from lp_pipeline_tests.drills.deployment import DAGSTER, free_port

MINUTES = "FLEET_DRILL_MINUTES"
MODULE = "lp_pipeline_tests.drills.often"


@dg.definitions
def definitions() -> dg.Definitions:
    """The project's own, each account synced every so many minutes."""
    return build_account_definitions(minutes=int(os.environ[MINUTES]))


def start_code_server(folder: Path) -> subprocess.Popen[bytes]:
    """Serve them; `workspace.yaml` of the folder says where."""
    port = free_port()
    server = f"{{host: 127.0.0.1, port: {port}, location_name: {MODULE}}}"
    (folder / "workspace.yaml").write_text(f"load_from:\n  - grpc_server: {server}\n")
    command = [DAGSTER, "api", "grpc", "-m", MODULE, "--host", "127.0.0.1", "--port", str(port)]
    return _started([*command, "--location-name", MODULE], folder / "code-server.log")


def start_daemon(folder: Path) -> subprocess.Popen[bytes]:
    """A daemon for the code server of this folder."""
    command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-w", str(folder / "workspace.yaml")]
    return _started(command, folder / "daemon.log")


def _started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(command, cwd=REPOSITORY, stdout=file, stderr=file)
