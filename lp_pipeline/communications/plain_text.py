"""Converts untrusted text to plain text: HTML, control characters, links and forged marks (SPEC C6).

Knows neither communications nor notes. Nothing here raises, whatever the input; time and memory grow linearly.
"""

import html
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

import lxml.etree
import lxml.html
import regex
from inscriptis.css_profiles import STRICT_CSS_PROFILE
from inscriptis.html_engine import Inscriptis
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement

OPENING = "[hatch:"
LONGEST_HTML = 500_000  # characters of source: the rest would be cut off anyway, and parsing stays fast
LONGEST_TARGET = 200  # longer link targets in e-mails are tracking addresses, of no use to a reader
LONGEST_LETTER = 16  # characters, longer than any emoji family; a longer stack of accents is split

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_BLANKS = " \xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000" + (
    "\xad\u034f\u200b\u200c\u200d\u2060\ufeff"  # mailers pad preview lines with these
)
_HANGUL_FILLERS = "\u115f\u1160\u3164\uffa0"

# A tag counts only if it is well-formed: people write `a<b and c>d` and `I <3 you`. One block tag makes a text HTML;
# `<b>` and the like only if they are closed, too.
_ATTRIBUTES = r"""(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=]+))*+\s*/?>"""
_BLOCK = re.compile(
    r"<!doctype html|<(?:html|head|body|meta|style|script|title|p|br|hr|div|section|article|header|footer|center"
    r"|blockquote|pre|table|tbody|tr|td|th|ul|ol|li|dl|dt|dd|h[1-6]|img)" + _ATTRIBUTES,
    re.IGNORECASE,
)
_INLINE = re.compile(
    r"<(a|abbr|b|big|code|del|em|font|i|ins|label|mark|s|small|span|strike|strong|sub|sup|tt|u)" + _ATTRIBUTES,
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")
_LETTER = regex.compile(r"\X")  # what a reader sees as one character
# Lists are not indented: nested a thousand times, they would grow to a thousand times their size.
_LIST = HtmlElement(display=Display.block)
_STYLES = {**STRICT_CSS_PROFILE, "ul": _LIST, "ol": _LIST}
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def plain(text: str) -> str:
    """A body as plain text with `\\n` between lines: HTML converted, misleading invisible characters removed (SPEC C6).

    It may still contain forged marks: see `disarmed`.
    """
    text = cleaned(text)
    if looks_like_html(text):
        text = cleaned(_from_html(text))
    if "&" in text and OPENING in "".join(
        map(_folded, html.unescape(text))
    ):  # &#91;hatch: for a CRM that decodes entities
        text = cleaned(html.unescape(text))
    lines = "\n".join(line.rstrip(_BLANKS) for line in text.split("\n"))
    return re.sub("\n{4,}", "\n\n\n", lines).strip("\n")


def cleaned(text: str) -> str:
    """The text without control characters and bidi overrides; every line break is `\\n`, a tab is a space."""
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNSEEN.sub("", _BREAKS.sub("\n", text).replace("\t", " "))


def one_line(text: str | None, longest: int) -> str:
    """An untrusted name or label as part of a line: no line breaks, angle brackets or mark, and not long."""
    words = " ".join(cleaned(text or "").translate({ord("<"): "(", ord(">"): ")"}).split())
    return disarmed(cut(words, longest)).strip(_BLANKS)


def disarmed(text: str) -> str:
    """The text with `(hatch:` wherever a reader, or a database that folds characters, would see `[hatch:` (SPEC C6)."""
    if text.isascii():
        return re.sub(re.escape(OPENING), "(hatch:", text, flags=re.IGNORECASE)
    letters = list(text)
    visible = [(place, letter) for place, char in enumerate(text) for letter in _folded(char)]
    for found in re.finditer(re.escape(OPENING), "".join(letter for _, letter in visible)):
        letters[visible[found.start()][0]] = "("
    return "".join(letters)


def safe_link(link: str) -> str | None:
    """The link if it is a plain https URL without spaces, control characters or credentials; else None (SPEC C6)."""
    link = link.strip()
    if not link.isprintable() or any(char in ' <>"\\' for char in link):
        return None
    try:
        parts = urlsplit(link)
        plainly = parts.scheme == "https" and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return None
    return disarmed(link) if plainly else None


def units(text: str) -> int:
    """The length in UTF-16 code units: at least that in characters, so that a limit holds either way it is counted."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, room: int) -> str:
    """The text in at most `room` UTF-16 code units, ending with `…` if it was cut."""
    if units(text) <= room:
        return text
    if room < 1:
        return ""
    kept = text.encode("utf-16-le", "surrogatepass")[: 2 * (room - 1)].decode("utf-16-le", "ignore")
    end, border = len(kept), 0
    for letter in _LETTER.finditer(text):
        if letter.end() > end:
            break
        border = letter.end()
    if end - border > LONGEST_LETTER:
        border = end
    return text[:border].rstrip(_BLANKS + "\n") + "…"


def looks_like_html(text: str) -> bool:
    """Whether the text contains a known, well-formed HTML tag."""
    lower = text.lower()
    return bool(_BLOCK.search(text)) or any(f"</{tag.lower()}>" in lower for tag in set(_INLINE.findall(text)))


def _from_html(source: str) -> str:
    ending = "\n…" if len(source) > LONGEST_HTML else ""
    source = source[:LONGEST_HTML]
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
        tree = lxml.html.document_fromstring(source.encode(), parser=parser)
        whole = not any(entry.level_name == "FATAL" for entry in parser.error_log)
        if whole:
            _simplify(tree)
            return str(Inscriptis(tree, ParserConfig(css=_STYLES)).get_text()) + ending
    except (lxml.etree.LxmlError, ValueError, RecursionError):
        pass  # nested too deeply, or empty
    return html.unescape(_TAG.sub("\n", source)) + ending


def _simplify(tree: Any) -> None:
    """Keep what a reader of the e-mail sees; remove hidden parts and layout (columns, padding)."""
    for element in list(tree.iter()):
        hidden = element.get("hidden") is not None or _HIDDEN.search(element.get("style", ""))
        if hidden and element.getparent() is not None:
            element.drop_tree()
    lxml.etree.strip_elements(tree, "head", "script", "style", "template", "noscript", with_tail=False)
    lxml.etree.strip_attributes(tree, "style", "align", "valign")
    for element in list(tree.iter("table", "tr", "td", "th", "hr")):  # most tables in e-mails are layout
        if element.tag in ("td", "th"):
            element.tail = " " + (element.tail or "")
        element.tag = "span" if element.tag in ("td", "th") else "div"
    for anchor in tree.iter("a"):
        shown, target = anchor.text_content().strip(), safe_link(anchor.get("href", ""))
        if shown and target and len(target) <= LONGEST_TARGET and _bare(target) != _bare(shown):
            if len(anchor):
                anchor[-1].tail = f"{anchor[-1].tail or ''} ({target})"
            else:
                anchor.text = f"{shown} ({target})"


def _bare(address: str) -> str:
    return re.sub(r"^https?://(www\.)?|/$", "", address.strip().lower())


def _folded(char: str) -> str:
    """A character's form for comparison: empty if it is invisible, otherwise its plain form in lower case."""
    if char.isascii():
        return char.lower()
    if char in _HANGUL_FILLERS or unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc", "Cn"):
        return ""
    return unicodedata.normalize("NFKC", char).casefold()
