"""A deployment of many accounts, for tests: its accounts file, settings files and marked folders (SPEC A1, A3)."""

import os
from pathlib import Path

import pytest

from lp_pipeline.storage.account import make_folder
from lp_pipeline_tests.scenario import LIVE

NAMES = ["albany", "boston", "chicago"]
PREFIXES = ("LP_", "HATCH_", "PUSH_", "INBOX_", "ALERT_")


def make_deployment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An accounts file of three accounts, none of which has a folder yet; the folder of the deployment."""
    for name in os.environ:
        if name.startswith(PREFIXES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LP_PIPELINE_ACCOUNTS", str(folder / "accounts.toml"))
    monkeypatch.setenv("LP_PIPELINE_DATA", str(folder / "volume"))
    (folder / "accounts").mkdir()
    listing(folder, *NAMES)
    return folder


def listing(deployment: Path, *names: str, **enabled: str) -> None:
    """List these accounts and no others."""
    tables = [f"[accounts.{name}]\nenabled = {enabled.get(name, 'true')}\nshard = 'east'\n" for name in names]
    (deployment / "accounts.toml").write_text("".join(tables))


def add(deployment: Path, name: str, environ: dict[str, str] | None = None) -> Path:
    """Make the account's settings file and folder; the folder."""
    values = {**LIVE, "LP_CLIENT_ID": name, **(environ or {})}
    values.setdefault("LP_PIPELINE_DATA", str(deployment / "volume" / name))
    path = deployment / "accounts" / f"{name}.env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{each}={value}\n" for each, value in values.items() if each != "LP_PIPELINE_NOW"))
    make_folder(Path(values["LP_PIPELINE_DATA"]), name)
    return Path(values["LP_PIPELINE_DATA"])
