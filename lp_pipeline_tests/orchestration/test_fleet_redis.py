"""SPEC R4: the password of Redis is in a file, and in no address that the environment holds."""

from pathlib import Path

import pytest

from lp_pipeline.errors import SettingsError
from lp_pipeline.orchestration.fleet_redis import PASSWORD_FILE, with_password

ADDRESS = "redis://redis.internal:6379/0"


def test_the_password_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever letters it has, a client of the address uses that one; without a file, none is added."""
    monkeypatch.delenv(PASSWORD_FILE, raising=False)
    assert with_password(ADDRESS) == ADDRESS
    file = tmp_path / "redis-password"
    file.write_text("a/b:c@d e\n")
    monkeypatch.setenv(PASSWORD_FILE, str(file))
    assert with_password(ADDRESS) == "redis://:a%2Fb%3Ac%40d%20e@redis.internal:6379/0"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_without_a_password_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """One that is missing, empty or no text is an error that names the variable and the file."""
    file = tmp_path / "redis-password"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv(PASSWORD_FILE, str(file))
    with pytest.raises(SettingsError, match=f"{PASSWORD_FILE} names {file}"):
        with_password(ADDRESS)
