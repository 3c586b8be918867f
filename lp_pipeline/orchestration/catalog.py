"""What the lineage shows of each asset besides its work: group, columns, code, freshness. Descriptions are with
the assets; the texts of columns are those of the published file (`sql/publish/`).
"""

import re
import warnings
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg

from lp_pipeline.settings.package_data import PACKAGE, package_data
from lp_pipeline.storage.sql import statement

LEADPERFECTION, OPPORTUNITIES, HATCH, PUBLISHED = ("leadperfection", "opportunities", "hatch", "published")
PERSONAL = {"personal-data": "yes"}
# a sync every 15 minutes; one that is skipped or fails is no alarm yet
FRESH = dg.FreshnessPolicy.time_window(warn_window=timedelta(minutes=30), fail_window=timedelta(minutes=60))

TABLE = "dagster/table_name"
RULES = {  # the SQL that decides, beside the asset's own code; `.py` where there is none
    "raw_leads": ["extract/append.sql", "extract/feed_reader.py"],
    "raw_prospects": ["extract/append.sql", "extract/feed_reader.py"],
    "staged_opportunities": [
        "staging/triggered_leads.sql",
        "staging/triggered_prospects.sql",
        "staging/joined.sql",
        "staging/staged_opportunities.sql",
    ],
    "opportunities": ["merge/outcomes.sql", "merge/opportunities.sql", "merge/gone.sql"],
    "hatch_deliveries": ["delivery/due.sql", "delivery/deliver.py"],
    "raw_communications": ["communications/export.py", "communications/inbox.py"],
    "leadperfection_notes": ["communications/push.py", "communications/note_text.py"],
    "report": ["report/overview.sql", "insight/report/page.py"],
    "fleet": ["insight/fleet.py", "insight/fleet_page.py"],
    "published": ["publish/tables.sql", "publish/views.sql", "publish/comments.sql"],
}
COMMENT = re.compile(r"^comment on column ([\w.]+)\.(\w+) is '((?:[^']|'')*)';$", re.MULTILINE)
CREATED = re.compile(r"^create table ([\w.]+) \((.*?)\);$", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r"(?:^|, )\s*(\w+) (\w+(?:\[\]|\(\d+, \d+\))?)", re.MULTILINE)

Asset = TypeVar("Asset", dg.AssetsDefinition, dg.AssetSpec)


def complete(assets: Sequence[Asset]) -> list[Asset]:
    """The assets with their columns, and the code that makes them. Reads the program's own files, so it is done when
    Dagster asks for the definitions, not when a module is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of code references
        return [_complete(asset) for asset in assets]


def _complete(asset: Asset) -> Asset:
    if isinstance(asset, dg.AssetSpec):
        return asset.merge_attributes(metadata=_metadata(asset, []))
    code = asset.op.compute_fn.decorated_fn.__code__  # type: ignore[union-attr]
    own = dg.LocalFileCodeReference(file_path=code.co_filename, line_number=code.co_firstlineno)
    return asset.map_asset_specs(lambda spec: spec.merge_attributes(metadata=_metadata(spec, [own])))


def _metadata(spec: dg.AssetSpec, own: list[dg.LocalFileCodeReference]) -> dict[str, Any]:
    files = [
        dg.LocalFileCodeReference(file_path=str(_file(name)), label=name)
        for name in RULES.get(spec.key.to_user_string(), [])
    ]
    found: dict[str, Any] = {}
    if own or files:
        found["dagster/code_references"] = dg.CodeReferencesMetadataValue(code_references=[*own, *files])
    if table := spec.metadata.get(TABLE):
        found["dagster/column_schema"] = columns(table)
    return found


def _file(name: str) -> Path:
    return PACKAGE / name if name.endswith(".py") else package_data("sql") / name


def columns(table: str) -> dg.TableSchema:
    """The columns of a published table or view, with their types and comments."""
    types, comments = _published()
    known = types.get(table) or types["opportunity_details"]  # of which the views are selections
    described = [(name, text) for of, name, text in comments if of == table]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, type=known[name], description=text.replace("''", "'")) for name, text in described
        ]
    )


@cache
def _published() -> tuple[dict[str, dict[str, str]], list[tuple[str, str, str]]]:
    types = {of: dict(COLUMN.findall(body)) for of, body in CREATED.findall(statement("publish/tables"))}
    return types, COMMENT.findall(statement("publish/comments"))
