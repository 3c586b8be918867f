"""Rows as a table in the Dagster UI. Everything in metadata is kept with the run, so no personal data goes in (R4)."""

from collections.abc import Sequence
from typing import Any

import dagster as dg


def table(rows: Sequence[dict[str, Any]]) -> dg.TableMetadataValue:
    """A table of rows that have the same columns; whole numbers stay numbers, anything else is text."""
    kinds = {name: "int" if isinstance(value, int) else "string" for name, value in rows[0].items()}
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name, type=kind) for name, kind in kinds.items()]),
    )
