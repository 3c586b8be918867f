"""The inbox (SPEC C2): a small HTTP endpoint that accepts communications as JSON and answers once they are on disk.

What a valid communication is, is decided by `clients.hatch.communication`, for the export and the inbox alike.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lp_pipeline.clients.hatch import Communication, Malformed, communication
from lp_pipeline.communications.landing import land
from lp_pipeline.errors import PipelineError, SettingsError, WarehouseError
from lp_pipeline.settings import Settings
from lp_pipeline.storage.account import check_outbox
from lp_pipeline.storage.outbox import Outbox, iso

PATH, HEALTH_PATH = "/communications", "/health"
HEALTH_FACT = "inbox_checked_at"
SECRET_HEADER = "x-inbox-secret"  # noqa: S105 (its name)
LARGEST = 1_000_000  # bytes
LARGEST_READ = 20 * LARGEST  # of a body that is too large, so that the sender can read the answer
NEEDS_CHANGE, TOO_LARGE, LATER = 400, 413, 503
WRONG_SECRET = "The X-Inbox-Secret header is missing or wrong."  # noqa: S105
NOT_STORED = {"error": "Not stored; send it again later."}
HEALTH_SECONDS = 5.0  # how long an answer about health holds, and how long it may take

logger = logging.getLogger(__name__)


class Refusal(Exception):
    """An error response: its message and status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def check_inbox(settings: Settings, outbox: Outbox) -> Settings:
    """The settings, if an inbox may run with them and this outbox; raises `SettingsError`."""
    if settings.communications_from != "inbox":
        raise SettingsError(
            "COMMUNICATIONS_FROM is set to export. The same message has a different id in the export, so using both "
            "would push it twice. To use the inbox, set COMMUNICATIONS_FROM=inbox."
        )
    if not settings.inbox_secret.get_secret_value():
        raise SettingsError(
            "INBOX_SECRET is not set. Create one with `openssl rand -hex 32`; the sender needs it, too."
        )
    if outbox.path.parent != settings.data:
        raise SettingsError("LP_PIPELINE_DATA has changed since the inbox started. Restart `lp-pipeline inbox`.")
    check_outbox(outbox, settings)
    return settings


def inbox_app(outbox: Outbox, load: Callable[[], Settings]) -> Starlette:
    """The endpoint over an outbox: `POST /communications` with the secret header, `GET /health` without."""
    receiver = Receiver(outbox, load)
    return app_of(
        Route(PATH, receiver.receive, methods=["POST"]),
        Route(HEALTH_PATH, receiver.is_healthy, methods=["GET", "HEAD"]),
    )


def app_of(*routes: Route) -> Starlette:
    """A web application of these routes alone."""
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False  # a client that follows it would send the secret again
    return app


class Receiver:
    """What is sent to one account: checked, stored, answered.

    `load` is called for each request, so that a changed switch or secret takes effect at once; `stored` whenever
    something new is on disk.
    """

    def __init__(self, outbox: Outbox, load: Callable[[], Settings], stored: Callable[[], object] = bool) -> None:
        self.outbox = outbox
        self._load, self._stored = load, stored
        self._writer, self._health = _Writer(outbox, load), _Health(outbox, load)

    async def receive(self, request: Request) -> JSONResponse:
        """202 once everything in the request is on disk, or why it is not."""
        try:
            settings = check_inbox(self._load(), self.outbox)
            _check_secret(request, settings)
            items = _communications(await _body(request), settings)
            await self._writer.store(items)
            self._stored()
        except Refusal as refusal:
            return JSONResponse({"error": str(refusal)}, refusal.status)
        except PipelineError as error:  # for example a full disk, or a settings file that is being edited
            logger.error("The inbox could not store a request: %s", error)  # noqa: TRY400 (no values of a request)
            return JSONResponse(NOT_STORED, LATER)
        except ClientDisconnect:
            logger.warning("A client left, or sent too slowly, before its request was complete. Nothing was stored.")
            return JSONResponse(NOT_STORED, NEEDS_CHANGE)
        except asyncio.CancelledError:  # the program ends
            logger.warning(
                "A request was not stored in time before the inbox ended; its sender was asked to repeat it."
            )
            return JSONResponse(NOT_STORED, LATER)
        return JSONResponse({"accepted": len(items)}, 202)

    async def is_healthy(self, _request: Request) -> JSONResponse:
        """200 if a request would be stored."""
        return health_answer(can_store=await self.can_store())

    async def can_store(self) -> bool:
        """Whether a request would be stored, as found out a few seconds ago at most."""
        return await self._health.can_store()


def health_answer(*, can_store: bool) -> JSONResponse:
    """What `GET /health` answers."""
    return JSONResponse({"can_store": can_store}, 200 if can_store else LATER)


def wrong_secret() -> JSONResponse:
    """The answer to a request without the secret, or with a wrong one."""
    return JSONResponse({"error": WRONG_SECRET}, 401)


def _check_secret(request: Request, settings: Settings) -> None:
    given = request.headers.get(SECRET_HEADER, "").encode("latin-1", "replace")
    if not hmac.compare_digest(given, settings.inbox_secret.get_secret_value().encode()):
        raise Refusal(401, WRONG_SECRET)


async def _body(request: Request) -> bytes:
    too_large = Refusal(TOO_LARGE, f"The body is over {LARGEST:,} bytes; send it in several requests.")
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
    """All communications of a body, or a refusal that names the wrong items and columns, without values (SPEC R4)."""
    try:
        is_list = body.lstrip()[:1] == b"["
        lines = msgspec.json.decode(body, type=list[msgspec.Raw]) if is_list else [msgspec.Raw(body)]
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refusal(NEEDS_CHANGE, "The body is not valid JSON. Send one communication, or a list of them.") from None
    read = [communication(bytes(line), settings.hatch_time_columns) for line in lines]
    wrong = [
        f"communication {place}: {item.reason}" for place, item in enumerate(read, 1) if isinstance(item, Malformed)
    ]
    if wrong:
        more = f" (and {len(wrong) - 5} more)" if len(wrong) > 5 else ""
        raise Refusal(NEEDS_CHANGE, f"Nothing was stored. {'; '.join(wrong[:5])}{more}.")
    return [item for item in read if isinstance(item, Communication)]


class _Writer:
    """Stores several requests in one durable transaction: while one is being written, the next ones queue up."""

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
        except BaseException as error:  # no request waits forever
            failure = error if isinstance(error, Exception) else WarehouseError("The inbox is shutting down.")
            for _, stored in batch:
                if not stored.done():
                    stored.set_exception(failure)
            if not isinstance(error, Exception):
                raise
        else:
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)


class _Health:
    """Whether a request would be stored, found out by storing something, at most every few seconds."""

    def __init__(self, outbox: Outbox, load: Callable[[], Settings]) -> None:
        self._outbox = outbox
        self._load = load
        self._asked_at = float("-inf")
        self._answer: asyncio.Task[bool] | None = None

    async def can_store(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self._answer is None or (self._answer.done() and now - self._asked_at >= HEALTH_SECONDS):
            self._asked_at, self._answer = now, asyncio.create_task(run_in_threadpool(self._try))
        try:
            done, _ = await asyncio.wait([self._answer], timeout=HEALTH_SECONDS)
        except asyncio.CancelledError:  # the program ends
            return False
        return bool(done) and self._answer.result()

    def _try(self) -> bool:
        try:
            settings = check_inbox(self._load(), self._outbox)
            self._outbox.keep(HEALTH_FACT, iso(settings.now()))
        except PipelineError as error:
            logger.error("The inbox can't store anything: %s", error)  # noqa: TRY400
            return False
        return True
