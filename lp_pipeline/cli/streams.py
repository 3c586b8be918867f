"""The standard streams of a command. A letter that a terminal or file can't hold is written as JSON escapes it, which
keeps JSON exact: `\\u00e9`. What is typed is read as UTF-8, or refused in one message.
"""

import codecs
import io
import json
import os
import sys
from pathlib import Path

ESCAPE = "lp_pipeline.escape"
ASCII = "lp_pipeline.ascii"


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _codec(name: str) -> codecs.CodecInfo | None:
    """ASCII under another name: click takes a stream that is called ASCII for a mistake, and writes UTF-8 to it."""
    if name != ASCII:
        return None
    found = codecs.lookup("ascii")
    return codecs.CodecInfo(
        found.encode,
        found.decode,
        found.streamreader,
        found.streamwriter,
        found.incrementalencoder,
        found.incrementaldecoder,
        name=ASCII,
    )


def accept_any_letter() -> None:
    """Make the streams of this process take every letter, and one that is closed (`>&-`) whatever is written to it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (as long as the process)
    codecs.register_error(ESCAPE, _escape)
    codecs.register(_codec)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=ASCII if _is_ascii(stream) else None, errors=ESCAPE)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8" if _is_ascii(sys.stdin) else None, errors="surrogateescape")


def _is_ascii(stream: io.TextIOWrapper) -> bool:
    return codecs.lookup(stream.encoding).name == "ascii"
