"""A LeadPerfection (and the one call of Hatch) on loopback that costs nearly nothing: prepared pages, or small records.

`python -m benchmarks.server --pages FOLDER` or `--small` prints its address. `show` says what both feeds have. It
speaks the contract and nothing more: what a LeadPerfection can do wrong is the sandbox's business.
"""

import argparse
import asyncio
import mmap
import subprocess
import sys
import urllib.request
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from benchmarks.records import changed_numbers, small_record

TOKEN = b'{"access_token":"t","token_type":"bearer","expires_in":86399}'
FEEDS = {"getlead": "leads", "getprospectdata": "prospects"}
HATCH_CONTACT = b'{"data":{"id":"0b9c6f0e-7a43-4f38-9a2c-1de2a7c2a111"}}'
NOTE_ADDED = b'"UPDATED SUCCESSFULLY!"'
Form = dict[str, str]


class Pages:
    """Both feeds from the files of `records.write_pages`; `part` is `full`, `changed` or `none`."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, tuple[memoryview, array[int]]] = {}
        for path in folder.glob("*.pages"):
            with path.open("rb") as file:
                content = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
            index = array("q", path.with_suffix(".index").read_bytes())
            self._files[path.stem] = (content, index)

    def page(self, feed: str, shown: Form, number: int, _size: int) -> memoryview | bytes:
        """A page as JSON; pages are as large as they were written."""
        content, index = self._files.get(f"{feed}.{shown['part']}", (b"", array("q")))
        return content[index[number] : index[number + 1]] if number + 1 < len(index) else b"[]"


class SmallRecords:
    """Records made as they are asked for, the same in both feeds: those from `first` to `last` (`part=range`), or
    `number` of `size` records in their form of `revision` (`part=changed`)."""

    def page(self, _feed: str, shown: Form, number: int, size: int) -> bytes:
        """A page as JSON."""
        begin = number * size
        if shown["part"] == "none":
            return b"[]"
        if shown["part"] == "range":
            first = int(shown["first"]) + begin
            records = [small_record(each) for each in range(first, min(first + size, int(shown["last"])))]
        else:
            revision = int(shown["revision"])
            numbers = changed_numbers(int(shown["size"]), revision, int(shown["number"]))[begin : begin + size]
            records = [small_record(each, revision) for each in numbers]
        return f"[{','.join(records)}]".encode()


class Connection(asyncio.Protocol):
    """One client; requests one after another."""

    shown: ClassVar[Form] = {"part": "none"}
    calls = 0
    source: Pages | SmallRecords
    delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to write to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            request, *headers = self._received[:end].decode("latin1").split("\r\n")
            sent = dict(header.lower().split(": ", 1) for header in headers)
            whole = end + 4 + int(sent.get("content-length", 0))
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            path = request.split(" ", 2)[1]
            if self.delay and path.startswith("/api/"):
                asyncio.get_running_loop().call_later(self.delay, self._answer, path, body)
            else:
                self._answer(path, body)

    def _answer(self, path: str, body: bytes) -> None:
        answer = self._body(path, body)
        # no Date: the clock of what is measured stands in the past, where windows are read twice (SPEC W4)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        self._transport.write(head.encode())
        self._transport.write(answer)

    def _body(self, path: str, body: bytes) -> bytes | memoryview:
        if path == "/v1/contacts":
            return HATCH_CONTACT
        form = dict(parse_qsl(body.decode()))
        if path == "/show":
            calls, Connection.calls, Connection.shown = Connection.calls, 0, form
            return str(calls).encode()
        if path == "/token":
            return TOKEN
        Connection.calls += 1
        feed = FEEDS.get(path.rpartition("/")[2].lower())
        if feed is None:
            return NOTE_ADDED
        return self.source.page(feed, self.shown, int(form["StartIndex"]) - 1, int(form["PageSize"]))


def show(address: str, part: str, **more: object) -> int:
    """Let both feeds have this from now on; how many calls there were since the last time."""
    data = urlencode({"part": part, **more}).encode()
    with urllib.request.urlopen(f"{address}/show", data, timeout=30) as answer:
        return int(answer.read())


@contextmanager
def server(folder: Path | None = None, *, delay_ms: float = 0) -> Iterator[str]:
    """A server in a process of its own: of the pages in `folder`, or else of small records; its address."""
    source = ["--pages", str(folder)] if folder else ["--small"]
    command = [sys.executable, "-m", "benchmarks.server", *source, "--delay-ms", str(delay_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def serve(source: Pages | SmallRecords, delay: float) -> None:
    """Serve on a free port until killed."""
    Connection.source, Connection.delay = source, delay
    listening = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await listening.serve_forever()


def main() -> None:
    """Serve what the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--delay-ms", type=float, default=0)
    given = parser.parse_args()
    asyncio.run(serve(Pages(given.pages) if given.pages else SmallRecords(), given.delay_ms / 1000))


if __name__ == "__main__":
    main()
