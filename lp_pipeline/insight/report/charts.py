"""Charts as inline SVG, each a small function of labels and numbers: axes from zero, one color, and sizes in percent of
the page's width, so that text keeps its size on a phone and on paper. Every text is escaped: labels come from outside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

HEIGHT, TOP, FOOT = 110, 22, 22  # of columns, and of what is above and below them, in pixels
ROW = 38  # of a bar with its label
LONGEST = 32  # characters of a label


@dataclass(frozen=True)
class Column:
    """A column's value, its label below, and whether it is drawn lighter."""

    label: str
    value: int
    light: bool = False


@dataclass(frozen=True)
class Bar:
    """A bar's label, what is written at its end, and the ends of its parts, each darker than the next, as shares of the
    chart's width (0 to 1), in ascending order."""

    label: str
    text: str
    parts: Sequence[float]


def columns(items: Sequence[Column], text: str) -> str:
    """Columns side by side with a line at their average; the first, the last and the highest are labeled. `text` says
    the same in words."""
    highest = max(1, *(item.value for item in items))
    step = 100 / len(items)
    drawn = []
    for place, item in enumerate(items):
        height = round(HEIGHT * item.value / highest, 1)
        kind = ' class="light"' if item.light else ""
        drawn.append(
            f'<rect{kind} x="{place * step + step * 0.1:.2f}%" y="{TOP + HEIGHT - height:.1f}" '
            f'width="{step * 0.8:.2f}%" height="{height}"/>'
        )
    average = TOP + HEIGHT - HEIGHT * sum(item.value for item in items) / len(items) / highest
    drawn.append(f'<line class="average" x1="0" x2="100%" y1="{average:.1f}" y2="{average:.1f}"/>')
    drawn.append(f'<line class="axis" x1="0" x2="100%" y1="{TOP + HEIGHT}" y2="{TOP + HEIGHT}"/>')
    top = max(range(len(items)), key=lambda place: items[place].value)
    drawn.append(_label((top + 0.5) * step, TOP - 7, f"{items[top].value:,}", strong=True))
    foot = TOP + HEIGHT + 16
    drawn.append(_label(0, foot, f"{items[0].label}: {items[0].value:,}"))
    drawn.append(_label(100, foot, f"{items[-1].label}: {items[-1].value:,}"))
    if 0.3 < (top + 0.5) / len(items) < 0.7:  # or it would be written over the first or the last one
        drawn.append(_label((top + 0.5) * step, foot, items[top].label))
    return _svg(TOP + HEIGHT + FOOT, text, drawn)


def bars(items: Sequence[Bar], text: str) -> str:
    """Horizontal bars below each other, each with its label above it and its text at the right. `text` says the same in
    words."""
    drawn = []
    for place, item in enumerate(items):
        y = place * ROW
        drawn.append(_label(0, y + 14, item.label))
        drawn.append(_label(100, y + 14, item.text, strong=True))
        drawn.append(f'<rect class="track" x="0" y="{y + 20}" width="100%" height="9"/>')
        begin = 0.0
        for depth, end in enumerate(item.parts):
            kind = f' class="part{depth}"' if depth else ""
            width = max(0.0, min(end, 1.0) - begin)
            drawn.append(f'<rect{kind} x="{100 * begin:.2f}%" y="{y + 20}" width="{100 * width:.2f}%" height="9"/>')
            begin += width
    return _svg(ROW * len(items), text, drawn)


def label(text: str) -> str:
    """A name from outside in one line: what can't be seen, or would turn the text around, becomes a dot."""
    shown = "".join(letter if letter.isprintable() else "·" for letter in text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def numbers(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """What a chart shows as a table that opens at a click; whole numbers get thousands separators."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row)}</tr>" for row in rows)
    return f"<details><summary>Numbers</summary><table><tr>{head}</tr>{lines}</table></details>"


def _label(percent: float, y: float, text: str, *, strong: bool = False) -> str:
    anchor = "start" if percent < 8 else "end" if percent > 92 else "middle"
    kind = ' class="strong"' if strong else ""
    return f'<text{kind} x="{percent:.2f}%" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: int, text: str, drawn: Sequence[str]) -> str:
    return f'<svg role="img" aria-label="{escape(text)}" width="100%" height="{height}">{"".join(drawn)}</svg>'


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
