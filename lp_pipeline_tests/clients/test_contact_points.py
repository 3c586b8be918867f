"""SPEC J8: the one form of phone numbers and e-mail addresses, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.clients.contact_points import (
    email_address,
    first_phone,
    is_valid_phone,
    phone_numbers,
    phone_numbers_in_prose,
    same_line,
)

PLAIN = st.from_regex(r"(\+?1[-. ]?)?(\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ]?)[0-9]{3}[-. ]?[0-9]{4}", fullmatch=True)
ANYTHING = st.none() | st.text() | PLAIN | st.from_regex(r"[-+()/.x0-9 ]{0,30}", fullmatch=True)

ONE_NUMBER = [
    *("5185550100", "(518)555-0100", "(518) 555 - 0100", "518.555.0100", "518/555-0100", "518_555_0100"),
    *("+1 518 555 0100", "1-518-555-0100", "15185550100", "+1 (518) 555-0100", "tel:+1-518-555-0100", " 518 555 0100 "),
    *("Cell: 518-555-0100", "518-555-0100 (home)", "518-555-0100 home", "H518-555-0100", "Ann 518-555-0100 after 5"),
    *("(518) 555-0100 x101", "(518) 555-0100 ext. 101", "518-555-0100 extension 7", "518-555-0100 #12"),
    *("(518) 555-0100 x123456789", "(518)5550100Ext101", "5185550100;ext=101", "(518) 555-0100 x101,102"),
    *("518\u00a0555\u00a00100", "\u202a518\u2011555\u20110100\u202c", "\u200e+1 518 555 0100", "518\u200b5550100"),
    *("٥١٨٥٥٥٠١٠٠", "５１８－５５５－０１００", "५१८ ५५५ ०१००", "5185550100.0"),
]


@pytest.mark.parametrize("text", ONE_NUMBER)
def test_a_number_has_one_form_however_it_is_written(text: str) -> None:
    """J8: whatever digits, blanks, labels or direction marks, its extension apart."""
    assert phone_numbers(text) == ("5185550100",)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("518 555 0100 / 518 555 0199", ("5185550100", "5185550199")),
        ("5185550100/5185550199", ("5185550100", "5185550199")),
        ("518 555 0100 x101 / 518 555 0199 x3", ("5185550100", "5185550199")),
        ("mobile: 5185550100; home: 5185550199", ("5185550100", "5185550199")),
        ("518-555-0100 or 518-555-0199", ("5185550100", "5185550199")),
        ("518-555-0100\n518-555-0199", ("5185550100", "5185550199")),
        ("518-555-0100 / (518) 555-0100", ("5185550100",)),
        ("none / 518-555-0100", ("5185550100",)),
    ],
)
def test_a_field_with_two_numbers_counts_as_both_in_order(text: str, numbers: tuple[str, ...]) -> None:
    """J8: `a / b` counts as both, the first one is sent."""
    assert phone_numbers(text) == numbers
    assert first_phone(text) == numbers[0]


@pytest.mark.parametrize(
    "text",
    [
        *("", None, " ", "none", "911", "555-0100", "5550100", "518555012", "215185550123", "5185550100" * 3),
        *("+44 20 7946 0958", "011 44 20 7946 0958", "²", "[]", "2026-03-02"),
    ],
)
def test_what_is_no_north_american_number_has_no_form(text: str | None) -> None:
    """J8: seven digits are no number, nor are twelve, nor is another country's."""
    assert phone_numbers(text) == ()
    assert first_phone(text) is None


@pytest.mark.parametrize(
    ("number", "is_valid"),
    [("5185550123", True), ("4165550199", True), ("0000000000", False), ("1234567890", False), ("5555555555", False)],
)
def test_whether_a_number_can_exist_is_another_question(number: str, is_valid: bool) -> None:
    """D2: a phone that is no valid North American number goes out as null; it still has its form."""
    assert phone_numbers(number) == (number,)
    assert is_valid_phone(number) is is_valid


def test_seven_people_with_seven_extensions_have_one_line() -> None:
    """J8: two numbers are the same line if their normal forms are, extensions aside."""
    fields = [f"(518) 555-0100 x{number}" for number in range(101, 108)]
    assert all(same_line(one, other) for one in fields for other in fields)
    assert same_line("518 555 0199 / 518 555 0100", fields[0])
    assert not same_line("518 555 0199", fields[0])
    assert not same_line(None, None)
    assert not same_line("none", "none")


@given(PLAIN)
def test_what_is_written_plainly_is_read_as_phonenumbers_reads_it(text: str) -> None:
    """J8: as phonenumbers reads it for the US; the quick way for the usual forms makes no difference."""
    assert phone_numbers(text) == phone_numbers_in_prose(text)


@given(ANYTHING)
def test_whatever_is_written_there_a_number_is_ten_digits(text: str | None) -> None:
    """Contract 1: phoneNumber has ten digits."""
    for number in phone_numbers(text):
        assert (len(number), number.isascii(), number.isdigit()) == (10, True, True)
        assert phone_numbers(number) == (number,)
        assert isinstance(is_valid_phone(number), bool)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ann <A@x.com>", "a@x.com"),
        ('"Field, Ann" <Ann.Field@Example.com>', "ann.field@example.com"),
        ("<a@x.com>", "a@x.com"),
        ("mailto:Ann@x.com", "ann@x.com"),
        (" ann@example.com ", "ann@example.com"),
        ("\u200eann@example.com\u200b", "ann@example.com"),
        ("Ann.Field+lp@mail.example.co.uk", "ann.field+lp@mail.example.co.uk"),
        ("O'Neil@x-y.io", "o'neil@x-y.io"),
        ("ann@Bücher.example", "ann@bücher.example"),
    ],
)
def test_an_address_is_bare_and_in_lower_case(text: str, address: str) -> None:
    """J8: `Ann <A@x.com>` is `a@x.com`."""
    assert email_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("none", "ann@", "@example.com", "ann@example", "ann@@example.com", "ann@exa mple.com", "an n@example.com"),
        *("a@x.com,b@x.com", "a@x.com; b@y.com", "ann@example..com", "ann@.com", "ann@example.com.", "ann@-x.com"),
        *(".ann@example.com", "ann.@example.com", "a..b@example.com", "ann@10.0.0.1", "ann@example.c", "<a@x.com"),
        *("ann@example.com\nbcc", "ann\x00@example.com", "a" * 250 + "@example.com", f"{'a' * 65}@example.com"),
        *("ann@" + ".".join(["a" * 60] * 5) + ".com", "Ann <none>", "", None),
    ],
)
def test_what_is_no_address_is_none(text: str | None) -> None:
    """D2: an e-mail that is none goes out as null."""
    assert email_address(text) is None


@given(st.text() | st.emails())
def test_whatever_is_written_there_an_address_has_one_at_a_dotted_domain_and_no_blanks(text: str) -> None:
    """J8, of any text; and the form of a form is itself."""
    found = email_address(text)
    if found is not None:
        assert found.count("@") == 1
        assert "." in found.split("@")[1]
        assert not any(each.isspace() for each in found)
        assert len(found) <= 254
        assert email_address(found) == found
