"""The inbox (SPEC C2): a small HTTP endpoint that takes communications as JSON, stores them durably, and then says so.

What a communication must have is decided where the export's are read, too (`hatch.communication`).
"""

import asyncio
import hmac
import logging
import os
import signal
from collections.abc import Callable, Sequence

import msgspec
import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lp_pipeline.clients.hatch import Communication, Malformed, communication
from lp_pipeline.communications.landing import land
from lp_pipeline.communications.ledger import note_pushing
from lp_pipeline.errors import PipelineError, SettingsError, WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.outbox import Outbox, recognise

PATH = "/communications"
SECRET_HEADER = "x-inbox-secret"  # noqa: S105 (its name)
LARGEST = 1_000_000  # bytes
LARGEST_READ = 20 * LARGEST  # of what is too large, so that the sender gets to read the answer
NEEDS_CHANGE, TOO_LARGE, LATER = 400, 413, 503


logger = logging.getLogger(__name__)


class Refusal(Exception):
    """What the sender is told, and with which status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def check_inbox(settings: Settings, outbox: Outbox) -> Settings:
    """The settings, if an inbox over this outbox may run under them; raises `SettingsError`."""
    if settings.communications_from != "inbox":
        raise SettingsError(
            "COMMUNICATIONS_FROM is export. The same message has another id there, so using both would push it twice. "
            "Set COMMUNICATIONS_FROM=inbox to use the inbox."
        )
    if not settings.inbox_secret.get_secret_value():
        raise SettingsError("INBOX_SECRET is not set. `openssl rand -hex 32` makes one; the sender needs it too.")
    if outbox.path.parent != settings.data:
        raise SettingsError("LP_PIPELINE_DATA has changed since the inbox started. Restart `lp-pipeline inbox`.")
    recognise(outbox, settings)
    return settings


def inbox_app(outbox: Outbox, load: Callable[[], Settings]) -> Starlette:
    """The endpoint over an outbox; `POST /communications` with the secret in `X-Inbox-Secret`.

    `load` is called for each request, so that a switch or a secret that was changed holds from then on.
    """
    writer = _Writer(outbox, load)

    async def receive(request: Request) -> JSONResponse:
        try:
            settings = check_inbox(load(), outbox)
            _check_secret(request, settings)
            items = _communications(await _body(request), settings)
            await writer.store(items)
        except Refusal as refusal:
            return JSONResponse({"error": str(refusal)}, refusal.status)
        except PipelineError as error:  # a full disk, say, or a settings file that is being edited
            logger.error("The inbox could not store what was sent: %s", error)  # noqa: TRY400 (no values of a request)
            return JSONResponse({"error": "Not stored; send it again later."}, LATER)
        return JSONResponse({"accepted": len(items)}, 202)

    app = Starlette(routes=[Route(PATH, receive, methods=["POST"])])
    app.router.redirect_slashes = False  # who followed it would send the secret once more
    return app


def _check_secret(request: Request, settings: Settings) -> None:
    given = request.headers.get(SECRET_HEADER, "").encode("latin-1", "replace")
    if not hmac.compare_digest(given, settings.inbox_secret.get_secret_value().encode()):
        raise Refusal(401, "The X-Inbox-Secret header is missing or wrong.")


async def _body(request: Request) -> bytes:
    too_large = Refusal(TOO_LARGE, f"At most {LARGEST:,} bytes at once; send it in parts.")
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= LARGEST:
            body += chunk
        elif size > LARGEST_READ:
            raise too_large
    if size > LARGEST:
        raise too_large
    return bytes(body).removeprefix(b"\xef\xbb\xbf")


def _communications(body: bytes, settings: Settings) -> list[Communication]:
    """All that was sent, or a refusal that says what is wrong with which of them, without its values (SPEC R4)."""
    try:
        is_list = body.lstrip()[:1] == b"["
        lines = msgspec.json.decode(body, type=list[msgspec.Raw]) if is_list else [msgspec.Raw(body)]
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refusal(NEEDS_CHANGE, "The body is not JSON: one communication, or a list of them.") from None
    read = [communication(bytes(line), settings.hatch_time_columns) for line in lines]
    wrong = [
        f"communication {place}: {item.reason}" for place, item in enumerate(read, 1) if isinstance(item, Malformed)
    ]
    if wrong:
        more = f" (and {len(wrong) - 5} more)" if len(wrong) > 5 else ""
        raise Refusal(NEEDS_CHANGE, f"Nothing was stored. {'; '.join(wrong[:5])}{more}.")
    return [item for item in read if isinstance(item, Communication)]


class _Writer:
    """Stores what several requests bring in one durable transaction: while one is under way, the next ones gather."""

    def __init__(self, outbox: Outbox, load: Callable[[], Settings]) -> None:
        self._outbox = outbox
        self._load = load
        self._waiting: list[tuple[Sequence[Communication], asyncio.Future[None]]] = []
        self._turn = asyncio.Lock()

    async def store(self, items: Sequence[Communication]) -> None:
        """Return once they are on disk; raises `WarehouseError` if they are not."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, stored))
        async with self._turn:
            if not stored.done():
                batch, self._waiting = self._waiting, []
                await self._land(batch)
        await stored

    async def _land(self, batch: Sequence[tuple[Sequence[Communication], asyncio.Future[None]]]) -> None:
        together = [item for items, _ in batch for item in items]
        try:
            await run_in_threadpool(land, self._outbox, self._load(), together, "inbox")
        except BaseException as error:  # nobody waits for ever
            for _, stored in batch:
                stored.set_exception(error if isinstance(error, Exception) else WarehouseError("The inbox is ending."))
            if not isinstance(error, Exception):
                raise
        else:
            for _, stored in batch:
                stored.set_result(None)


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
