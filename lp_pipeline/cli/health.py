"""`lp-pipeline health`: whether one of the services of a deployment answers, for service managers and containers.
Whether the data is fresh and all is well with it is the business of `status`.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import click

WEB, INBOX = "http://127.0.0.1:3000", "http://127.0.0.1:8766"
SOCKET = Path("/run/lp-pipeline/code-server.sock")
SECONDS = 10.0  # for one answer
HEARTBEAT_SECONDS = 300.0  # of a daemon that lives comes every 30 seconds


def _page(address: str, name: str) -> str | None:
    import httpx

    try:
        code = httpx.get(f"{address.rstrip('/')}/{name}", timeout=SECONDS, trust_env=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"{address} does not answer: {str(error) or type(error).__name__}."
    return None if code == 200 else f"{address}/{name} answers with HTTP {code}."


def _web(address: str | None) -> str | None:
    return _page(address or WEB, "server_info")


def _inbox(address: str | None) -> str | None:
    return _page(address or INBOX, "health")


def _code_server(address: str | None) -> str | None:
    """As `dagster api grpc-health-check`, without loading Dagster, which takes two seconds of CPU time."""
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
    from grpc_health.v1.health_pb2_grpc import HealthStub

    at = address or str(SOCKET)
    own = [("grpc.use_local_subchannel_pool", 1)]  # one that is shared remembers for a second that nobody answered
    with grpc.insecure_channel(f"unix:{at}" if at.startswith("/") else at, own) as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service="DagsterApi"), timeout=SECONDS)
        except grpc.RpcError as error:
            return f"{at} does not answer ({error.code().name})."
    return None if answer.status == HealthCheckResponse.SERVING else f"{at} is not serving yet."


def _daemon(_: str | None) -> str | None:
    import dagster as dg
    from dagster._daemon.controller import all_daemons_live

    from lp_pipeline.cli.home import plain_storage_errors

    home = os.environ.get("DAGSTER_HOME", "")
    if not home:
        return "DAGSTER_HOME is not set: set it as it is where the daemon runs."
    with plain_storage_errors(Path(home)), dg.DagsterInstance.from_config(home) as instance:
        if all_daemons_live(instance, heartbeat_tolerance_seconds=HEARTBEAT_SECONDS):
            return None
    return f"The Dagster daemon of {home} has sent no heartbeat for {HEARTBEAT_SECONDS:.0f} seconds, or none yet."


def _worker(queue: str | None) -> str | None:
    """Without Redis nobody can tell; that is no reason to start a worker again, which would end its runs."""
    from lp_pipeline.orchestration.fleet_redis import is_answered

    if not queue:
        return "Which worker? Name its queue, for example:  lp-pipeline health worker@east"
    answered = is_answered(queue)
    if answered is None:
        click.echo("Redis does not answer, so nobody can tell whether the worker does.", err=True)
    return f"The worker of the queue {queue} does not answer on this host." if answered is False else None


SERVICES: dict[str, Callable[[str | None], str | None]] = {
    "code-server": _code_server,
    "daemon": _daemon,
    "web": _web,
    "inbox": _inbox,
    "worker": _worker,
}


class Service(click.ParamType[str]):
    """A name of SERVICES; a worker's with its queue, as its unit is called: `worker@east`."""

    name = "SERVICE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, if there is such a service."""
        if value.partition("@")[0] not in SERVICES:
            self.fail(f"{value!r} is none of {', '.join(SERVICES)}.", param, ctx)
        return value


@click.command()
@click.argument("service", type=Service(), metavar="SERVICE")
@click.option("--at", "address", help=f"Its address, if not {WEB}, {INBOX}, or for the code server {SOCKET}.")
@click.option("--wait", "seconds", default=0, show_default=True, help="Seconds to wait until it is healthy.")
def health(service: str, address: str | None, seconds: int) -> None:
    """Check whether a service answers: exit code 0 if it does, 1 with the reason if not.

    SERVICE is code-server, daemon, web, inbox, or worker@QUEUE for a worker of a fleet.
    """
    deadline = time.monotonic() + seconds
    name, _, queue = service.partition("@")
    while (wrong := SERVICES[name](address or queue or None)) and time.monotonic() < deadline:
        time.sleep(0.5)
    if wrong:
        raise click.ClickException(wrong)
    click.echo(f"{service}: OK")


COMMANDS = (health,)
