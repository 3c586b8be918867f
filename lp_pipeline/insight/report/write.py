"""Writes `report.html` beside `published.duckdb`: whole or not at all, readable by whom that is (SPEC E8, R4). What is
in it is decided by `page.py`."""

from importlib.metadata import version
from pathlib import Path

from lp_pipeline.errors import PipelineError
from lp_pipeline.insight.health import health
from lp_pipeline.insight.report.facts import read_facts
from lp_pipeline.insight.report.page import page
from lp_pipeline.settings import Settings
from lp_pipeline.settings.files import write_file
from lp_pipeline.storage.failures import readable_errors
from lp_pipeline.storage.public_file import protect
from lp_pipeline.storage.published import open_published, published_file


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
        write_file(target, text, lambda draft: protect(draft, settings.group))
    return target


def refresh_report(settings: Settings) -> tuple[bool, str | None]:
    """Write the report if something was published since it was written: whether it was, and why not, if it could not
    be. The one there then stays. Raises nothing."""
    if is_current(settings):
        return False, None
    try:
        write_report(settings)
    except PipelineError as error:
        return False, str(error)
    except Exception as error:
        why = f"The report could not be written ({type(error).__name__}). The one there stays. Report it."
        return False, why
    return True, None
