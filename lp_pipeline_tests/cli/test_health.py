"""`lp-pipeline health`: what service managers and containers ask."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import grpc
import pytest
from click.testing import CliRunner, Result
from dagster._daemon.types import DaemonHeartbeat
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from lp_pipeline.cli.main import main
from lp_pipeline.settings.package_data import package_data

NOBODY = "http://127.0.0.1:9"


def ask(*arguments: str, home: Path | None = None) -> Result:
    return CliRunner().invoke(main, ["health", *arguments], env={"DAGSTER_HOME": str(home) if home else None})


@contextmanager
def answering(*codes: int) -> Iterator[tuple[str, list[str]]]:
    """A server that answers with these codes, then with the last one; its address, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(codes[min(len(asked), len(codes) - 1)])
            asked.append(self.path)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_a_worker_is_asked_for_by_its_queue() -> None:
    """As its unit is called; whatever is missing is named, and so is what there is."""
    assert "worker@east" in ask("worker").output
    assert ask("worker@east").output == "Error: FLEET_REDIS_URL is not set: set it as it is where the worker runs.\n"
    assert "code-server, daemon, web, inbox, worker" in ask("boiler").output


@pytest.mark.parametrize(("service", "path"), [("web", "/server_info"), ("inbox", "/health")])
def test_a_page_that_answers_well_is_healthy(service: str, path: str) -> None:
    """Exit code 0 for it; 1 with the reason for another answer, or none."""
    with answering(200) as (address, asked):
        assert ask(service, "--at", address).output == f"{service}: OK\n"
        assert asked == [path]
    with answering(503) as (address, _):
        refused = ask(service, "--at", address)
        assert (refused.exit_code, "HTTP 503" in refused.output) == (1, True)
    refused = ask(service, "--at", NOBODY)
    assert (refused.exit_code, f"{NOBODY} does not answer" in refused.output) == (1, True)


def test_a_code_server_is_healthy_once_it_serves(tmp_path: Path) -> None:
    """As `dagster api grpc-health-check` asks it, over its socket; not while it loads."""
    at = str(tmp_path / "code.sock")
    assert ask("code-server", "--at", at).exit_code == 1
    servicer, server = HealthServicer(), grpc.server(ThreadPoolExecutor(2))
    add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"unix:{at}")
    server.start()
    try:
        servicer.set("DagsterApi", HealthCheckResponse.NOT_SERVING)
        assert "not serving yet" in ask("code-server", "--at", at).output
        servicer.set("DagsterApi", HealthCheckResponse.SERVING)
        assert ask("code-server", "--at", at).output == "code-server: OK\n"
    finally:
        server.stop(None).wait()


@pytest.mark.slow
def test_a_daemon_is_healthy_while_all_its_parts_send_heartbeats(tmp_path: Path) -> None:
    """None, and one that is too old, are named with the home that they are missing from."""
    assert "DAGSTER_HOME is not set" in ask("daemon").output
    (tmp_path / "dagster.yaml").symlink_to(package_data("dagster.yaml"))
    assert f"The Dagster daemon of {tmp_path}" in ask("daemon", home=tmp_path).output
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        for age, code in ((3600.0, 1), (0.0, 0)):
            for kind in instance.get_required_daemon_types():
                instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - age, kind, "one"))
            assert ask("daemon", home=tmp_path).exit_code == code


def test_it_waits_for_what_starts() -> None:
    """`--wait`: a unit is not up before its service answers."""
    with answering(503, 503, 200) as (address, asked):
        assert ask("web", "--at", address).exit_code == 1
        assert ask("web", "--at", address, "--wait", "60").exit_code == 0
        assert len(asked) == 3
