"""Two kinds of charts as SVG, readable in a light and in a dark page."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

WIDTH, LEFT, RIGHT = 800, 270, 70
LABELS, APART = 260, 17  # room beside the lines, and from one label to the next
ROW, TOP = 26, 46
COLORS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#e45756", "#72b7b2")
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #444 } .title { font-weight: 600; font-size: 15px }
line, polyline { stroke: #999 } @media (prefers-color-scheme: dark) { text { fill: #ccc } }
</style>"""


def bars(path: Path, title: str, values: Mapping[str, float], unit: str) -> None:
    """A bar for each value, with its number."""
    most = max(values.values())
    parts = [_text(0, 20, title, css="title")]
    for row, (name, value) in enumerate(values.items()):
        y = TOP + row * ROW
        length = max(1.0, value / most * (WIDTH - LEFT - RIGHT))
        color = COLORS[1] if name.startswith(("ours", "job")) else COLORS[0]
        parts += [
            _text(LEFT - 8, y + 13, name, anchor="end"),
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{ROW - 8}" fill="{color}"/>',
            _text(LEFT + length + 6, y + 13, f"{_short(value)} {unit}"),
        ]
    _write(path, TOP + len(values) * ROW, parts)


def lines(path: Path, title: str, series: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> None:
    """Values over sizes, both axes logarithmic: what grows as the size does rises as steeply as the frame."""
    height, bottom = 330, 300
    points = [point for each in series.values() for point in each]
    across = _scale([x for x, _ in points], 60, WIDTH - LABELS)
    up = _scale([y for _, y in points], bottom, TOP)
    parts = [_text(0, 20, title, css="title")]
    for x in sorted({x for x, _ in points}):
        parts += [_line(across(x), TOP, across(x), bottom), _text(across(x), bottom + 18, f"{x:,.0f}", anchor="middle")]
    for y in _decades([y for _, y in points]):
        parts += [_line(60, up(y), WIDTH - LABELS, up(y)), _text(52, up(y) + 4, f"{_short(y)} {unit}", anchor="end")]
    lowest, colored = math.inf, zip(series.items(), COLORS, strict=False)
    for (name, values), color in sorted(colored, key=lambda each: each[0][1][-1][1]):
        corners = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in values)
        parts.append(f'<polyline points="{corners}" fill="none" style="stroke: {color}; stroke-width: 2.5"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="4" fill="{color}"/>' for x, y in values]
        x, y = values[-1]
        lowest = min(up(y), lowest - APART)
        parts.append(_text(across(x) + 10, lowest + 4, f"{name}: {_short(y)} {unit}", color=color))
    _write(path, height, parts)


class _scale:  # noqa: N801
    """From a value to a place, logarithmic, with a little room at both ends."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        logs = [math.log10(value) for value in values]
        self._low, span = min(logs), max(logs) - min(logs)
        self._factor = (end - begin) / (span or 1)
        self._begin = begin

    def __call__(self, value: float) -> float:
        return self._begin + (math.log10(value) - self._low) * self._factor


def _decades(values: Sequence[float]) -> list[float]:
    exponents = range(math.ceil(math.log10(min(values))), math.floor(math.log10(max(values))) + 1)
    return [10.0**exponent for exponent in exponents]


def _short(value: float) -> str:
    return f"{value:.2g}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _text(x: float, y: float, text: str, *, anchor: str = "start", css: str = "", color: str = "") -> str:
    style = f' style="fill: {color}"' if color else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{css}"{style}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-opacity="0.3"/>'


def _write(path: Path, height: float, parts: Sequence[str]) -> None:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
    path.write_text("\n".join([head, STYLE, *parts, "</svg>"]) + "\n", encoding="utf-8")
