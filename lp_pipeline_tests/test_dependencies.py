"""What nothing uses is no dependency: each one in pyproject.toml is imported, or says here who needs it."""

import re
import tomllib

import pytest

from lp_pipeline.settings import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAMES = [re.split(r"[<>=]", dependency)[0] for dependency in PROJECT["dependencies"]]
IMPORTED_AS = {"phonenumberslite": "phonenumbers", "python-dotenv": "dotenv", "pyyaml": "yaml"}
NEEDED_BY = {
    "dagster-webserver": "`lp-pipeline dev`, the UI",
    "pytz": "DuckDB, to hand Python a timestamp with a time zone",
    "tzdata": "zoneinfo: one time zone database, whatever the machine has (SPEC J5)",
}
CODE = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "lp_pipeline").rglob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_each_dependency_is_used(name: str) -> None:
    """By an import, or by something that imports it by itself."""
    module = IMPORTED_AS.get(name, name.replace("-", "_"))
    imported = re.search(rf"^\s*(import|from) {module}\b", CODE, re.MULTILINE) is not None
    assert imported != (name in NEEDED_BY)
