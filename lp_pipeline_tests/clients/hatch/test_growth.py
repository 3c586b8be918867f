"""How the time to read an export grows with its size, whatever its bytes: never more than in proportion (SPEC C1)."""

import io
import json
import time
import zipfile
from collections.abc import Callable

import pytest

from lp_pipeline.clients.hatch import communication, contact_history
from lp_pipeline.clients.hatch.export_zip import unpacked

from .fakes import zipped

NOISE = 0.1  # seconds of CPU time


def cpu_time(act: Callable[[], object]) -> float:
    """The CPU time that it takes, the better of two."""
    times = []
    for _ in range(2):
        before = time.process_time()
        act()
        times.append(time.process_time() - before)
    return min(times)


CONTENTS: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "blank lines": (400_000, lambda size: b"\n" * size),
    "blanks": (1_500_000, lambda size: b" " * size),
    "blanks and line ends": (400_000, lambda size: b" \r\n" * (size // 3)),
    "one endless line": (1_500_000, lambda size: b"x" * size),
    "short lines": (400_000, lambda size: b"x\n" * (size // 2)),
}


@pytest.mark.parametrize(("size", "content"), CONTENTS.values(), ids=CONTENTS.keys())
def test_unpacking_four_times_as_much_takes_four_times_as_long(size: int, content: Callable[[int], bytes]) -> None:
    """C1: twice that, at most."""
    one, four = zipped(content(size)), zipped(content(4 * size))
    assert cpu_time(lambda: unpacked(four)) < 8 * cpu_time(lambda: unpacked(one)) + NOISE


def test_blank_lines_cost_no_more_than_reading_them() -> None:
    """C1: they were read one by one, which took a thousand times as long."""
    archive = zipped(b"\n" * 4_000_000)

    def plain() -> None:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            opened.read(opened.namelist()[0]).split(b"\n")

    assert cpu_time(lambda: unpacked(archive)) < 20 * cpu_time(plain) + NOISE


def test_a_line_on_the_border_of_what_is_unpacked_at_once_stays_whole() -> None:
    """C1: wherever it begins and ends."""
    for before in range(1024 * 1024 - 8, 1024 * 1024 + 2):
        lines = [b"x" * before, b"12345", b"6", b"7" * 1024 * 1024, b"8"]
        assert unpacked(zipped(b"\n".join(lines))) == lines


@pytest.mark.slow
def test_many_tiny_members_take_time_in_proportion() -> None:
    """C1: one file is promised; a hundred thousand of them are read all the same."""

    def archive(members: int) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as opened:
            for number in range(members):
                opened.writestr(f"{number}.json", b"{}")
        return buffer.getvalue()

    one, four = archive(2_000), archive(8_000)
    assert len(unpacked(four)) == 8_000
    assert cpu_time(lambda: unpacked(four)) < 8 * cpu_time(lambda: unpacked(one)) + NOISE


def test_an_archive_in_an_archive_is_not_opened() -> None:
    """C1: its bytes are lines like any others, which nobody can read."""
    inner = zipped(b'{"id": "hidden"}\n' * 1000)
    assert all(b"hidden" not in line for line in unpacked(zipped(inner)))


FIELDS: dict[str, Callable[[int], object]] = {
    "text": lambda size: "x" * size,
    "blanks inside": lambda size: "x" + " " * size + "x",
    "commas": lambda size: "," * size,
    "digits": lambda size: "5" * size,
    "phones": lambda size: "518-555-0101 " * (size // 13),
    "links": lambda size: "https://x.example/a " * (size // 20),
    "escapes": lambda size: "\ud800" * (size // 6),
    "brackets": lambda size: "[" * size,
    "a list": lambda size: [[]] * (size // 4),
    "a deep list": lambda size: json.loads("[" * 500 + "]" * 500),
}
NAMES = ("id", "occurred_at", "body", "phone", "email", "category", "direction", "recording_url", "duration_seconds")


@pytest.mark.parametrize("value", FIELDS.values(), ids=FIELDS.keys())
@pytest.mark.parametrize("name", NAMES)
def test_reading_a_field_four_times_as_long_takes_four_times_as_long(name: str, value: Callable[[int], object]) -> None:
    """C1, C2: whichever it is, and whatever is in it."""

    def line(size: int) -> bytes:
        return json.dumps({"id": "1", "occurred_at": "2026-03-02T16:50:00Z", name: value(size)}).encode()

    one, four = line(20_000), line(80_000)
    assert cpu_time(lambda: communication(four, ["occurred_at"])) < 8 * _one(one) + NOISE
    assert cpu_time(lambda: contact_history(four)) < 8 * _one(one) + NOISE


def _one(line: bytes) -> float:
    return cpu_time(lambda: communication(line, ["occurred_at"]))


LINES: dict[str, Callable[[int], bytes]] = {
    "brackets": lambda size: b"[" * size,
    "braces": lambda size: b'{"a":' * (size // 5),
    "pairs of brackets": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "backslashes": lambda size: b'{"id": "' + b"\\" * size,
    "surrogates": lambda size: b'{"id": "' + b"\\ud800" * (size // 6) + b'"}',
    "no UTF-8": lambda size: b'{"id": "' + b"\xff" * size + b'"}',
    "control characters": lambda size: b'{"id": "' + b"\x01" * size + b'"}',
    "digits": lambda size: b'{"id": ' + b"9" * size + b"}",
    "a fraction": lambda size: b'{"id": 0.' + b"9" * size + b"}",
    "names": lambda size: json.dumps({str(number): number for number in range(size // 12)}).encode(),
}


@pytest.mark.parametrize("content", LINES.values(), ids=LINES.keys())
def test_a_line_that_is_no_record_takes_time_in_proportion(content: Callable[[int], bytes]) -> None:
    """C1, C2: deep nesting, endless numbers, broken texts: a verdict, no error."""
    one, four = content(250_000), content(1_000_000)
    assert cpu_time(lambda: communication(four, ["occurred_at"])) < 8 * _one(one) + NOISE
