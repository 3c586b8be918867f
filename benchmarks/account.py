"""The account whose data folder is filled, as a settings file and a clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.pages import PAGE_SIZE
from lp_pipeline.settings import SANDBOX_ACCOUNT, SANDBOX_HATCH

BEGIN = datetime(2026, 3, 2, 17, tzinfo=UTC)
BETWEEN_SYNCS = timedelta(minutes=15)
UNLIMITED = "60000"  # calls a minute: what is measured is not the limit


def write_settings(folder: Path, address: str, **more: str) -> dict[str, str]:
    """Write the account's settings into the folder; the environment that makes the program use them, and no others."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "LP_API_URL": address,
        **SANDBOX_ACCOUNT,
        "LP_PIPELINE_DATA": str(folder / "data"),
        "LP_RATE_PER_MINUTE": UNLIMITED,
        "LP_PAGE_SIZE": str(PAGE_SIZE),
        "LP_PAGING": "page",
        **more,
    }
    path = folder / "settings.env"
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    path.chmod(0o600)
    return {"LP_PIPELINE_SETTINGS": str(path), "DAGSTER_HOME": str(folder / "dagster")}


def with_hatch(address: str) -> dict[str, str]:
    """The settings that turn delivery to Hatch on."""
    names = ("HATCH_API_KEY", "HATCH_SOURCE", "HATCH_RATE_PER_MINUTE")
    return {"HATCH_API_URL": address, **{name: SANDBOX_HATCH[name] for name in names}}


def at(sync: int) -> dict[str, str]:
    """The clock of the n-th sync: a quarter of an hour after the one before, so that nothing waits for its minute."""
    return {"LP_PIPELINE_NOW": (BEGIN + sync * BETWEEN_SYNCS).isoformat()}
