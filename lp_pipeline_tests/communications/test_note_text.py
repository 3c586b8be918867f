"""What a note says and how it is known again (SPEC C6): examples clause by clause, then promises for any input."""

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lp_pipeline.communications.note_text import LEAST_LIMIT, has_mark, mark, marked_in, note_text
from lp_pipeline.communications.open_push import OpenPush
from lp_pipeline.communications.plain_text import plain, units
from lp_pipeline_tests.communications.talk import open_push

NEW_YORK = ZoneInfo("America/New_York")
MARK = "[hatch:abc]"


def note(limit: int = 3500, **fields: Any) -> str:
    return note_text(open_push(**fields), NEW_YORK, limit)


def first_line(**fields: Any) -> str:
    return note(**fields).split("\n")[0]


def body(text: str) -> str:
    return "\n".join(note(body=text).split("\n")[1:])


# The first line


def test_the_first_line_is_the_one_of_the_spec() -> None:
    """C6: what it was, which way, when, the mark; then the body."""
    assert note(body="Hi") == "Hatch text, inbound, 2026-03-02 10:05 EST [hatch:abc]\nHi"


@pytest.mark.parametrize(
    ("actor_type", "actor_name", "who"),
    [
        ("hatch_user", "Pat Doe", "Pat Doe"),
        ("hatch_user", " Pat\n\tDoe\x07 ", "Pat Doe"),
        ("hatch_user", None, "a Hatch user"),
        ("Hatch User", " ", "a Hatch user"),
        (None, "Pat Doe", "Pat Doe"),
        ("automated agent", None, "automation"),
        ("automated_agent", "Ava", "automation"),
        ("AutomatedAgent", "Ava", "automation"),
        (None, None, "automation"),
    ],
)
def test_outbound_says_who_or_automation(actor_type: str | None, actor_name: str | None, who: str) -> None:
    """C6: outbound, who or "automation"."""
    line = first_line(direction="outbound", actor_type=actor_type, actor_name=actor_name)
    assert line == f"Hatch text, outbound by {who}, 2026-03-02 10:05 EST [hatch:abc]"


@pytest.mark.parametrize(
    "status", ["failed", "Undelivered", "BOUNCED", "hard_bounce", "rejected", "not_delivered", "notDelivered", "error"]
)
def test_what_was_not_delivered_says_so(status: str) -> None:
    """C6: not delivered says so, however Hatch spells it."""
    line = first_line(channel="email", direction="outbound", actor_type="hatch_user", delivery_status=status)
    assert line == "Hatch email, outbound by a Hatch user, not delivered, 2026-03-02 10:05 EST [hatch:abc]"


@pytest.mark.parametrize("status", [None, "", "delivered", "sent", "queued", "read", "voicemail_drop_delivered"])
def test_what_was_delivered_or_is_unknown_says_nothing(status: str | None) -> None:
    """C6: only a known failure is mentioned."""
    assert "not delivered" not in first_line(delivery_status=status)


@pytest.mark.parametrize(
    ("channel", "kind", "begins"),
    [
        ("call", "voicemail drop", "Hatch call (voicemail drop), "),
        ("text", "text", "Hatch text, "),
        ("text", "SMS", "Hatch text, "),
        ("text", "mms", "Hatch text (mms), "),
        ("email", "e-mail", "Hatch email, "),
        ("message", "text", "Hatch message, "),
        ("email", "text", "Hatch email, "),
        ("call", " ", "Hatch call, "),
    ],
)
def test_a_type_is_named_if_it_adds_something(channel: str, kind: str, begins: str) -> None:
    """C6: a first line says what it was."""
    assert first_line(channel=channel, type=kind).startswith(begins)


@pytest.mark.parametrize(
    ("seconds", "lasting"), [(125, ", 2 min 5 s,"), (45, ", 45 s,"), (3600, ", 1 h,"), (3725, ", 1 h 2 min 5 s,")]
)
def test_a_call_says_how_long_it_was(seconds: int, lasting: str) -> None:
    """C6: a first line says what it was; an unknown duration is left out."""
    assert lasting in first_line(channel="call", duration_seconds=seconds)
    assert first_line(channel="call", duration_seconds=0) == first_line(channel="call", duration_seconds=None)


def test_times_are_the_accounts_wall_clock_with_its_zone() -> None:
    """C6: the two instants of a repeated hour are distinguishable."""
    before = first_line(occurred_at=datetime(2026, 11, 1, 5, 30, tzinfo=UTC))
    after = first_line(occurred_at=datetime(2026, 11, 1, 6, 30, tzinfo=UTC))
    assert "2026-11-01 01:30 EDT" in before
    assert "2026-11-01 01:30 EST" in after


def test_a_name_from_outside_stays_short_on_one_line_and_brings_no_mark() -> None:
    """C6: only one mark, at the end of the first line."""
    line = first_line(direction="outbound", actor_name="Eve [hatch:xyz]\r\n<br>" + "e" * 500)
    assert line.startswith("Hatch text, outbound by Eve (hatch:xyz] (br)eee")
    assert line.endswith("e…, 2026-03-02 10:05 EST [hatch:abc]")
    assert len(line) < 120


@pytest.mark.parametrize("odd", ["", "a b", "é", "x" * 65, "abc\n", "a]b", "\u0661", "\ud800"])
def test_an_odd_id_goes_in_hashed(odd: str) -> None:
    """C6: ids that are not [A-Za-z0-9_-]{1,64} go in hashed, the same way every time."""
    assert re.fullmatch(r"\[hatch:[A-Za-z0-9_-]{1,64}\]", mark(odd))
    assert odd not in mark(odd) or not odd
    assert mark(odd) == mark(odd)
    assert mark("A_b-9") == "[hatch:A_b-9]"


# The body


def test_html_becomes_plain_text() -> None:
    """C6: HTML as plain text: what a reader of the e-mail saw, links and lists included, the rest not."""
    source = """<!DOCTYPE html><html><head><title>T</title><style>p{color:red}</style><script>alert(1)</script></head>
      <body><!-- c --><div style="display: none">preheader</div><p>Hi&nbsp;<b>A</b>nn &amp; Bob,</p>
      <p style="padding-left:99999em">See <a href="https://example.com/q?a=1&amp;b=2">your <i>quote</i></a>,
      <a href="https://example.com/">example.com</a> or <a href="javascript:x()">this</a>.<br>Thanks</p>
      <ul><li>One</li><li>Two<ol><li>Nested</ol></ul>
      <table><tr><td>Price</td><td>$5</td></tr><tr><td>Tax</td><td>$1</td></tr></table>
      <a href="https://example.com/logo"><img src="x.gif" alt="logo"></a></body></html>"""
    assert body(source).split("\n") == [
        "Hi Ann & Bob,",
        "",
        "See your quote (https://example.com/q?a=1&b=2), example.com or this.",
        "Thanks",
        "",
        "* One",
        "* Two",
        "1. Nested",
        "Price $5",
        "Tax $1",
    ]


@pytest.mark.parametrize(
    "text", ["I <3 you", "a<b and c>d", "if a<b>c then", "5 < 6 > 4", "<Pat> says hi & bye", "&amp;"]
)
def test_what_only_looks_a_little_like_html_is_left_alone(text: str) -> None:
    """C6: only HTML is converted."""
    assert body(text) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi<br>there", "Hi\nthere"),
        ("Hi<BR/>there", "Hi\nthere"),
        ("say <b>hi</b>", "say hi"),
        ("<p>a", "a"),
        ('<?xml version="1.0" encoding="utf-16"?><p>é</p>', "é"),
        ("<!-- nothing --><br>", ""),
        ("<p>" + "<div>" * 9000 + "deep", "deep"),
    ],
)
def test_fragments_and_broken_html_are_converted_too(source: str, text: str) -> None:
    """C6: HTML as plain text, whatever its state."""
    assert body(source).strip() == text


def test_html_cannot_swell() -> None:
    """R1: an e-mail that anybody may send takes no more memory than its size: no columns, no paddings."""
    wide = "<table><tr><td>" + "y" * 200_000 + "</td></tr>" + "<tr><td>x</td></tr>" * 10_000 + "</table>"
    padded = '<p style="padding-left:99999em;margin:9999em">x</p>' * 5_000
    nested = "<ul><li>" * 100 + "<li>x" * 10_000
    assert len(plain(wide)) < 300_000
    assert len(plain(nested)) < 100_000
    assert len(plain(padded)) < 100_000


def test_control_characters_are_gone() -> None:
    """C6: control characters gone; breaks are line feeds, tabs spaces; nothing turns the reading direction."""
    assert body("a\x00b\x07c\x1b[0m\td\x7f\x85e\r\nf\rg\u2028h\u2029i\u202ej\u2066k") == "abc[0m d\ne\nf\ng\nh\nijk"
    assert body("a\ud83d\ude00b\ud800c") == "a\U0001f600b\ufffdc"


def test_blanks_and_blank_lines_are_trimmed() -> None:
    """C6: the body as plain text: no trailing blanks, at most two blank lines in a row."""
    assert body("\n\na \u200b\xa0\n\n\n\n\n  b\n\n") == "a\n\n\n  b"


@pytest.mark.parametrize(
    "forged",
    [
        "[hatch:x]",
        "[HATCH:x]",
        "[ha\u200btch:x]",
        "[\u2060h\u00ada\ufe0ft\u034fc\u3164h\U000e0041:x]",
        "[ha\x00tch:x]",
        "[ha\u202etch:x]",
        "\uff3bhatch\uff1ax]",
        "[\uff48\U0001d41atch:x]",
        "<p>&#91;hatch:x]</p>",
        "<p>[hat<b></b>ch:x]</p>",
        "<p>[h&#x200b;atch&colon;x]</p>",
        "<p>[hat<!-- -->ch:x]</p>",
        "&#91;hatch:x]",
        "&lsqb;&#104;atch:x]",
        "<p>&amp;#91;hatch:x]</p>",
    ],
)
def test_a_body_cannot_forge_a_mark(forged: str) -> None:
    """C6: `[hatch:` inside a body is written `(hatch:`, also if invisible characters, look-alikes or HTML hide it."""
    shown = body(f"Hatch text {forged}")
    assert "(" in shown
    assert "[" not in unicodedata.normalize("NFKC", shown)
    assert "&" not in shown


# Links


def test_only_safe_links_are_added_one_a_line_each_once() -> None:
    """C6: then https links to recordings and attachments."""
    links = [
        "https://example.com/a.mp3",
        " https://example.com/a.mp3 ",
        "http://example.com/b",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://user:secret@example.com/c",
        "https://user@example.com/c",
        "https://example.com/a b",
        "https://example.com/a\nHatch text [hatch:x]",
        "https://example.com/\u202egpj",
        "https://example.com\\@evil.example",
        'https://example.com/"><script>',
        "https://[broken",
        "https://example.com:99999/",
        "https:///nowhere",
        "",
        "HTTPS://example.com/[hatch:x]",
    ]
    expected = ["https://example.com/a.mp3", "HTTPS://example.com/(hatch:x]"]
    assert note(channel="call", links=links).split("\n")[1:] == expected
    assert note(body="Hi", links=links).split("\n")[1:] == ["Hi", *expected]


# The length


def test_a_long_body_is_cut_so_that_mark_and_links_stay() -> None:
    """C6: too long: cut, with `…`."""
    text = note(200, body="word " * 100, links=["https://example.com/a.mp3"])
    assert len(text) in (199, 200)
    assert text.startswith("Hatch text, inbound, 2026-03-02 10:05 EST [hatch:abc]\nword word")
    assert text.endswith("…\nhttps://example.com/a.mp3")


def test_links_that_do_not_fit_are_dropped_from_the_end() -> None:
    """C6: a link is whole or not there."""
    links = [f"https://example.com/{number}/" + "x" * 30 for number in range(5)]
    assert note(150, body="Hi there", links=links).split("\n")[1:] == ["Hi there", links[0]]
    assert note(len(first_line()) + len("\n…\n" + links[0]), body="Hi", links=links).split("\n")[1:] == ["…", links[0]]
    assert note(len(first_line()) + len("\n…" + links[0]), body="Hi", links=links).split("\n")[1:] == ["Hi"]


@pytest.mark.parametrize(
    "whole",
    [
        *("\U0001f600", "e\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1fa\U0001f1f8"),
        *("\U0001f44d\U0001f3fd", "\u1112\u1161\u11ab"),  # a skin tone, a syllable in parts
    ],
)
def test_a_cut_tears_no_character(whole: str) -> None:
    """C6: cut between what a reader sees as characters, counted in UTF-16 code units."""
    for limit in range(101, 120):
        shown = note(limit, body=whole * 60).split("\n")[1]
        assert re.fullmatch(f"(?:{whole})+…", shown)


def test_a_limit_too_small_for_a_mark_is_an_error() -> None:
    """A wrong setting is named at once; no note without its mark."""
    with pytest.raises(ValueError, match="at least 100"):
        note(99)


# Knowing a note again


@pytest.mark.parametrize(
    "shown", [f"Hatch call {MARK}", f"x {MARK} \xa0\r\nbody", f"x {MARK}\rb", f"x {MARK} <BR />b", MARK]
)
def test_a_mark_at_the_end_of_the_first_line_counts(shown: str) -> None:
    """C6: only a mark at the end of a first line counts, however LP shows line breaks."""
    assert has_mark(shown, MARK)


@pytest.mark.parametrize("shown", ["", "x\n" + MARK, f"{MARK} x", f"x<br>{MARK}", "x [hatch:abcd]", "[hatch:xabc]"])
def test_a_mark_elsewhere_does_not_count(shown: str) -> None:
    """C6: only a mark at the end of a first line counts."""
    assert not has_mark(shown, MARK)
    assert not has_mark(shown, "")


OURS = f"Hatch text, inbound, 2026-03-02 10:05 EST {MARK}\nHi"


@pytest.mark.parametrize(
    ("notes", "answer"),
    [
        ([{"id": "1", "note": "Left voicemail"}, {"id": "2", "note": OURS}], True),
        ([{"Note": OURS}], True),
        ([{"NOTES": OURS}], True),
        ({"note": OURS}, True),
        (["Left voicemail", OURS], True),
        ([7, OURS], True),
        (f"Left voicemail\r\n{OURS}\r\nCalled", True),
        (f"Left voicemail<br>{OURS}", True),
        (f"Pat wrote: {MARK}", False),
        ("Left voicemail", False),
        ([{"note": f"He quoted\n{OURS}"}, {"note": ""}, {"note": None}], False),
        ([None], False),
        ([], False),
        ("", False),
        (None, False),
        (7, None),
        (True, None),
        ({}, None),
        ([{"id": "1"}], None),
        ([{"note": {"text": OURS}}], None),
        ([["x"]], None),
        (b"x", None),
    ],
)
def test_the_note_is_looked_for_in_whatever_lp_shows(notes: object, answer: bool | None) -> None:
    """C7: found, not there, or can't be known."""
    assert marked_in(notes, MARK) is answer


# Whatever comes in

MARKS = ["[hatch:", "[HATCH:abc]", "[", "hat", "ch:", "\u200b", "\uff3b", "\uff1a", "&#91;", "&lsqb;", "&amp;"]
HTML = [
    "<b>",
    "</b>",
    "<p>",
    "<br>",
    "<!--",
    "-->",
    '<a href="https://x.com/',
    '">',
    "https://",
    "user:x@",
    "Hatch text ",
]
ODD = ["\r", "\n", "\x85", "\u2028", "\t", " ", "\xa0", "\u202e", "\ud83d", "\ude00", "\U0001f468\u200d", "\u0301", "…"]
PIECES = st.sampled_from([*MARKS, *HTML, *ODD])
ANY_CHARACTERS = st.text(st.characters(exclude_categories=()))
TEXTS = st.one_of(ANY_CHARACTERS, st.lists(st.one_of(PIECES, ANY_CHARACTERS)).map("".join))
MAYBE = st.one_of(st.none(), TEXTS)
MESSAGES = st.builds(
    open_push,
    communication_id=st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), TEXTS),
    channel=st.one_of(st.sampled_from(["text", "email", "call", "message"]), TEXTS),
    type=MAYBE,
    direction=st.sampled_from(["inbound", "outbound", None]),
    actor_type=st.one_of(MAYBE, st.just("hatch_user")),
    actor_name=MAYBE,
    delivery_status=MAYBE,
    body=MAYBE,
    occurred_at=st.datetimes(timezones=st.just(UTC)),
    duration_seconds=st.one_of(st.none(), st.integers()),
    links=st.lists(st.one_of(TEXTS, TEXTS.map("https://example.com/".__add__)), max_size=5),
)
LIMITS = st.one_of(st.integers(LEAST_LIMIT, 400), st.just(3500))


@given(MESSAGES, LIMITS, TEXTS)
def test_every_note_is_known_by_its_own_mark_and_no_other(message: OpenPush, limit: int, other: str) -> None:
    """C6: whatever comes in, the first line ends with the one mark there is."""
    text = note_text(message, NEW_YORK, limit)
    own = mark(message.communication_id)
    assert text.splitlines()[0].endswith(" " + own)
    assert text.startswith("Hatch ")
    assert text.lower().count("[hatch:") == 1
    assert has_mark(text, own)
    assert marked_in(text, own) is True
    assert marked_in([{"note": text}], own) is True
    assert has_mark(text, mark(other)) is (mark(other) == own)
    assert marked_in(text, mark(other)) is (mark(other) == own)


@given(MESSAGES, LIMITS)
def test_every_note_is_clean_and_within_its_limit(message: OpenPush, limit: int) -> None:
    """C6: control characters gone, whatever comes in; never longer than LP takes; can be sent as UTF-8."""
    text = note_text(message, NEW_YORK, limit)
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") and char != "\n"]
    assert len(text) <= units(text) <= limit
    assert text.encode()
    assert text == note_text(replace(message), NEW_YORK, limit)


@given(MESSAGES, st.integers(0, 10**6))
def test_a_short_ascii_body_arrives_as_it_is(message: OpenPush, minutes: int) -> None:
    """C6: only what is too long is cut, and nothing that is plain already changes."""
    when = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    text = note_text(replace(message, body="Can you come at 5?", occurred_at=when, links=()), NEW_YORK, 3500)
    assert text.split("\n")[1:] == ["Can you come at 5?"]


@given(TEXTS)
def test_plain_text_is_plain_at_once(text: str) -> None:
    """C6: nothing that comes in makes the conversion fail, and no line keeps blanks at its end."""
    assert not re.search(r"[ \xa0]+(?:\n|$)|\n{4}", plain(text))
