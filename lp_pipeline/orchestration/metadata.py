"""What a step shows in the Dagster UI: numbers, tables, plots. Dagster keeps all metadata with the run, so no personal
data goes in (R4), and a plot stays under 1,000 characters: Dagster hides longer Markdown behind a link."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import dagster as dg

WIDTH, TOP, HEIGHT = 480, 14, 60  # of a plot, of what is above its bars, and of the bars, in pixels
BAR, TEXT = "#4f43dd", "#808692"  # readable on a light and on a dark page
SAFE = "=':/,;"  # in a picture's address within Markdown
FIRST = " (first load)"


def table(rows: Sequence[dict[str, Any]]) -> dg.TableMetadataValue:
    """A table of rows that have the same columns; whole numbers stay numbers, anything else is text."""
    kinds = {name: "int" if isinstance(value, int) else "string" for name, value in rows[0].items()}
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name, type=kind) for name, kind in kinds.items()]),
    )


def bars(values: Sequence[tuple[str, int]]) -> dg.MarkdownMetadataValue:
    """A bar for each label and number, in order, at most 40 of them, as a picture within Markdown. The axis starts at
    zero; the first, the last and the highest bar are labeled. Plain text if there are no numbers yet."""
    values = values[-40:]
    highest = max((number for _, number in values), default=0)
    if not highest:
        return dg.MetadataValue.md("nothing yet")
    step = WIDTH // len(values)
    heights = [round(HEIGHT * number / highest) for _, number in values]
    path = f"m{step // 2},{TOP + HEIGHT}" + "".join(f"v-{height}m{step},{height}" for height in heights)
    (first, _), (last, latest) = values[0], values[-1]
    top = next(index for index, (_, number) in enumerate(values) if number == highest)
    end = "text-anchor='end'"
    texts = (
        f"<text x='{step * (top + 1)}' y='10' {end}>{highest:,}</text>"
        if top > 2
        else f"<text x='{step * top}' y='10'>{highest:,}</text>"
    )
    texts += f"<text y='88'>{first}</text><text x='{step * len(values)}' y='88' {end}>{last}: {latest:,}</text>"
    picture = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='92' font-family='Arial' font-size='11' "
        f"fill='{TEXT}'><path stroke='{BAR}' stroke-width='{step * 3 // 4}' d='{path}'/>{texts}</svg>"
    )
    words = f"{first} to {last}, at most {highest:,}, last {latest:,}"
    return dg.MetadataValue.md(f"![{words}](data:image/svg+xml,{quote(picture, safe=SAFE)})")


def numbers(counts: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    """Numbers that Dagster plots over all runs. Those of a first load have names, and so plots, of their own: beside
    them, every later number would be a flat line."""
    return {f"{name}{FIRST}" if first else name: value for name, value in counts.items()}


def query(text: str) -> dg.MarkdownMetadataValue:
    """How to ask the published data, as a command to copy."""
    return dg.MetadataValue.md(f'`lp-pipeline sql "{text}"`')
