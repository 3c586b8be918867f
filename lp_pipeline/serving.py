"""`lp-pipeline inbox`: serving the inbox until it is interrupted. Only wiring."""

import os
import signal
from collections.abc import Callable

import uvicorn
from rich.console import Console

from lp_pipeline.communications.inbox import PATH, check_inbox, inbox_app
from lp_pipeline.communications.ledger import note_pushing
from lp_pipeline.errors import SettingsError
from lp_pipeline.outbox import Outbox
from lp_pipeline.settings import Settings


def serve_inbox(load: Callable[[], Settings], host: str, port: int, console: Console) -> None:
    """Take communications on `host`:`port` until SIGINT or SIGTERM; raises `SettingsError`."""
    os.umask(0o077)  # R4
    settings = load()
    with Outbox(settings.data) as outbox:
        note_pushing(outbox, check_inbox(settings, outbox))
        console.print(f"The inbox takes communications at [bold]http://{host}:{port}{PATH}[/] until Ctrl-C.")
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: None)  # the server ends by them, and raises them once more when it has
        server = uvicorn.Server(
            uvicorn.Config(inbox_app(outbox, load), host=host, port=port, log_level="warning", access_log=False)
        )
        try:
            server.run()
        except SystemExit:
            raise SettingsError(f"Port {port} of {host} can't be used. Choose another one with --port.") from None
