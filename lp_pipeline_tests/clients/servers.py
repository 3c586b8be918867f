"""A TLS server and a proxy on loopback, for tests of the way out."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server on 127.0.0.1 that ends with the block."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up in the handshake is what these tests are about."""

    server = Server(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def tls_server(certificate: trustme.LeafCert) -> Iterator[tuple[int, list[str]]]:
    """A server with this certificate that answers everything with `[1]`: its port, and the handshakes and requests."""
    seen: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def note_handshake(_socket: object, name: str | None, _context: object) -> None:
        seen.append(f"handshake for {name}")

    context.sni_callback = note_handshake

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            seen.append(self.path)
            self.send_response(200)
            self.send_header("content-length", "3")
            self.end_headers()
            self.wfile.write(b"[1]")

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler, context) as port:
        yield port, seen


@contextmanager
def proxy(status: int = 200, to: int = 0) -> Iterator[tuple[int, list[Any]]]:
    """A proxy that answers CONNECT with this status, and connects to that port whatever it is asked for: its port, and
    the authorization that each CONNECT brought."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.headers["proxy-authorization"])
            self.send_response(status)
            self.end_headers()
            if status == 200:
                with socket.create_connection(("127.0.0.1", to)) as server:
                    back = threading.Thread(target=_pump, args=(server, self.connection))
                    back.start()
                    _pump(self.connection, server)
                    back.join()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        yield port, asked


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
