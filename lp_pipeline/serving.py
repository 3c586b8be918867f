"""`lp-pipeline inbox`: serving the inbox until it is interrupted. Only wiring."""

import os
import signal

import uvicorn
from rich.console import Console

from lp_pipeline.communications.inbox import PATH, inbox_app
from lp_pipeline.communications.ledger import note_pushing, recognise
from lp_pipeline.errors import SettingsError
from lp_pipeline.outbox import Outbox
from lp_pipeline.settings import Settings


def serve_inbox(settings: Settings, host: str, port: int, console: Console) -> None:
    """Take communications on `host`:`port` until SIGINT or SIGTERM; raises `SettingsError`."""
    if settings.communications_from != "inbox":
        raise SettingsError(
            "COMMUNICATIONS_FROM is export: the same message has another id there, so that both would push it twice. "
            "Set COMMUNICATIONS_FROM=inbox to use the inbox."
        )
    if not settings.inbox_secret.get_secret_value():
        raise SettingsError("INBOX_SECRET is not set. `openssl rand -hex 32` makes one; the sender needs it too.")
    os.umask(0o077)  # R4
    console.print(f"The inbox takes communications at [bold]http://{host}:{port}{PATH}[/] until Ctrl-C.")
    with Outbox(settings.data) as outbox:
        recognise(outbox, settings)
        note_pushing(outbox, settings)
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: None)  # the server ends by them, and raises them once more when it has
        server = uvicorn.Server(
            uvicorn.Config(inbox_app(outbox, settings), host=host, port=port, log_level="warning", access_log=False)
        )
        try:
            server.run()
        except SystemExit:
            raise SettingsError(f"Port {port} of {host} can't be used. Choose another one with --port.") from None
