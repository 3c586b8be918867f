"""Writes `report.html` beside `published.duckdb`: whole or not at all, readable by whom that is (SPEC E8, R4). What is
in it is decided by `page.py`."""

import os
import time
from importlib.metadata import version
from pathlib import Path

from lp_pipeline.insight.health import health
from lp_pipeline.insight.report.facts import read_facts
from lp_pipeline.insight.report.page import page
from lp_pipeline.settings import Settings
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.public_file import protect
from lp_pipeline.storage.published import open_published, published_file

LEFT_BEHIND_SECONDS = 3600.0


def report_file(settings: Settings) -> Path:
    """Where the report of a data folder is."""
    return settings.data / "report.html"


def is_current(settings: Settings) -> bool:
    """Whether the report was written after the last publication, which comes when something changed, or hourly."""
    try:
        return report_file(settings).stat().st_mtime > published_file(settings).stat().st_mtime
    except FileNotFoundError:
        return False


def write_report(settings: Settings) -> Path:
    """Write the report of what is published; the one there stays until the new one is whole. Raises `WarehouseError` if
    nothing is published yet, or it can't be written."""
    target = report_file(settings)
    with readable_errors(f"write {target}"):
        with open_published(published_file(settings)) as connection:
            facts = read_facts(connection)
        text = page(facts, health(settings), version=version("lp-pipeline"))
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        _clear(target)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
            protect(draft, settings.group)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    return target


def _clear(target: Path) -> None:
    """Drafts of processes that were killed; another one that is writing now needs no hour."""
    for left in target.parent.glob(f".{target.name}.*"):
        if time.time() - left.stat().st_mtime > LEFT_BEHIND_SECONDS:
            left.unlink(missing_ok=True)
