"""The HTTP server on loopback, with one thread and one database connection per client connection.

Belongs here: sockets, headers, bodies, the control endpoints. Not here: the content of responses
(leadperfection/api.py, hatch/api.py).
"""

import json
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from lp_pipeline.sandbox import lost_answers
from lp_pipeline.sandbox.faults import Answer, answer_with, as_json
from lp_pipeline.sandbox.request import JSON, Call
from lp_pipeline.sandbox.world.store import World

LARGEST_BODY = 1_000_000


class Served(Protocol):
    """What the server needs from a sandbox."""

    before_request: Callable[[str, dict[str, str]], None] | None

    def open(self) -> World:
        """A connection to the database."""
        ...

    def saw(self, path: str, fields: dict[str, str]) -> None:
        """Record a request."""
        ...

    def advance(self, world: World) -> int:
        """Apply the events that are due."""
        ...

    def answer(self, world: World, call: Call) -> Answer:
        """The response to a call."""
        ...

    def switch(self, **values: Any) -> None:
        """Set switches."""
        ...

    def fault(self, kind: str, **details: Any) -> None:
        """Queue a fault."""
        ...

    def state(self) -> dict[str, Any]:
        """The state that `/sandbox/state` shows."""
        ...

    def utc_now(self) -> datetime:
        """The pipeline's clock."""
        ...

    def lp_utc_now(self, world: World) -> datetime:
        """LeadPerfection's clock."""
        ...


class Server(ThreadingHTTPServer):
    """A server that stops immediately and leaves no socket or thread behind."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sandbox: Served, port: int) -> None:
        self.sandbox = sandbox
        self.stopping = threading.Event()
        self._connections: dict[Any, threading.Thread] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's host name lookup, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that `stop` can join."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        super().shutdown_request(request)
        with self._lock:
            self._connections.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Accept no more requests, finish the current ones, close everything."""
        self.stopping.set()
        self.shutdown()
        with self._lock:
            live = list(self._connections.items())
        for connection, _ in live:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        for _, thread in live:
            thread.join(10)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One client connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet, or the client waits 40 ms for the second
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        """Open a database connection for this client connection."""
        super().setup()
        self.world: World = self.server.sandbox.open()

    def finish(self) -> None:
        """Close both connections."""
        self.world.close()
        with suppress(ConnectionError):
            super().finish()

    def do_GET(self) -> None:
        """Handle an API call or `/sandbox/state`."""
        call = self._read(b"")
        if call.path == "/sandbox/state":
            self._send(as_json(200, self.server.sandbox.state()))
        else:
            self._call(call)

    def do_POST(self) -> None:
        """Handle an API call or a control request."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(as_json(411, {"Message": "Content-Length is missing or too large."}))
            return
        call = self._read(self.rfile.read(int(length)))
        if call.path.startswith("/sandbox/"):
            self._send(self._control(call))
        else:
            self._call(call)

    def do_PUT(self) -> None:
        """Handle a call to Hatch, which accepts PUT and POST."""
        self.do_POST()

    def _read(self, body: bytes) -> Call:
        authorization = self.headers.get("Authorization", "")
        return Call(self.command, self.path, authorization, self.headers.get_content_type(), body)

    def _call(self, call: Call) -> None:
        sandbox, world = self.server.sandbox, self.world
        sandbox.saw(call.path, call.fields)
        if sandbox.before_request is not None:
            sandbox.before_request(call.path, call.fields)
        sandbox.advance(world)

        def normal() -> Answer:
            return sandbox.answer(world, call)

        def later(seconds: float) -> None:
            lost_answers.put_off(world, call, sandbox.utc_now(), seconds)

        fault = world.take_fault(call.path) or lost_answers.bad_luck(world, call.path)
        self._send(normal() if fault is None else answer_with(fault, normal, later, self.server.stopping.wait))

    def _control(self, call: Call) -> Answer:
        if call.content_type != JSON:  # also blocks web pages: browsers send a preflight request first
            return as_json(415, {"error": "Send JSON with Content-Type: application/json."})
        sandbox = self.server.sandbox
        try:
            values = json.loads(call.body)
            if call.path == "/sandbox/switch":
                sandbox.switch(**values)
            elif call.path == "/sandbox/fault":
                sandbox.fault(**values)
            else:
                return as_json(404, {"error": "Unknown path. Use /sandbox/switch, /sandbox/fault or /sandbox/state."})
        except (ValueError, TypeError) as error:
            return as_json(400, {"error": str(error)})
        return as_json(200, sandbox.state())

    def _send(self, reply: Answer | None) -> None:
        if reply is None or reply.sent is not None:
            self.close_connection = True
        if reply is None:
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: reply.sent])

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002
        """The `Date` header uses LP's clock, not this machine's."""
        return format_datetime(self.server.sandbox.lp_utc_now(self.world), usegmt=True)

    def version_string(self) -> str:
        """The `Server` header of the real LeadPerfection."""
        return "Microsoft-IIS/10.0"

    def log_message(self, *_: Any) -> None:
        """Log nothing: a request may contain a password."""
