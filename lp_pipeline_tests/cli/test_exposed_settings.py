"""A settings file that other users of the machine can read (SPEC R4)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lp_pipeline.cli.console import account_settings
from lp_pipeline.settings import REPOSITORY

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file of a new folder."""
    for name in os.environ:
        if name.startswith(("LP_", "HATCH_", "PUSH_", "INBOX_", "ALERT_", "CREDENTIALS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LP_PIPELINE_SETTINGS", str(tmp_path / "lp_pipeline.env"))
    monkeypatch.setenv("LP_PIPELINE_DATA", str(tmp_path / "data"))
    return Path(shutil.copy(REPOSITORY / "lp_pipeline.env.example", tmp_path / "lp_pipeline.env"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_commands_warn_of_secrets_that_others_can_read(
    file: Path, mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """R4: with the command that stops it; never with a secret."""
    file.write_text(f"INBOX_SECRET={SECRET}\n")
    file.chmod(mode)
    account_settings()
    warning = capsys.readouterr().err
    assert "Other users of this machine can read the passwords and keys" in warning
    assert SECRET not in warning
    subprocess.run(warning.rpartition("stop that:  ")[2], shell=True, check=True)
    account_settings()
    assert capsys.readouterr().err == ""


def test_no_command_warns_without_secrets_or_of_what_systemd_hands_over(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """R4: switches are no secrets, and systemd decides who reads the credentials that it hands to a service."""
    file.chmod(0o644)
    account_settings()
    file.write_text(f"INBOX_SECRET={SECRET}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    account_settings()
    assert capsys.readouterr().err == ""
