"""Phone numbers and e-mail addresses: what counts as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.hatch.contact_points import ten_digits, valid_email, valid_phone

ANYTHING = (
    st.none() | st.text() | st.from_regex(r"\+?1?[-. ]?\(?[0-9]{3}\)?[-. ]?[0-9]{3}[-. ]?[0-9]{4}( x[0-9]{1,4})?")
)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("(518)555-0123", "5185550123"),
        ("1-518-555-0123", "5185550123"),
        ("+1 518.555.0123", "5185550123"),
        ("2185550123", "2185550123"),
        ("215185550123", None),
        ("518555012", None),
        ("518-555-0123 x12", None),
        ("٥١٨٥٥٥٠١٢٣", None),
        ("", None),
        (None, None),
    ],
)
def test_ten_digits_are_exactly_ten_without_a_leading_one(text: str | None, digits: str | None) -> None:
    """C5: phones are compared as ten digits."""
    assert ten_digits(text) == digits


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("(518)555-0123", "5185550123"),
        ("518-555-0123 x12", "5185550123"),
        ("+1 (416) 555-0199", "4165550199"),
        ("0000000000", None),
        ("1234567890", None),
        ("5555555555", None),
        ("+44 20 7946 0958", None),
        ("911", None),
        ("none", None),
        ("", None),
        (None, None),
    ],
)
def test_a_phone_is_a_valid_north_american_number(text: str | None, digits: str | None) -> None:
    """D2: a phone that is no valid North American number goes out as null; the extension is dropped."""
    assert valid_phone(text) == digits


@given(ANYTHING)
def test_whatever_is_written_there_a_phone_is_ten_digits_or_nothing(text: str | None) -> None:
    """Contract 1: phoneNumber has ten digits."""
    for found in (valid_phone(text), ten_digits(text)):
        assert found is None or (len(found) == 10 and found.isascii() and found.isdigit())


@pytest.mark.parametrize(
    "text",
    ["ann@example.com", " ann@example.com ", "Ann.Field+lp@mail.example.co.uk", "o'neil@x-y.io", "ann@bücher.example"],
)
def test_an_address_is_kept_trimmed(text: str) -> None:
    """D2: what looks like an address is sent as it is."""
    assert valid_email(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        *("none", "ann@", "@example.com", "ann@example", "ann@@example.com", "ann@exa mple.com", "an n@example.com"),
        *("a@x.com,b@x.com", "a@x.com; b@y.com", "ann@example..com", "ann@.com", "ann@example.com.", "ann@-x.com"),
        *(".ann@example.com", "ann.@example.com", "a..b@example.com", "ann@10.0.0.1", "ann@example.c", "<a@x.com>"),
        *(
            "ann@example.com\nbcc",
            "ann\x00@example.com",
            "a" * 250 + "@example.com",
            f"{'a' * 65}@example.com",
            "",
            None,
        ),
        "ann@" + ".".join(["a" * 60] * 5) + ".com",
    ],
)
def test_what_is_no_address_is_none(text: str | None) -> None:
    """D2: an e-mail that is none goes out as null."""
    assert valid_email(text) is None


@given(st.text() | st.emails())
def test_whatever_is_written_there_an_address_has_one_at_a_dotted_domain_and_no_blanks(text: str) -> None:
    """D2, of any text."""
    found = valid_email(text)
    if found is not None:
        assert found.count("@") == 1
        assert "." in found.split("@")[1]
        assert not any(each.isspace() for each in found)
        assert len(found) <= 254
