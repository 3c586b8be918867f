"""The reference pages `docs/settings.md`, `docs/commands.md` and `docs/questions.md`, made from the code: `make docs`
writes them, a test compares. Settings: the fields of `Settings`, explained by the comments of the example file.
Commands: their help. Questions: the comments of `sql/analysis/`.
"""

import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal, get_args, get_origin

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from lp_pipeline.cli.questions import questions
from lp_pipeline.settings import Settings

CHECKOUT = Path(__file__).resolve().parent.parent
EXAMPLE = CHECKOUT / "lp_pipeline.env.example"
SECTION = re.compile(r"# -+ (?P<title>[^(]*[^( -])\s*(?:\((?P<remark>.*)\))? -+")
WIDTH = 120
KINDS: dict[Any, str] = {
    bool: "`true` or `false`",
    int: "a whole number",
    float: "a number",
    SecretStr: "a secret",
    Path: "a folder",
    datetime: "an instant",
    tuple: "names, separated by commas",
    dict: "codes",
}
LIMITS = {"ge": "at least", "le": "at most"}
MADE = "<!-- Made by `make docs`: change {source} instead. -->\n"


def settings_page() -> str:
    """`docs/settings.md`: each paragraph of the example file, under the settings that follow it."""
    fields = {str(field.alias): field for field in Settings.model_fields.values()}
    lines = ["# Settings\n", MADE.format(source=f"`{EXAMPLE.name}` or `Settings`")]
    lines += [f"What `{EXAMPLE.name}` says about each setting, with the values it takes.\n"]
    for names, text in _paragraphs():
        lines += [f"- **`{name}`**: {_takes(fields[name])}; {_default(fields[name])}" for name in names]
        lines += ["", f"  {text}\n"] if names else [f"{text}\n"]
    return "\n".join(lines)


def _paragraphs() -> Iterator[tuple[list[str], str]]:
    """The settings of each paragraph and its text; a heading or an introduction has no settings."""
    names: list[str] = []
    comment: list[str] = []
    for line in [*EXAMPLE.read_text(encoding="utf-8").splitlines(), "#"]:
        if line.startswith("#") and names:
            yield names, " ".join(comment)
            names, comment = [], []
        if section := SECTION.fullmatch(line):
            yield [], f"## {section['title']}" + (f"\n\n{_sentence(section['remark'])}" if section["remark"] else "")
        elif line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
        elif line:
            names.append(line.partition("=")[0])
        elif comment and not names:
            yield [], " ".join(comment)
            comment = []


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _takes(field: FieldInfo) -> str:
    """What a setting takes, in words."""
    kind: Any = field.annotation
    if type(None) in get_args(kind):
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        *choices, last = (f"`{choice}`" for choice in get_args(kind))
        return f"{', '.join(choices)} or {last}"
    found = [(words, getattr(limit, name, None)) for limit in field.metadata for name, words in LIMITS.items()]
    bounds = [f"{words} {number}" for words, number in found if number is not None]
    return KINDS.get(getattr(kind, "__origin__", kind), "text") + (f" of {', '.join(bounds)}" if bounds else "")


def _default(field: FieldInfo) -> str:
    default: Any = field.default
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, tuple):
        default = ",".join(default)
    if default in (None, "", Path(), {}):
        return "not set by default"
    return f"default `{str(default).lower() if isinstance(default, bool) else default}`"


def commands_page() -> str:
    """`docs/commands.md`: the help of the command and of all its subcommands, as it prints it."""
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    name, entry = next(iter(scripts.items()))
    lines = ["# Commands\n", MADE.format(source="the command's docstring or options")]
    command = resolve_name(entry)
    for title, text in _helps(command, click.Context(command, info_name=name)):
        lines += [f"## `{title}`\n", f"```text\n{text}\n```\n"]
    return "\n".join(lines)


def _helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    context.terminal_width = context.max_content_width = WIDTH
    yield context.command_path, command.get_help(context)
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from _helps(inner, click.Context(inner, info_name=name, parent=context))


QUESTIONS_BEGIN = """\
`lp-pipeline ask` lists these questions, `lp-pipeline ask QUESTION PARAMETER=VALUE` answers one from the published data
(`--csv` or `--json` for a file). Each is a file of `sql/analysis/`: in other clients, run its text, after
`set variable days = 30;` if a parameter is to be set. "Now" is when the data was published, and days are the account's,
so a question has the same answer for everybody who asks it of the same file.
"""


def questions_page() -> str:
    """`docs/questions.md`: each question of `sql/analysis/` with its comment and parameters."""
    lines = ["# Ready-made questions\n", MADE.format(source="the comments in `sql/analysis/`"), QUESTIONS_BEGIN]
    for question in questions().values():
        lines += [f"## {question.title}\n", f"`lp-pipeline ask {question.name}`\n"]
        lines += [f"{question.remark}\n"] if question.remark else []
        lines += [f"- **`{name}`**: {meaning}" for name, meaning in question.parameters.items()]
        lines += [""] if question.parameters else []
    return "\n".join(lines)


PAGES = {"settings.md": settings_page, "commands.md": commands_page, "questions.md": questions_page}

if __name__ == "__main__":
    for page, text in PAGES.items():
        (CHECKOUT / "docs" / page).write_text(text(), encoding="utf-8")
