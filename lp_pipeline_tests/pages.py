"""The commands, queries and examples that README.md and docs/*.md show, taken out of their text: pure, runs nothing.
What becomes of each is in test_pages.py.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lp_pipeline.cli.main import main
from lp_pipeline.settings import REPOSITORY

MADE = {"commands.md"}  # from click's own help, which test_reference.py compares
PAGES = {
    str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8")
    for path in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    if path.name not in MADE
}
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
INNER = re.compile(r"\$\(([^()]*)\)")
SETTING = re.compile(r"\w+=.*")
OPERATORS = {"&&", "||", "|", ";"}
PROGRAMS = re.compile(  # that prose may show a command of
    r"apt|celery|curl|dagster|date|dg|docker|duckdb|export|git|journalctl|lp-pipeline|make|openssl|pip|python|ssh|"
    r"systemctl|usermod"
)


@dataclass(frozen=True)
class Block:
    """A fenced example: where it is, in which language, and its text."""

    page: str
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One command of a page, without sudo, variables and the folder of its program: `lp-pipeline`, `status`."""

    page: str
    words: tuple[str, ...]
    environ: tuple[str, ...] = ()
    is_whole: bool = True  # False if prose names it: `lp-pipeline restore` without a folder is no mistake there

    def __str__(self) -> str:
        return " ".join(self.words)


def blocks(*languages: str, pages: dict[str, str] = PAGES) -> list[Block]:
    """The fenced examples in these languages, or all, without the indentation of a list."""
    found = []
    for page, text in pages.items():
        for indent, language, body in FENCE.findall(text):
            if not languages or language in languages:
                found.append(Block(page, language, re.sub(f"^{indent}", "", body, flags=re.MULTILINE)))
    return found


@cache
def all_commands() -> list[Command]:
    """Every command of every page."""
    return commands(PAGES)


def commands(pages: dict[str, str]) -> list[Command]:
    """Those of shell examples, and those that prose and tables show in backticks."""
    found = [each for block in blocks("sh", pages=pages) for each in in_shell(block.page, block.text)]
    for page, text in pages.items():
        for line in FENCE.sub("", text).splitlines():
            before: list[Command] = []
            for span in SPAN.findall(line):
                if span.startswith("--") and before and span not in before[-1].words:  # `lp-pipeline status` (`--json`)
                    found.append(Command(page, (*before[-1].words, *span.split()), is_whole=False))
                else:
                    now = list(in_prose(page, span.replace("\\|", "|")))
                    found += now
                    named = [Command(page, ("lp-pipeline", span))] if span in main.commands else []
                    before = now or named or before
    return list(dict.fromkeys(found))


def queries(pages: dict[str, str] = PAGES) -> list[tuple[str, str]]:
    """Page and text of each query that prose shows."""
    spans = [(page, span) for page, text in pages.items() for span in SPAN.findall(FENCE.sub("", text))]
    return [(page, span) for page, span in spans if re.match(r"(select|from|set|attach|detach) \S", span)]


def in_shell(page: str, text: str) -> Iterator[Command]:
    """The commands of a shell example, also those inside of $( ). Raises `ValueError` where no shell could read it."""
    for line in _lines(text):
        for inner in INNER.findall(line):
            yield from in_shell(page, inner)
        lexer = shlex.shlex(INNER.sub("$INNER", line), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word not in OPERATORS:
                words.append(word)
            elif words:
                yield _command(page, words)
                words = []


def in_prose(page: str, span: str) -> Iterator[Command]:
    """The command that a span in backticks is, if it is one; `held accept` is one of ours in short."""
    words = span.split()
    names = [word.rpartition("/")[2] for word in words if word != "sudo" and not SETTING.fullmatch(word)]
    is_short = len(names) > 1 and names[0] in main.commands and words[0] == names[0]
    if is_short:
        span = f"lp-pipeline {span}"
    if len(names) > 1 and (is_short or PROGRAMS.fullmatch(names[0])):
        for each in in_shell(page, re.sub(r"<([^>]*)>", lambda match: match[1].split()[0].upper(), span)):
            yield Command(page, each.words, each.environ, is_whole=False)


def _lines(text: str) -> Iterator[str]:
    """Whole lines: one with an open quotation mark, or a backslash at its end, continues."""
    line = ""
    for each in text.splitlines():
        line += f"\n{each}" if line else each
        if line.endswith("\\"):
            line = line[:-1]
            continue
        try:
            shlex.split(line, comments=True)
        except ValueError:
            continue
        yield line
        line = ""
    if line:
        raise ValueError(f"No shell can read: {line}")


def _command(page: str, words: list[str]) -> Command:
    environ = []
    while words and (words[0] in ("sudo", "exec", "-u", "postgres") or SETTING.fullmatch(words[0])):
        environ += [words[0]] if "=" in words[0] else []
        words = words[1:]
    kept, skip = [], False
    for word in words:
        if set(word) <= set("<>"):
            skip = True
        elif not skip:
            kept.append(word)
        else:
            skip = False
    program = kept[0].rpartition("/")[2]
    if program == "docker" and "lp-pipeline" in kept:  # what it runs in a container
        kept = kept[kept.index("lp-pipeline") :]
        program = kept[0]
    return Command(page, (program, *kept[1:]), tuple(environ))
