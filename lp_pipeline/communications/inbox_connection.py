"""The inbox's connections (SPEC C2): a client that stalls, sends garbage or goes away costs no stack trace, and holds
up neither other clients nor the end of the program. What a request says, and its answer, are in `inbox.py`.
"""

import asyncio
from contextlib import suppress

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 60.0  # for a whole request to arrive, from connecting or from the previous answer
GRACE_SECONDS = 2.0  # for the rest of a request, once the program is to end
COMPLETE = (h11.DONE, h11.MUST_CLOSE, h11.CLOSED)


class Connection(H11Protocol):
    """uvicorn's connection, which by itself waits for a client forever."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time for the first request."""
        super().connection_made(transport)
        self._end_in(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop it."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Start the time for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._end_in(REQUEST_SECONDS)

    def shutdown(self) -> None:
        """The program is to end: a request that has not arrived whole has a moment left."""
        super().shutdown()
        self._end_in(GRACE_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """Answer garbage, unless an answer went out before the whole request was there; the request is over."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        with suppress(h11.LocalProtocolError):
            super().send_400_response(msg)
        self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """A request for a WebSocket is answered like any other."""

    def _end_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not (is_answering and self.conn.their_state in COMPLETE):
            self.transport.abort()
