"""SPEC E10: a settings file is changed in its lines only, read back exactly, and written whole or not at all."""

from io import StringIO
from pathlib import Path

import pytest
from dotenv.parser import parse_stream
from hypothesis import given, settings
from hypothesis import strategies as st

from lp_pipeline.errors import SettingsError
from lp_pipeline.settings import read_file
from lp_pipeline.settings.edit import edited, replace_file

FILE = """\
# our own comment, with LP_USERNAME=nobody in it
LP_API_URL=   # the server
export LP_USERNAME = 'old one'   # ask Pat
LP_PASSWORD="a \\"quoted\\" #1"

OTHER=left alone
LP_TIMEZONE=America/Chicago # for now"""

ONE_LINE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1)


def values(text: str) -> dict[str, str]:
    return {each.key: each.value or "" for each in parse_stream(StringIO(text)) if each.key}


def test_values_stay_in_their_lines_with_comments_around_them() -> None:
    """Each in the line that its name has; new names at the end; everything else byte for byte."""
    changes = {"LP_API_URL": "https://api2.example", "LP_USERNAME": "api", "LP_PASSWORD": "it's", "LP_APP_KEY": "k"}
    assert edited(FILE, changes) == (
        "# our own comment, with LP_USERNAME=nobody in it\n"
        "LP_API_URL=https://api2.example   # the server\n"
        "export LP_USERNAME =api   # ask Pat\n"
        "LP_PASSWORD='it\\'s'\n"
        "\n"
        "OTHER=left alone\n"
        "LP_TIMEZONE=America/Chicago # for now\n"
        "LP_APP_KEY=k\n"
    )


def test_a_name_that_stands_twice_gets_the_value_twice() -> None:
    """Or the file would set it to two things, which is refused."""
    assert edited("A=1\nB=2\nA=1 # again\n", {"A": "3"}) == "A=3\nB=2\nA=3 # again\n"


@settings(max_examples=50)
@given(value=ONE_LINE, other=ONE_LINE)
def test_whatever_a_value_holds_is_read_back(value: str, other: str) -> None:
    """Quotes, blanks, #, backslashes, other scripts; also in place of such a one, with the next line as it was."""
    once = edited("# first\nLP_PASSWORD=\nLAST=1\n", {"LP_PASSWORD": value})
    assert values(once) == {"LP_PASSWORD": value, "LAST": "1"}
    assert values(edited(once, {"LP_PASSWORD": other})) == {"LP_PASSWORD": other, "LAST": "1"}


@pytest.mark.parametrize("value", ["two\nlines", "a\rb", "nul\0"])
def test_a_value_of_several_lines_is_refused(value: str) -> None:
    """A file with the wrong secret may have been given: the message doesn't show it."""
    with pytest.raises(SettingsError, match="LP_APP_KEY can't have more than one line") as refusal:
        edited("", {"LP_APP_KEY": value})
    assert value not in str(refusal.value)


def test_the_file_is_its_owners_whatever_it_was(tmp_path: Path) -> None:
    """R4: mode 0600 from the first byte, also where the old one was open to others; a link stays one."""
    real, link = tmp_path / "real.env", tmp_path / "lp_pipeline.env"
    real.write_text("A=1\n")
    real.chmod(0o644)
    link.symlink_to(real)
    replace_file(link, "LP_TIMEZONE=America/Denver\n", b"A=1\n")
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert read_file(link) == {"LP_TIMEZONE": "America/Denver"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lp_pipeline.env", "real.env"]


def test_a_file_that_somebody_else_changed_is_left_as_it_is(tmp_path: Path) -> None:
    """What was shown would not be what is written: nothing is, and no draft stays behind."""
    path = tmp_path / "lp_pipeline.env"
    for before, there in ((None, b"LP_USERNAME=pat\n"), (b"A=1\n", b"A=2\n")):
        path.write_bytes(there)
        with pytest.raises(SettingsError, match="changed in the meantime"):
            replace_file(path, "A=3\n", before)
        assert path.read_bytes() == there
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """With the path, and without a stack trace."""
    with pytest.raises(SettingsError, match="can't be written: No such file or directory"):
        replace_file(tmp_path / "missing" / "lp_pipeline.env", "", None)
