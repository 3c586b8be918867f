"""Serving the inbox until Ctrl-C: one account's at /communications, or that of all accounts on this host at
/communications/<account>, each with its own secret (SPEC C2, A5). What is accepted is decided in `inbox`.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lp_pipeline.communications.inbox import (
    HEALTH_PATH,
    PATH,
    Receiver,
    app_of,
    check_inbox,
    health_answer,
    inbox_app,
    logger,
    wrong_secret,
)
from lp_pipeline.communications.inbox_connection import Connection
from lp_pipeline.communications.ledger import note_pushing
from lp_pipeline.errors import PipelineError, SettingsError
from lp_pipeline.settings import Settings, listed_accounts, load_account
from lp_pipeline.storage.outbox import Outbox

ENDING_SECONDS = 3  # until a request that is still being stored is left to its sender


def serve_inbox(load: Callable[[], Settings], host: str, port: int, console: Console) -> None:
    """Accept communications on `host`:`port` until SIGINT or SIGTERM; raises `SettingsError`."""
    os.umask(0o077)  # R4
    settings = load()
    with Outbox(settings.data) as outbox:
        note_pushing(outbox, check_inbox(settings, outbox))
        console.print(f"The inbox accepts communications at [bold]http://{host}:{port}{PATH}[/]. Press Ctrl-C to stop.")
        _serve(inbox_app(outbox, load), host, port)
        if outbox.is_busy:  # a thread waits for another program to let go of it, and can't be interrupted
            os._exit(0)  # nothing is half-written, and its sender was asked to repeat it


def serve_all_inboxes(host: str, port: int, console: Console, stored: Callable[[str], object] = bool) -> None:
    """The same for every account of the accounts file whose folder is on this host; `stored` is called with an
    account whenever something new of it is on disk, and returns at once. Raises `SettingsError`."""
    os.umask(0o077)  # R4
    with AllInboxes(stored) as inboxes:
        names = [name for name in inboxes.names() if inboxes.receiver(name)]
        if not names:
            raise SettingsError("No account has its folder here and COMMUNICATIONS_FROM=inbox with an INBOX_SECRET.")
        console.print(
            f"The inbox accepts communications at [bold]http://{host}:{port}{PATH}/ACCOUNT[/] for {', '.join(names)}. "
            "Press Ctrl-C to stop."
        )
        _serve(inboxes.app(), host, port)
        if inboxes.is_busy:
            os._exit(0)


class AllInboxes:
    """A receiver for each account, opened at the start or its first request, closed at the end. One that can't be used
    fails its own requests alone."""

    def __init__(self, stored: Callable[[str], object] = bool) -> None:
        self._stored = stored
        self._stack = ExitStack()
        self._receivers: dict[str, Receiver] = {}

    def __enter__(self) -> "AllInboxes":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def is_busy(self) -> bool:
        """Whether a thread waits for another program to let go of an outbox."""
        return any(receiver.outbox.is_busy for receiver in self._receivers.values())

    def names(self) -> Iterator[str]:
        """The accounts that have an inbox here, as the accounts file and their settings say now."""
        for name, account in listed_accounts().items():
            try:
                settings = load_account(name)
            except SettingsError:
                continue  # on another shard, or broken: its syncs say what is wrong
            if account.enabled and settings.communications_from == "inbox":
                yield name

    def app(self) -> Starlette:
        """The web application: `POST /communications/<account>`, `GET /health` of all, `GET /health/<account>`."""
        return app_of(
            Route(f"{PATH}/{{account}}", self._receive, methods=["POST"]),
            Route(HEALTH_PATH, self._all_healthy, methods=["GET", "HEAD"]),
            Route(f"{HEALTH_PATH}/{{account}}", self._is_healthy, methods=["GET", "HEAD"]),
        )

    def receiver(self, name: str) -> Receiver | None:
        """The account's; None if it has no inbox here, which nobody without a secret can find out."""
        if name not in self._receivers:
            try:
                load = partial(load_account, name)
                settings = load()
                outbox = Outbox(settings.data)
                note_pushing(outbox, check_inbox(settings, outbox))
            except PipelineError as error:
                logger.error("The inbox of account %s can't be opened: %s", ascii(name[:40]), error)
                return None
            self._receivers[name] = Receiver(self._stack.enter_context(outbox), load, partial(self._stored, name))
        return self._receivers[name]

    async def _receive(self, request: Request) -> JSONResponse:
        receiver = self.receiver(request.path_params["account"])
        return await receiver.receive(request) if receiver else wrong_secret()

    async def _is_healthy(self, request: Request) -> JSONResponse:
        receiver = self.receiver(request.path_params["account"])
        return health_answer(can_store=receiver is not None and await receiver.can_store())

    async def _all_healthy(self, _request: Request) -> JSONResponse:
        answers = [await receiver.can_store() for receiver in self._receivers.values()]
        return health_answer(can_store=all(answers))


def _serve(app: Starlette, host: str, port: int) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: None)  # the server shuts down on them, and raises them again afterwards
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        log_level="error",  # its warnings are about requests that are no HTTP
        access_log=False,
        timeout_graceful_shutdown=ENDING_SECONDS,
    )
    try:
        uvicorn.Server(config).run()
    except SystemExit:
        raise SettingsError(f"Could not listen on port {port} of {host}. Choose another one with --port.") from None
