"""Bulk exports (contract 2): a zip with newline-delimited JSON in, its lines out, verbatim. What a line means is read
in `records`; when an export may be asked for again is decided by the caller, who keeps the ledger.
"""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Literal

from lp_pipeline.clients.json_repair import bare

DataSource = Literal["conversation_items", "contact_history"]

LARGEST = 512 * 1024 * 1024  # bytes unpacked; Hatch itself stops at 100 MB
CHUNK = 1024 * 1024  # bytes unpacked at a time: line by line, blank lines would take minutes
LONGEST_RANGE = 180  # days
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # a password is wanted
    NotImplementedError,  # a packing that Python doesn't know
    ValueError,
    IndexError,  # a file without a name
)


class BadExport(Exception):
    """The answer is no export; `str` says why, in safe words."""


def unpacked(archive: bytes, largest: int = LARGEST) -> list[bytes]:
    """The lines of all files in a zip; raises `BadExport` if it is none, broken, or holds more than `largest` bytes."""
    try:
        return list(_lines(archive, largest))
    except ZIP_ERRORS as error:
        raise BadExport(f"its zip can't be unpacked ({type(error).__name__})") from None


def _lines(archive: bytes, largest: int) -> Iterator[bytes]:
    left = largest
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for member in opened.infolist():
            if member.filename.endswith("/") or member.filename.startswith("__MACOSX/"):
                continue
            with opened.open(member) as file:
                begun: list[bytes] = []  # of a line that continues in the next chunk
                while chunk := file.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise BadExport(f"it unpacks to more than {largest} bytes")
                    first, *others = chunk.split(b"\n")
                    begun.append(first)
                    if others:
                        yield from _filled([b"".join(begun), *others[:-1]])
                        begun = [others[-1]]
                yield from _filled([b"".join(begun)])


def _filled(lines: Iterable[bytes]) -> Iterator[bytes]:
    return (text for line in lines if line and (text := bare(line)))
