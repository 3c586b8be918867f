"""The readings of one window on their way into the warehouse: each is landed as its page arrives and becomes a line of
a spool file, so that a large window fills the disk and not the memory. What is new in it, SQL decides (`landing`).
"""

import shutil
import tempfile
import weakref
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from lp_pipeline.clients.leadperfection import Reading
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.forgotten import Forgotten
from lp_pipeline.storage.records import Landed, land, land_value

_encode = msgspec.json.Encoder().encode
IN_MEMORY = 8_000_000  # bytes; beyond that, a file without a name, which is gone when this process is
BUFFER = 1_000_000  # bytes that go to the file at once
OPEN_FILES = Path("/proc/self/fd")  # on Linux: this process's, by their numbers


class Spool:
    """Readings in the order received; `folder` is the account's. `shapes` are the prospects' different sets of keys, by
    whose place each line names its own; `longest` is the length of the longest line."""

    def __init__(self, folder: Path, ignored: Collection[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.longest = 0
        self._folder = folder
        self._ignored = ignored
        self._shapes: dict[tuple[str, ...], int] = {}
        self._number = 0
        self._read_at: datetime | None = None
        self._read_at_text = b""
        self._waiting: list[bytes] = []  # lines that are not in the file yet
        self._waiting_bytes = 0
        self._lines = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder))  # noqa: SIM115  # closed by the next line
        # whichever way the reading ended: a `__del__` may come after the file's own, which complains (cycles)
        self.close = weakref.finalize(self, self._lines.close)

    @classmethod
    def of(cls, readings: Iterable[Reading], folder: Path, ignored: Collection[str]) -> Self:
        """A spool of readings that are in memory."""
        spool = cls(folder, ignored)
        for reading in readings:
            spool._write(reading, land(reading.record, ignored))
        return spool

    def add(self, reading: Reading, value: object) -> None:
        """Land a reading whose record was decoded already. Raises `WarehouseError` if the disk is full."""
        self._write(reading, land_value(reading.record, value, self._ignored))

    def __len__(self) -> int:
        return self._number

    @property
    def shapes(self) -> list[tuple[str, ...]]:
        """The different sets of keys, in the order of their numbers."""
        return list(self._shapes)

    def readable(self, path: Path) -> Path:
        """Where DuckDB can read the lines, without those of people who were erased (SPEC E5); asked now, since somebody
        may have been erased while the others were read. It is a file of that name, unless nothing has to be copied."""
        self._flush()
        forgotten = Forgotten(self._folder)
        if not forgotten and OPEN_FILES.exists():
            number = self._lines.fileno()  # which writes what is still in memory
            self._lines.flush()
            return OPEN_FILES / str(number)
        self._lines.seek(0)
        path.touch(mode=0o600)
        with path.open("wb") as file:
            if forgotten:
                file.writelines(line for line in self._lines if not forgotten.knows("prospect", _key_in(line)))
            else:
                shutil.copyfileobj(self._lines, file, IN_MEMORY)
        return path

    def _write(self, reading: Reading, landed: Landed) -> None:
        shape = self._shapes.setdefault(landed.names, len(self._shapes))
        if reading.read_at is not self._read_at:  # the same for a whole page
            self._read_at = reading.read_at
            self._read_at_text = reading.read_at.isoformat().encode()
        key = _encode(landed.key)
        line = b"%d\x01%d\x01%b\x01%b\x01%b\x01%d\x01%d\x01%b\x01%b\n" % (
            reading.page,
            reading.place,
            self._read_at_text,
            key,
            b"" if landed.id is None else key if landed.id == landed.key else _encode(landed.id),
            landed.digest,
            shape,
            # between tokens only: inside a text JSON escapes them
            reading.record.replace(b"\n", b" ").replace(b"\r", b" "),
            landed.normal or b"",
        )
        self.longest = max(self.longest, len(line))
        self._number += 1
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        if self._waiting_bytes > BUFFER:
            self._flush()

    def _flush(self) -> None:
        lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
        try:
            self._lines.write(b"".join(lines))
        except OSError:
            with readable_errors(f"write to {self._folder}"):
                raise


def _key_in(line: bytes) -> str:
    return msgspec.json.decode(line.split(b"\x01", 4)[3], type=str)
