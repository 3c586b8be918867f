"""`lp-pipeline sandbox`: serves the sandbox on its own, for other programs, tests and manual experiments.

Only wiring: prints the connection settings and serves until interrupted.
"""

import json
import signal
from collections.abc import Sequence
from threading import Event
from typing import Any

from rich.console import Console

from lp_pipeline.errors import SettingsError
from lp_pipeline.sandbox.sandbox import Sandbox
from lp_pipeline.settings import Settings


def serve(settings: Settings, port: int, switches: Sequence[str], console: Console) -> None:
    """Serve the sandbox of the data folder on 127.0.0.1:`port` until SIGINT or SIGTERM."""
    if settings.lp_api_url:
        raise SettingsError(
            "LP_API_URL is set, so this data folder belongs to a real account. Unset it to use the sandbox."
        )
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    sandbox = Sandbox(settings.data, clock=settings.now, zone=settings.lp_timezone)
    try:
        sandbox.switch(**dict(_parsed(switch) for switch in switches))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with sandbox.serve(port) as address:
            console.print(
                f"The sandbox serves LeadPerfection and Hatch on [bold]{address}[/] until you press Ctrl-C. "
                "To point a pipeline at it:\n\n"
                f"  export LP_API_URL={address} LP_TIMEZONE={settings.lp_timezone}\n"
                "  export LP_CLIENT_ID=sandbox LP_USERNAME=sandbox LP_PASSWORD=sandbox LP_APP_KEY=sandbox\n"
                f"  export HATCH_API_URL={address} HATCH_EXPORT_URL={address}\n"
                "  export HATCH_API_KEY=sandbox HATCH_SOURCE=custom:leadperfection HATCH_EXPORT_KEY=sandbox\n"
                "  export LP_CALL_TYPE=O LP_RESULT_CODE=LM\n\n"
                f"To see its state, switches and faults: curl {address}/sandbox/state"
            )
            stop.wait()
    except OSError as error:
        raise SettingsError(f"Port {port} can't be used: {error.strerror}. Choose another with --port.") from None


def _parsed(switch: str) -> tuple[str, Any]:
    name, _, value = switch.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
