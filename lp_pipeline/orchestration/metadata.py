"""What a step shows in the Dagster UI: numbers, tables, plots. Dagster keeps all metadata with the run, so no personal
data goes in (R4), and a plot stays under 3 kB."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

WIDTH, HEIGHT = 480, 60  # of a plot's bars, in pixels
BAR, TEXT = "#4f43dd", "#808692"  # readable on a light and on a dark page
FIRST = " (first load)"


def table(rows: Sequence[dict[str, Any]]) -> dg.TableMetadataValue:
    """A table of rows that have the same columns; whole numbers stay numbers, anything else is text."""
    kinds = {name: "int" if isinstance(value, int) else "string" for name, value in rows[0].items()}
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name, type=kind) for name, kind in kinds.items()]),
    )


def bars(values: Sequence[tuple[str, int]]) -> dg.MarkdownMetadataValue:
    """A bar for each label and number, in order, as a picture within Markdown. The axis starts at zero; the first, the
    last and the highest bar are labeled. Plain text if there are no numbers yet."""
    highest = max((number for _, number in values), default=0)
    if not highest:
        return dg.MetadataValue.md("nothing yet")
    step = WIDTH / len(values)
    path = "".join(
        f"M{index * step:.1f} {14 + HEIGHT}v{-HEIGHT * number / highest:.1f}h{step * 0.8:.1f}V{14 + HEIGHT}z"
        for index, (_, number) in enumerate(values)
        if number
    )
    top = next(index for index, (_, number) in enumerate(values) if number == highest)
    anchor = "start" if top < len(values) / 2 else "end"
    texts = (
        (step * (top + (anchor == "end")), 10, anchor, f"{highest:,}"),
        (0, HEIGHT + 28, "start", values[0][0]),
        (WIDTH, HEIGHT + 28, "end", f"{values[-1][0]}: {values[-1][1]:,}"),
    )
    written = "".join(f'<text x="{x:.0f}" y="{y}" text-anchor="{where}">{text}</text>' for x, y, where, text in texts)
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT + 34}" font-family="sans-serif" '
        f'font-size="11" fill="{TEXT}"><path fill="{BAR}" d="{path}"/>{written}</svg>'
    )
    words = f"{values[0][0]} to {values[-1][0]}, at most {highest:,}, last {values[-1][1]:,}"
    return dg.MetadataValue.md(f"![{words}](data:image/svg+xml;base64,{b64encode(picture.encode()).decode()})")


def numbers(counts: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    """Numbers that Dagster plots over all runs. Those of a first load have names, and so plots, of their own: beside
    them, every later number would be a flat line."""
    return {f"{name}{FIRST}" if first else name: value for name, value in counts.items()}


def query(text: str) -> dg.MarkdownMetadataValue:
    """How to ask the published data, as a command to copy."""
    return dg.MetadataValue.md(f'`lp-pipeline sql "{text}"`')
