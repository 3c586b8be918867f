"""Changes a settings file as a careful person would: values in their lines, everything else as it was, and the file
replaced whole or not at all. Which values is for the caller to decide; how the file is read is in `sources`.
"""

import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings.files import write_file

PLAIN = re.compile(r"[\w@%+=:,./\[\]()~^*!?;<>|&{}-]+", re.ASCII)  # needs no quotes
# A line of the file in the same parts as dotenv takes it apart: what stands before the value, the value, the rest.
LINE = re.compile(
    r"(?P<head>\s*(?:export[^\S\r\n]+)?'?[^=#\s']+'?[^\S\r\n]*=)"
    r"(?:(?P<gap>[^\S\r\n]+)(?=#)|[^\S\r\n]*(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|(?=[\r\n]|$)|(?!['\"])[^\r\n]*?(?=\s+#|[^\S\r\n]*(?:[\r\n]|$))))"
    r"(?P<tail>[^\S\r\n]*(?:#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|$))",
    re.DOTALL,
)


def edited(text: str, values: Mapping[str, str]) -> str:
    """The file's text with these values: each in the line or lines that its name has, or else at the end.

    Comments and all other lines stay as they are. Raises `SettingsError` for a value that no line can hold.
    """
    for name, value in values.items():
        if "\n" in value or "\r" in value or "\0" in value:
            raise SettingsError(f"{name} can't have more than one line.")
    parts, left = [], dict(values)
    for binding in parse_stream(StringIO(text)):
        original = binding.original.string
        if binding.key is not None and binding.key in values and (line := LINE.fullmatch(original)):
            original = f"{line['head']}{quoted(values[binding.key])}{line['gap'] or ''}{line['tail']}"
            left.pop(binding.key, None)
        parts.append(original)
    body = "".join(parts)
    if left and body and not body.endswith(("\n", "\r")):
        body += "\n"
    body += "".join(f"{name}={quoted(value)}\n" for name, value in left.items())
    for binding in parse_stream(StringIO(body)):
        if binding.key is not None and binding.key in values and binding.value != values[binding.key]:
            raise SettingsError(f"The line of {binding.key} can't be changed. Remove it and run the command again.")
    return body


def quoted(value: str) -> str:
    """The value as a settings file writes it, so that it is read back exactly."""
    if not value or PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def replace_file(path: Path, text: str, before: bytes | None) -> None:
    """Give the file this text, readable by its owner only, all at once: whatever happens, the old or the new one is
    there, whole. Raises `SettingsError` if the file is no longer as it was `before` (None: not there)."""
    target = path.resolve()  # a link stays a link
    try:
        if content_of(target) != before:
            raise SettingsError(f"{path} was changed in the meantime. Nothing was written; run the command again.")
        write_file(target, text)
    except OSError as error:
        raise SettingsError(f"{path} can't be written: {error.strerror}. Nothing was changed.") from None


def content_of(path: Path) -> bytes | None:
    """The file's bytes; None if there is no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
