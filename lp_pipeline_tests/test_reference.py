"""The reference pages say what the code does."""

from collections.abc import Callable

import pytest

from lp_pipeline.settings import Settings
from lp_pipeline_tests.reference import CHECKOUT, EXAMPLE, PAGES


@pytest.mark.parametrize(("page", "text"), PAGES.items())
def test_the_reference_pages_are_what_the_code_says(page: str, text: Callable[[], str]) -> None:
    """A setting or a command that is added, changed or removed changes its page; `make docs` writes them anew."""
    assert (CHECKOUT / "docs" / page).read_text(encoding="utf-8") == text(), "Run `make docs`."


def test_the_example_file_shows_the_defaults() -> None:
    """A copy of the example file with nothing filled in changes no setting."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    shown = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    filled = {name: value for name, value in shown.items() if value}
    assert Settings.model_validate(filled) == Settings.model_validate({})
